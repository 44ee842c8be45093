"""`gptdesk train` as a person runs it: example, progress, exit codes, Ctrl+C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gptdesk.cli.main import main
from gptdesk.cli.training_line import bar, duration, held_out_text, stage_text, step_text
from gptdesk.training.config import load_config
from gptdesk.training.events import Evaluated, StageProgress, StepDone
from tests.training import corpus

SHAPE = """
[model]
hidden_size = 16
num_layers = 2
head_dim = 4
context_length = 64
[tokenizer]
vocab_size = 400
"""


def write_config(folder: Path, steps: int) -> Path:
    corpus.write_folder(folder / "texts", 30)
    path = folder / "train.toml"
    path.write_text(
        f'[data]\ntrain = ["texts"]\n[schedule]\nmax_steps = {steps}\n[run]\nout = "model"\n'
        f'batch_tokens = 256\nlog_steps = 1\nprecision = "fp32"\nthreads = 1\n{SHAPE}'
    )
    return path


def test_the_example_is_a_configuration_for_a_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "--example", "Mes “textes” \\ 文"]) == 0
    path = tmp_path / "train.toml"
    path.write_text(capsys.readouterr().out, "utf-8")
    assert load_config(path).data.train_sources[0].path == str(tmp_path / "Mes “textes” \\ 文")


def test_a_model_is_made_and_then_found_finished(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_config(tmp_path, 3)
    assert main(["train", str(path)]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith(f"{tmp_path / 'model'}: 3 steps, held-out loss ")
    assert "pretrain: 1" in shown.err
    assert "\r" not in shown.err, "a log is no terminal"
    assert main(["info", str(tmp_path / "model")]) == 0
    capsys.readouterr()
    assert main(["train", str(path), "--json"]) == 0
    shown = capsys.readouterr()
    events = [json.loads(line) for line in shown.out.splitlines()]
    assert events[-1]["event"] == "TrainingFinished"
    assert events[-1]["reason"] == "done"
    assert shown.err == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train"], "--example"),
        (["train", "absent.toml"], "absent.toml cannot be read"),
        (["train", "{path}", "--from", "pretrian"], '"pretrian" is no stage'),
        (["train", "{path}", "--from", "save", "--to", "shards"], "comes after"),
    ],
)
def test_mistakes_are_usage_errors(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    path = write_config(tmp_path, 3)
    assert main([argument.format(path=path) for argument in arguments]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")
def test_ctrl_c_keeps_what_was_learnt_and_exits_130(tmp_path: Path) -> None:
    path = write_config(tmp_path, 100_000)
    command = [sys.executable, "-m", "gptdesk", "train", str(path), "--json"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as process:  # type: ignore[call-overload]
        assert any("StepDone" in line for line in process.stdout)
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=60)
        assert process.returncode == 130
        assert errors == ""
    last = json.loads(rest.splitlines()[-1])
    assert (last["event"], last["reason"]) == ("TrainingFinished", "cancelled")
    assert Path(last["path"]).name == f"step-{last['step']:08}"


def test_lines_about_progress() -> None:
    step = StepDone(50, 200, 3.21, 1e-3, 1.0, 9000, 4321.0, 3725.0)
    assert step_text("pretrain", step) == (
        "pretrain  █████░░░░░░░░░░░░░░░  25%  step 50/200  loss 3.210  4,321 tok/s  1:02:05 left"
    )
    assert "left" not in step_text("pretrain", StepDone(1, 0, 1.0, 0.0, 0.0, 1, 1.0))
    assert stage_text(StageProgress("collect", 1200, 0, "documents")) == "collect  1,200 documents"
    assert " 50%  documents" in stage_text(StageProgress("shards", 1, 2, "documents"))
    assert held_out_text(Evaluated(1, 2.0, 1.5)) == "held-out loss 2.000, 1.500 bits per byte"
    assert held_out_text(Evaluated(1, 2.0)) == "held-out loss 2.000"
    assert (bar(-1.0), bar(2.0)) == ("░" * 20, "█" * 20)
    assert duration(59.6) == "0:01:00"
