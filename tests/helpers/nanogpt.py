"""A small GPT in the layout of nanoGPT's checkpoints, to compare with: names, shapes, arithmetic."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

ARGS = {
    "n_layer": 3,
    "n_head": 4,
    "n_embd": 64,
    "block_size": 128,
    "bias": True,
    "vocab_size": 832,  # padded: the tokenizer has 800
    "dropout": 0.2,
}


class Norm(nn.Module):
    def __init__(self, width: int, bias: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        return functional.layer_norm(x, self.weight.shape, self.weight, self.bias, 1e-5)


class Attention(nn.Module):
    def __init__(self, args: dict[str, Any]) -> None:
        super().__init__()
        width = args["n_embd"]
        self.n_head = args["n_head"]
        self.c_attn = nn.Linear(width, 3 * width, bias=args["bias"])
        self.c_proj = nn.Linear(width, width, bias=args["bias"])

    def forward(self, x: Tensor) -> Tensor:
        batch, length, width = x.shape
        heads = (batch, length, self.n_head, width // self.n_head)
        q, k, v = (part.view(heads).transpose(1, 2) for part in self.c_attn(x).split(width, 2))
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.c_proj(y.transpose(1, 2).reshape(x.shape))


class MLP(nn.Module):
    def __init__(self, args: dict[str, Any]) -> None:
        super().__init__()
        width = args["n_embd"]
        self.c_fc = nn.Linear(width, 4 * width, bias=args["bias"])
        self.c_proj = nn.Linear(4 * width, width, bias=args["bias"])

    def forward(self, x: Tensor) -> Tensor:
        return self.c_proj(functional.gelu(self.c_fc(x)))


class Block(nn.Module):
    def __init__(self, args: dict[str, Any]) -> None:
        super().__init__()
        self.ln_1 = Norm(args["n_embd"], args["bias"])
        self.attn = Attention(args)
        self.ln_2 = Norm(args["n_embd"], args["bias"])
        self.mlp = MLP(args)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class NanoGPT(nn.Module):
    """Random weights with a spread that gives greedy decoding clear winners."""

    def __init__(self, **changes: Any) -> None:
        super().__init__()
        self.args = {**ARGS, **changes}
        width = self.args["n_embd"]
        self.transformer = nn.ModuleDict(
            {
                "wte": nn.Embedding(self.args["vocab_size"], width),
                "wpe": nn.Embedding(self.args["block_size"], width),
                "h": nn.ModuleList(Block(self.args) for _ in range(self.args["n_layer"])),
                "ln_f": Norm(width, self.args["bias"]),
            }
        )
        self.lm_head = nn.Linear(width, self.args["vocab_size"], bias=False)
        self.transformer["wte"].weight = self.lm_head.weight
        generator = torch.Generator().manual_seed(7)
        with torch.no_grad():
            for name, parameter in self.named_parameters():
                centre = 1.0 if ".ln_" in name and name.endswith("weight") else 0.0
                noise = torch.randn(parameter.shape, generator=generator)
                parameter.copy_(centre + 0.12 * noise)

    @torch.no_grad()
    def forward(self, ids: Tensor) -> Tensor:
        parts = self.transformer
        x = parts["wte"](ids) + parts["wpe"](torch.arange(ids.shape[1]))
        for block in parts["h"]:
            x = block(x)
        return self.lm_head(parts["ln_f"](x))

    def checkpoint(self, prefix: str = "", masks: bool = False) -> dict[str, Any]:
        """What the training script saves."""
        state = {f"{prefix}{name}": value for name, value in self.state_dict().items()}
        if masks:
            size = self.args["block_size"]
            mask = torch.tril(torch.ones(size, size)).view(1, 1, size, size)
            layers = range(self.args["n_layer"])
            state |= {f"{prefix}transformer.h.{i}.attn.bias": mask for i in layers}
        optimizer = torch.optim.AdamW(self.parameters(), betas=(0.9, 0.95))
        self.lm_head.weight.grad = torch.zeros_like(self.lm_head.weight)
        optimizer.step()
        return {
            "model": state,
            "optimizer": optimizer.state_dict(),
            "model_args": self.args,
            "iter_num": 2000,
            "best_val_loss": torch.tensor(1.5),
            "config": {"out_dir": "out", "always_save_checkpoint": True, "learning_rate": 1e-3},
        }

    def save(self, path: Path, **options: Any) -> Path:
        """Write such a checkpoint."""
        torch.save(self.checkpoint(**options), path)
        return path
