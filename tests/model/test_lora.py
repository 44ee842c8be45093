"""Low-rank layers on a GPT: nothing at first, exact when off, the same when merged."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from gptdesk.errors import EngineError, OptionError
from gptdesk.model.config import ModelConfig
from gptdesk.model.gpt import GPT
from gptdesk.model.lora import (
    Adapter,
    LoraLinear,
    LoraSettings,
    add_lora,
    find_adapter,
    install_adapter,
    merge_adapter,
    merged_config,
    merged_parameter,
    remove_adapter,
    set_adapter_enabled,
)

CONFIG = ModelConfig(
    architecture="llama",
    vocab_size=97,
    context_length=64,
    num_layers=2,
    hidden_size=32,
    num_heads=4,
    num_kv_heads=2,
    head_dim=8,
    intermediate_size=48,
    tied_embeddings=True,
)
IDS = torch.tensor([[(11 * n + 5) % 97 for n in range(20)]])


@pytest.fixture
def gpt() -> GPT:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return GPT(CONFIG).eval()


def logits(gpt: GPT) -> Tensor:
    with torch.no_grad():
        return gpt(IDS)


def trained(gpt: GPT, **settings: object) -> Tensor:
    """Add an adapter, move it away from zero, return its logits."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        adapter = add_lora(gpt, LoraSettings(**settings))  # type: ignore[arg-type]
        for layer in adapter.layers.values():
            torch.nn.init.normal_(layer.lora_B, std=0.2)
    return logits(gpt)


def test_a_new_adapter_changes_nothing_and_is_all_that_learns(gpt: GPT) -> None:
    before, names = logits(gpt), set(gpt.state_dict())
    adapter = add_lora(gpt, LoraSettings(rank=3))
    assert torch.equal(logits(gpt), before)
    assert len(adapter.layers) == 7 * CONFIG.num_layers
    assert names <= set(gpt.state_dict())
    learns = {name for name, value in gpt.named_parameters() if value.requires_grad}
    assert learns == {f"{name}.lora_{half}" for name in adapter.layers for half in "AB"}
    assert learns == set(gpt.state_dict()) - names


def test_off_is_exact_and_on_comes_back(gpt: GPT) -> None:
    before = logits(gpt)
    on = trained(gpt)
    assert (on - before).abs().max() > 0.1
    set_adapter_enabled(gpt, False)
    set_adapter_enabled(gpt, False)
    assert torch.equal(logits(gpt), before)
    set_adapter_enabled(gpt, True)
    assert torch.equal(logits(gpt), on)
    remove_adapter(gpt)
    assert torch.equal(logits(gpt), before)
    assert find_adapter(gpt) is None
    assert not any(isinstance(module, LoraLinear) for module in gpt.modules())


@pytest.mark.parametrize("enabled", [True, False])
def test_merged_is_the_same(gpt: GPT, enabled: bool) -> None:
    names = set(gpt.state_dict())
    on = trained(gpt, rank=4, alpha=6)
    set_adapter_enabled(gpt, enabled)
    merge_adapter(gpt)
    torch.testing.assert_close(logits(gpt), on, rtol=1e-4, atol=1e-4)
    assert set(gpt.state_dict()) == names
    assert gpt.config.tied_embeddings
    assert gpt.lm_head.weight is gpt.model.embed_tokens.weight


def test_an_adapted_output_matrix_parts_from_the_embedding(gpt: GPT) -> None:
    embedding = gpt.model.embed_tokens.weight.clone()
    on = trained(gpt, target_modules=("lm_head", "q_proj"))
    assert not merged_config(gpt).tied_embeddings
    assert torch.equal(merged_parameter(gpt, "model.embed_tokens.weight"), embedding)
    merge_adapter(gpt)
    torch.testing.assert_close(logits(gpt), on, rtol=1e-4, atol=1e-4)
    assert gpt.config == gpt.model.config == replace(CONFIG, tied_embeddings=False)
    assert torch.equal(gpt.model.embed_tokens.weight, embedding)


def test_merged_parameters_leave_the_model_alone(gpt: GPT) -> None:
    name = "model.layers.0.self_attn.q_proj.weight"
    before = gpt.get_parameter(name).clone()
    on = trained(gpt)
    assert not torch.equal(merged_parameter(gpt, name), before)
    assert torch.equal(gpt.get_parameter(name), before)
    assert torch.equal(logits(gpt), on)
    set_adapter_enabled(gpt, False)
    assert torch.equal(merged_parameter(gpt, name), before)


def test_scaling() -> None:
    settings = LoraSettings(
        rank=4, alpha=8, rank_pattern={"k_proj": 16}, alpha_pattern={"layers.1.mlp.up_proj": 2}
    )
    assert settings.scaling_of("model.layers.0.mlp.up_proj") == 2
    assert settings.scaling_of("model.layers.1.mlp.up_proj") == 0.5
    assert settings.scaling_of("model.layers.0.self_attn.k_proj") == 0.5
    assert settings.scaling_of("model.layers.0.self_attn.sk_proj") == 2
    assert LoraSettings(rank=4, alpha=8, rslora=True).scaling_of("x") == 4


def test_patterns_decide_layer_by_layer(gpt: GPT) -> None:
    settings = LoraSettings(
        rank=4, target_modules=("q_proj", "layers.1.mlp.up_proj"), rank_pattern={"up_proj": 2}
    )
    adapter = add_lora(gpt, settings)
    ranks = {name: layer.lora_A.shape[0] for name, layer in adapter.layers.items()}
    assert ranks == {
        "model.layers.0.self_attn.q_proj": 4,
        "model.layers.1.self_attn.q_proj": 4,
        "model.layers.1.mlp.up_proj": 2,
    }


def test_dropout_is_for_training(gpt: GPT) -> None:
    on = trained(gpt, dropout=0.5)
    assert torch.equal(logits(gpt), on)
    gpt.train()
    assert not torch.equal(logits(gpt), logits(gpt))


def test_gradients_reach_the_adapter_and_nothing_else(gpt: GPT) -> None:
    trained(gpt, target_modules=("v_proj",))
    gpt(IDS).square().mean().backward()
    with_gradient = {name for name, value in gpt.named_parameters() if value.grad is not None}
    assert len(with_gradient) == 2 * CONFIG.num_layers
    assert all(".v_proj.lora_" in name for name in with_gradient)


def test_half_precision_keeps_a_precise_adapter(gpt: GPT) -> None:
    gpt.to(torch.bfloat16)
    adapter = add_lora(gpt)
    assert {layer.lora_A.dtype for layer in adapter.layers.values()} == {torch.float32}
    assert logits(gpt).dtype == torch.bfloat16
    merge_adapter(gpt)
    assert {value.dtype for value in gpt.parameters()} == {torch.bfloat16}


def test_replaced_parameters_come_and_go(gpt: GPT) -> None:
    before, name = logits(gpt), "model.norm.weight"
    replacement = torch.full((CONFIG.hidden_size,), 0.5)
    install_adapter(gpt, Adapter({}), {name: replacement})
    on = logits(gpt)
    torch.testing.assert_close(on, before * 0.5)
    set_adapter_enabled(gpt, False)
    assert torch.equal(logits(gpt), before)
    merge_adapter(gpt)
    assert torch.equal(gpt.get_parameter(name), replacement)
    assert torch.equal(logits(gpt), on)


def test_a_copy_has_an_adapter_of_its_own(gpt: GPT) -> None:
    on = trained(gpt)
    other = copy.deepcopy(gpt)
    set_adapter_enabled(other, False)
    assert torch.equal(logits(gpt), on)
    assert not torch.equal(logits(other), on)


@pytest.mark.parametrize(
    "change",
    [
        {"rank": 0},
        {"rank": True},
        {"rank": 2.0},
        {"rank": 1 << 20},
        {"alpha": 0},
        {"alpha": float("nan")},
        {"dropout": 1.0},
        {"bias": "all"},
        {"target_modules": ()},
        {"target_modules": "q_proj"},
        {"rank_pattern": {"q_proj": -1}},
        {"alpha_pattern": {"q_proj": float("inf")}},
    ],
    ids=str,
)
def test_settings_are_checked(change: dict[str, object]) -> None:
    with pytest.raises(OptionError):
        LoraSettings(**change)  # type: ignore[arg-type]


def test_mistakes_are_told(gpt: GPT) -> None:
    with pytest.raises(OptionError, match="'c_attn'") as caught:
        add_lora(gpt, LoraSettings(target_modules=("q_proj", "c_attn")))
    assert "v_proj" in caught.value.hint
    for use in (remove_adapter, merge_adapter, lambda gpt: set_adapter_enabled(gpt, True)):
        with pytest.raises(EngineError, match="no adapter"):
            use(gpt)
    add_lora(gpt)
    with pytest.raises(EngineError, match="already"):
        add_lora(gpt)
