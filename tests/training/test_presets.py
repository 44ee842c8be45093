"""The named sizes and what may be changed about them."""

from __future__ import annotations

import pytest

from gptdesk.errors import OptionError
from gptdesk.training.config import ModelSettings
from gptdesk.training.presets import PRESETS, build_model_config, micro_rows


@pytest.mark.parametrize(
    ("name", "millions"), [("5m", 5), ("15m", 15), ("24m", 24), ("60m", 60), ("124m", 124)]
)
def test_a_preset_has_about_so_many_parameters(name: str, millions: int) -> None:
    settings = ModelSettings(preset=name)  # type: ignore[arg-type]
    config = build_model_config(settings, PRESETS[name].vocab_size)
    assert config.num_parameters / 1e6 == pytest.approx(millions, rel=0.06)
    assert config.head_dim == 64


def test_the_gpt2_layout_is_gpt2() -> None:
    config = build_model_config(ModelSettings(preset="124m", layout="gpt2"), 50_257)
    assert config.num_parameters == 124_439_808 - 512 * 768  # the original has 1,024 positions
    assert (config.position, config.norm, config.gated_mlp) == ("learned", "layernorm", False)


def test_keys_replace_parts_of_the_preset() -> None:
    settings = ModelSettings(preset="5m", hidden_size=384, num_layers=3, context_length=1024)
    config = build_model_config(settings, 8192)
    assert (config.hidden_size, config.num_layers, config.num_heads) == (384, 3, 6)
    assert config.intermediate_size == 1024
    assert config.num_kv_heads == 2


@pytest.mark.parametrize(
    "settings",
    [
        ModelSettings(num_heads=6, num_kv_heads=4),
        ModelSettings(head_dim=7),
        ModelSettings(layout="gpt2", num_heads=5),
        ModelSettings(layout="gpt2", num_kv_heads=1),
    ],
)
def test_an_impossible_shape_is_refused(settings: ModelSettings) -> None:
    with pytest.raises(OptionError, match=r"\[model\]"):
        build_model_config(settings, 8192)


def test_rows_of_one_pass_stay_within_the_step() -> None:
    assert micro_rows(512, 32) == 8
    assert micro_rows(512, 4) == 4
    assert micro_rows(100_000, 4) == 1
