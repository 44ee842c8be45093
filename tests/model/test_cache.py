"""The KV cache changes nothing but the time it takes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from gptdesk.model.cache import KVCache
from gptdesk.model.config import ModelConfig
from gptdesk.model.gpt import GPT
from gptdesk.model.rope_scaling import YarnScaling

IDS = [7 * i % 97 for i in range(300)]

CONFIGS = {
    "llama": ModelConfig(
        architecture="llama",
        vocab_size=97,
        context_length=300,
        num_layers=2,
        hidden_size=32,
        num_heads=4,
        num_kv_heads=2,
        head_dim=8,
        intermediate_size=48,
    ),
    "gpt2": ModelConfig(
        architecture="gpt2",
        vocab_size=97,
        context_length=300,
        num_layers=2,
        hidden_size=32,
        num_heads=4,
        num_kv_heads=4,
        head_dim=8,
        intermediate_size=64,
        norm="layernorm",
        activation="gelu_tanh",
        gated_mlp=False,
        position="learned",
        qkv_bias=True,
        attention_output_bias=True,
        mlp_bias=True,
        tied_embeddings=True,
        scale_by_layer=True,
    ),
}
CONFIGS["window in one layer"] = replace(
    CONFIGS["llama"], sliding_window=20, full_attention_layers=(0,)
)
CONFIGS["normalised queries and keys"] = replace(CONFIGS["llama"], qk_norm="head")
CONFIGS["window and YaRN"] = replace(
    CONFIGS["llama"],
    sliding_window=2,
    rope_scaling=YarnScaling(factor=4.0, original_context=64, attention_factor=1.3),
)


@pytest.fixture(params=CONFIGS)
def gpt(request: pytest.FixtureRequest) -> GPT:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        return GPT(CONFIGS[request.param]).eval().requires_grad_(False)


def new_cache(gpt: GPT) -> KVCache:
    return KVCache(gpt.config, torch.float32, torch.device("cpu"))


def feed(gpt: GPT, cache: KVCache | None, ids: list[int], chunk: int) -> torch.Tensor:
    """Logits (len(ids), vocab_size), fed `chunk` tokens at a time."""
    parts = [
        gpt(torch.tensor([ids[start : start + chunk]]), cache)[0]
        for start in range(0, len(ids), chunk)
    ]
    return torch.cat(parts)


@pytest.mark.parametrize("chunk", [1, 7, 64, 300])
def test_any_chunks_give_the_logits_of_one_pass(gpt: GPT, chunk: int) -> None:
    whole = gpt(torch.tensor([IDS]))[0]
    cache = new_cache(gpt)
    torch.testing.assert_close(feed(gpt, cache, IDS, chunk), whole, rtol=1e-4, atol=1e-5)
    assert cache.length == len(IDS)


def test_truncate_and_go_on_equals_a_fresh_start(gpt: GPT) -> None:
    cache = new_cache(gpt)
    feed(gpt, cache, IDS[:250], 64)
    cache.truncate(100)
    other = [96 - token for token in IDS[:120]]
    continued = feed(gpt, cache, other, 7)
    fresh = gpt(torch.tensor([IDS[:100] + other]))[0, 100:]
    torch.testing.assert_close(continued, fresh, rtol=1e-4, atol=1e-5)


def test_truncating_beyond_the_end_changes_nothing(gpt: GPT) -> None:
    cache = new_cache(gpt)
    feed(gpt, cache, IDS[:10], 10)
    cache.truncate(50)
    assert cache.length == 10


def test_growing_keeps_what_is_held_and_never_passes_the_context(gpt: GPT) -> None:
    cache = new_cache(gpt)
    assert cache.capacity == 0
    feed(gpt, cache, IDS[:10], 10)
    assert cache.capacity == 256
    cache.reserve(257)
    assert cache.capacity == 300


def test_failing_to_grow_leaves_the_cache_usable(gpt: GPT, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = new_cache(gpt)
    feed(gpt, cache, IDS[:250], 250)
    allocate = torch.Tensor.new_empty
    calls = []

    def second_fails(self: torch.Tensor, *shape: object) -> torch.Tensor:
        calls.append(shape)
        if len(calls) == 2:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return allocate(self, *shape)

    with monkeypatch.context() as patch:
        patch.setattr(torch.Tensor, "new_empty", second_fails)
        with pytest.raises(RuntimeError):
            feed(gpt, cache, IDS[250:], 50)
    whole = gpt(torch.tensor([IDS]))[0]
    torch.testing.assert_close(feed(gpt, cache, IDS[250:], 50), whole[250:], rtol=1e-4, atol=1e-5)


def test_only_the_wanted_positions_are_projected(gpt: GPT) -> None:
    ids = torch.tensor([IDS[:20]])
    assert gpt(ids, last=3).shape == (1, 3, 97)
    torch.testing.assert_close(gpt(ids, last=3), gpt(ids)[:, -3:])


def test_training_attention_computes_the_same(gpt: GPT) -> None:
    ids = torch.tensor([IDS[:50], IDS[50:100]])
    expected = gpt(ids)
    torch.testing.assert_close(gpt.train()(ids), expected, rtol=1e-4, atol=1e-5)


# Between them, these have everything that the others have; tracing takes seconds.
@pytest.mark.parametrize(
    "gpt", ["gpt2", "normalised queries and keys", "window and YaRN"], indirect=True
)
def test_a_training_step_can_be_compiled(gpt: GPT) -> None:
    torch._dynamo.reset()
    gpt.train().requires_grad_(True)
    ids = torch.arange(12)[None]
    # The eager backend traces like the others and generates no code, which would take a minute.
    compiled = torch.compile(gpt, backend="eager", fullgraph=True)
    compiled(ids).sum().backward()
    torch.testing.assert_close(compiled(ids), gpt(ids))
    assert all(weight.grad is not None for weight in gpt.parameters())
