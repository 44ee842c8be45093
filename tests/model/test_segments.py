"""Documents packed into one row do not see each other."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from gptdesk.model.config import ModelConfig
from gptdesk.model.gpt import GPT

PLAIN = ModelConfig(
    architecture="llama",
    vocab_size=97,
    context_length=64,
    num_layers=2,
    hidden_size=32,
    num_heads=4,
    num_kv_heads=2,
    head_dim=8,
    intermediate_size=48,
)
CONFIGS = {
    "plain": PLAIN,
    "window": replace(PLAIN, sliding_window=5, full_attention_layers=(0,)),
    "capped": replace(PLAIN, attention_softcap=20.0),
}


@pytest.mark.parametrize("training", [True, False], ids=["training", "measuring"])
@pytest.mark.parametrize("name", CONFIGS)
def test_each_document_reads_as_if_it_stood_alone(name: str, training: bool) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        gpt = GPT(CONFIGS[name]).train(training).requires_grad_(False)
    lengths = (11, 1, 20)
    ids = torch.arange(sum(lengths))[None] * 5 % 97
    segments = torch.repeat_interleave(torch.arange(3), torch.tensor(lengths))[None]
    packed = gpt.model(ids, None, segments)
    # Rotary positions are relative, so where in the row a document begins does not matter.
    alone = torch.cat([gpt.model(part, None) for part in ids.split(lengths, dim=1)], dim=1)
    torch.testing.assert_close(packed, alone, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(gpt.model(ids, None)[:, 11:], alone[:, 11:], atol=1e-3)


def test_a_packed_training_step_can_be_compiled() -> None:
    torch._dynamo.reset()
    gpt = GPT(PLAIN)
    compiled = torch.compile(gpt.model, backend="eager", fullgraph=True)
    ids, segments = torch.arange(12)[None], (torch.arange(12) // 5)[None]
    torch.testing.assert_close(compiled(ids, None, segments), gpt.model(ids, None, segments))
