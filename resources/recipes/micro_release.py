"""Write the micro-model as a Hugging Face folder with its tokenizer and task templates."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from micro_corpus import END
from safetensors.torch import save_file
from tokenizers import Tokenizer

from gptdesk.model.config import ModelConfig
from gptdesk.model.gpt import GPT

# Greedy answers of a small model run in circles. A short window punishes that, and still lets names,
# numbers and addresses be copied from the text, which a ban on repeated n-grams would forbid.
NO_LOOPS = {
    "repetition_window": 40,
    "repetition_penalty": 1.05,
    "dry_multiplier": 1.0,
    "dry_allowed_length": 2,
}

TASKS: dict[str, dict[str, Any]] = {
    "continue": {
        "template": "<|endoftext|>{text}",
        "sampling": {
            "temperature": 0.75,
            "top_k": 40,
            "top_p": 0.9,
            "min_p": 0.03,
            "repetition_penalty": 1.12,
            "repetition_window": 96,
            "dry_multiplier": 0.8,
        },
    },
    "summarize": {
        "template": "<|endoftext|><|summarize|><|{form}|><|{language}|>{text}<|answer|>",
        "sampling": {
            "temperature": 0.0,
            **NO_LOOPS,
        },
    },
    "translate": {
        "template": "<|endoftext|><|translate|><|{source}|><|{target}|>{text}<|answer|>",
        "sampling": {
            "temperature": 0.0,
            **NO_LOOPS,
        },
    },
}


def write_release(model: GPT, tokenizer: Tokenizer, out: Path) -> None:
    """Write every file of the model folder except its card, weights in bfloat16."""
    out.mkdir(parents=True, exist_ok=True)
    tensors = {
        name: weight.detach().to(torch.bfloat16).contiguous()
        for name, weight in model.state_dict().items()
        if name != "lm_head.weight" or not model.config.tied_embeddings
    }
    save_file(tensors, out / "model.safetensors", metadata={"format": "pt"})
    tokenizer.encode_special_tokens = False
    tokenizer.save(str(out / "tokenizer.json"))
    end = tokenizer.token_to_id(END)
    _write_json(out / "config.json", hugging_face_config(model.config, end))
    _write_json(out / "generation_config.json", {"bos_token_id": end, "eos_token_id": end})
    _write_json(
        out / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": END,
            "eos_token": END,
            "model_max_length": model.config.context_length,
            "clean_up_tokenization_spaces": False,
        },
    )
    _write_json(out / "gptdesk.json", task_card(model.config))


def hugging_face_config(config: ModelConfig, end: int) -> dict[str, Any]:
    """config.json of a Llama of this shape."""
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": config.vocab_size,
        "hidden_size": config.hidden_size,
        "intermediate_size": config.intermediate_size,
        "num_hidden_layers": config.num_layers,
        "num_attention_heads": config.num_heads,
        "num_key_value_heads": config.num_kv_heads,
        "head_dim": config.head_dim,
        "hidden_act": config.activation,
        "max_position_embeddings": config.context_length,
        "rms_norm_eps": config.norm_eps,
        "rope_theta": config.rope_theta,
        "attention_bias": False,
        "mlp_bias": False,
        "tie_word_embeddings": config.tied_embeddings,
        "bos_token_id": end,
        "eos_token_id": end,
        "torch_dtype": "bfloat16",
    }


def task_card(config: ModelConfig) -> dict[str, Any]:
    """gptdesk.json: what the model can do and how it is asked."""
    return {
        "format_version": 1,
        "name": "gptdesk-base",
        "description": (
            f"A micro-model of {config.num_parameters / 1e6:.1f} million parameters for English "
            "and Chinese. It shows every function of gptdesk at work; expect fluent fragments, "
            "not knowledge."
        ),
        "languages": ["en", "zh"],
        "tasks": TASKS,
    }


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
