"""Chunked cross-entropy equals the whole one, gradients included."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from gptdesk.model.gpt import GPT
from gptdesk.training import loss as loss_module
from gptdesk.training.batches import IGNORED
from gptdesk.training.loss import cross_entropy_sum
from tests.training.toy import CONFIG

CHANGES = {
    "plain": {},
    "tied": {"tied_embeddings": True},
    "capped": {"logit_softcap": 0.5},
    "divided": {"logit_divisor": 3.0},
    "biased": {"head_bias": True},
}


def _case(name: str) -> tuple[GPT, torch.Tensor, torch.Tensor]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        gpt = GPT(replace(CONFIG, **{"tied_embeddings": False, **CHANGES[name]}))
        hidden = torch.randn(3, 11, CONFIG.hidden_size, requires_grad=True)
        targets = torch.randint(0, CONFIG.vocab_size, (3, 11))
    targets[1, 4:] = -100
    return gpt, hidden, targets


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("chunk", [1, 8, 33, 1000])
@pytest.mark.parametrize("name", CHANGES)
def test_loss_and_gradients_are_those_of_whole_logits(
    name: str, chunk: int, compiled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Compiled code, of one shape, leaves out what does not count in another way."""
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: compiled)
    gpt, hidden, targets = _case(name)
    expected = F.cross_entropy(
        gpt.logits(hidden).flatten(0, 1), targets.flatten(), ignore_index=-100, reduction="sum"
    )
    wanted = torch.autograd.grad(expected / 7, [hidden, gpt.lm_head.weight])
    got = cross_entropy_sum(gpt, hidden, targets, chunk)
    torch.testing.assert_close(got, expected)
    for ours, theirs in zip(
        torch.autograd.grad(got / 7, [hidden, gpt.lm_head.weight]), wanted, strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)


def test_nothing_to_predict_costs_nothing() -> None:
    gpt, hidden, targets = _case("plain")
    loss = cross_entropy_sum(gpt, hidden, torch.full_like(targets, -100), 8)
    loss.backward()
    assert loss.item() == 0
    assert hidden.grad is not None
    assert not hidden.grad.any()


def test_an_impossible_target_gives_a_number() -> None:
    gpt, hidden, targets = _case("plain")
    with torch.no_grad():
        loss = cross_entropy_sum(gpt, hidden * 1e4, targets, 8)
    assert torch.isfinite(loss)


def test_half_precision_stays_near() -> None:
    gpt, hidden, targets = _case("plain")
    expected = cross_entropy_sum(gpt, hidden, targets, 8)
    got = cross_entropy_sum(gpt, hidden.bfloat16(), targets, 8)
    torch.testing.assert_close(got, expected, rtol=5e-3, atol=0)
    assert got.dtype == torch.float32


def test_no_gradient_is_computed_where_none_is_wanted() -> None:
    gpt, hidden, targets = _case("plain")
    gpt.requires_grad_(False)
    loss = cross_entropy_sum(gpt, hidden, targets, 8)
    loss.backward()
    assert hidden.grad is not None
    assert gpt.lm_head.weight.grad is None


def test_measuring_computes_no_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    gpt, hidden, targets = _case("plain")
    asked = []
    forward = loss_module._LinearCrossEntropy.forward

    def spy(ctx: Any, *args: Any) -> torch.Tensor:
        asked.append(any(ctx.needs_input_grad))
        return forward(ctx, *args)

    monkeypatch.setattr(loss_module._LinearCrossEntropy, "forward", staticmethod(spy))
    with torch.no_grad():
        cross_entropy_sum(gpt, hidden, targets, 8)
    assert asked == [False]


def test_logits_are_never_held_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    gpt, hidden, targets = _case("plain")
    sizes = []
    softmax = torch.softmax

    def spy(logits: torch.Tensor, dim: int) -> torch.Tensor:
        sizes.append(tuple(logits.shape))
        return softmax(logits, dim)

    monkeypatch.setattr(torch, "softmax", spy)
    cross_entropy_sum(gpt, hidden, targets, 8).backward()
    assert set(sizes) == {(8, CONFIG.vocab_size), (2, CONFIG.vocab_size)}
    assert sum(rows for rows, _ in sizes) == int((targets != IGNORED).sum())
