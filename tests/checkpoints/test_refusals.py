"""Models that do not run are refused by name with the reason; code that comes along never runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from gptdesk.checkpoints.families import FAMILIES
from gptdesk.checkpoints.families.refusals import REASONS
from gptdesk.checkpoints.folder import resolve_folder
from gptdesk.checkpoints.inspection import inspect_model
from gptdesk.checkpoints.loader import load_gpt
from gptdesk.errors import UnsupportedModelError
from tests.helpers.damage import refused, set_config

AUTO_MAP = {"AutoModelForCausalLM": "modeling_evil.EvilForCausalLM"}


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("mixtral", "mixture of experts"),
        ("qwen2_moe", "mixture of experts"),
        ("qwen3_moe", "mixture of experts"),
        ("gpt_oss", "mixture of experts"),
        ("deepseek_v3", "mixture of experts"),
        ("t5", "encoder-decoder"),
        ("bart", "encoder-decoder"),
        ("bert", "encoder"),
        ("whisper", "not a model of text alone"),
        ("clip", "not a model of text alone"),
        ("llava", "not a model of text alone"),
        ("gemma3", "not a model of text alone"),
        ("vit", "not a model of text alone"),
        ("mamba", "state-space"),
    ],
)
def test_well_known_models_are_refused_with_the_reason(
    folder: Path, kind: str, reason: str
) -> None:
    set_config(folder, model_type=kind, auto_map=AUTO_MAP)
    message = refused(folder, UnsupportedModelError)
    assert repr(kind) in message
    assert reason in message


def test_none_that_runs_is_refused() -> None:
    assert FAMILIES.keys().isdisjoint(REASONS)


def test_an_unknown_model_is_named(folder: Path) -> None:
    set_config(folder, model_type="gpt99")
    assert "'gpt99'" in refused(folder, UnsupportedModelError)


def test_an_unknown_model_with_code_of_its_own(folder: Path) -> None:
    set_config(folder, model_type="gpt99", auto_map=AUTO_MAP)
    message = refused(folder, UnsupportedModelError)
    assert "'gpt99'" in message
    assert "auto_map" in message


def test_code_beside_a_known_model_is_left_alone(folder: Path, tmp_path: Path) -> None:
    set_config(folder, auto_map=AUTO_MAP)
    trap = tmp_path / "executed"
    code = f"open({str(trap)!r}, 'w')"
    (folder / "modeling_evil.py").write_text(code, "utf-8")
    (folder / "configuration_evil.py").write_text(code, "utf-8")
    _, warnings = load_gpt(resolve_folder(folder))
    assert any("auto_map" in warning for warning in warnings)
    assert warnings == list(inspect_model(folder).warnings)
    assert not trap.exists()
