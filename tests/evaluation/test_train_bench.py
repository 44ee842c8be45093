"""The speed of training is measured step by step, in turns with the plain loop."""

from __future__ import annotations

import json

import pytest

from gptdesk.cli.main import main
from gptdesk.evaluation.train_bench import SHAPES, WAYS, measure_training
from gptdesk.training.speed import SHAPES as CONFIGS
from gptdesk.training.speed import Way, flops_per_token


def test_the_shapes_have_the_sizes_they_are_called_by() -> None:
    sizes = [round(CONFIGS[shape].num_parameters / 1e6, 1) for shape in SHAPES]
    assert sizes == pytest.approx([13.8, 33.3])


def test_every_way_can_be_asked_for() -> None:
    for name, way in WAYS.items():
        assert Way(shape="33M", **way).kind in ("steps", "trainer"), name


def test_operations_are_six_per_parameter_and_attention() -> None:
    config = CONFIGS["13.8M"]
    attention = 12 * 6 * 384 * 256
    assert flops_per_token(config) == 6 * config.num_parameters + attention


def test_a_way_that_fails_is_a_result_too() -> None:
    ways = {"good": {"kind": "trainer"}, "bad": {"device": "nowhere"}}
    good, bad = measure_training(("tiny",), ways, turns=1, threads=1)
    assert good.ratio > 0
    assert good.tokens_per_second > 0
    assert good.peak_megabytes > 100
    assert not good.problem
    assert "nowhere" in bad.problem


def test_unknown_names_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--train", "--shape", "1T"]) == 2
    assert main(["bench", "--train", "--way", "magic"]) == 2
    assert "magic" in capsys.readouterr().err
    assert json.dumps(dict(WAYS["trainer"])) == '{"kind": "trainer"}'
