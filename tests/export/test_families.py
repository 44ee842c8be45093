"""Every family in every shape, exported in both variants, writes what torch writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from gptdesk.checkpoints.folder import resolve_folder
from gptdesk.engines.base import Engine
from gptdesk.engines.onnx_engine import open_onnx
from gptdesk.engines.torch_engine import open_torch
from gptdesk.export.onnx_export import export_onnx
from gptdesk.export.onnx_format import VARIANTS
from tests.helpers import families

PROMPT = list(range(40, 70))


@pytest.fixture(
    scope="module", params=[name for name in families.SHAPES if name != families.LONG_TEXTS_ONLY]
)
def source(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return families.write(request.param, tmp_path_factory.mktemp("family") / "model")


def greedy(engine: Engine, count: int) -> list[int]:
    logits = engine.extend(PROMPT)
    chosen: list[int] = []
    for _ in range(count):
        chosen.append(int(logits[-1].argmax()))
        logits = engine.extend([chosen[-1]])
    engine.close()
    return chosen


def agrees(engine: Engine, text: list[int]) -> bool:
    """Whether the engine would write this text greedily too: one pass tells, step by step."""
    logits = engine.extend(PROMPT + text[:-1], last=len(text))
    engine.close()
    return logits.argmax(axis=-1).tolist() == text


def test_a_window_gives_the_portable_variant_and_says_so(tmp_path: Path) -> None:
    source = families.write("mistral with a window", tmp_path / "model")
    report = export_onnx(source, tmp_path / "out", variant="fast")
    assert report.variant == "portable"
    assert "window of 24" in report.warnings[0]


@pytest.mark.parametrize("variant", VARIANTS)
def test_200_tokens_of_greedy_text_equal_torchs(source: Path, variant: str, tmp_path: Path) -> None:
    report = export_onnx(source, tmp_path / "out", variant=variant)
    exported, warnings = open_onnx(resolve_folder(tmp_path / "out"), device="cpu", threads=1)
    original, _ = open_torch(resolve_folder(source), device="cpu", dtype="fp32")
    assert (report.greedy_equal, warnings) == (True, [])
    assert report.max_difference < 1e-5
    count = min(200, exported.info.context_length - len(PROMPT))
    assert agrees(original, greedy(exported, count))


def test_an_export_ends_where_positions_depend_on_the_length(tmp_path: Path) -> None:
    source = families.write("phi3 for long texts", tmp_path / "model")
    report = export_onnx(source, tmp_path / "out")
    assert resolve_folder(tmp_path / "out").config.context_length == 128
    assert any("attends to 128 tokens" in warning for warning in report.warnings)
