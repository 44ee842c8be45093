"""`gptdesk finetune` as a person runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gptdesk.cli.main import main
from tests.training import corpus

FLAGS = ("--epochs", "0.5", "--context", "64", "--rank", "2", "--threads", "1")


@pytest.fixture(scope="module")
def novels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("novels")
    for number in range(2):
        (folder / f"{number}.md").write_text(corpus.document(number, 30), "utf-8")
    return folder


def test_a_style_is_learnt_and_written_in(
    tiny_llama_dir: Path, novels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "my-style"
    command = ["finetune", str(tiny_llama_dir), str(novels), "--out", str(out), *FLAGS]
    assert main([*command, "--json"]) == 0
    shown = capsys.readouterr()
    events = [json.loads(line)["event"] for line in shown.out.splitlines()]
    assert events[-2:] == ["FinetuneReport", "TrainingFinished"]
    assert shown.err == ""
    assert main(command) == 0
    shown = capsys.readouterr()
    assert f"{out}: " in shown.out
    assert "tokens that it has not seen:" in shown.out
    assert f"--model {tiny_llama_dir} --adapter {out}" in shown.out
    assert "finetune: unchanged" in shown.err
    page = tmp_path / "page.txt"
    page.write_text("The harbour lay open.", "utf-8")
    model = ("--model", str(tiny_llama_dir), "--adapter", str(out), "--max-new-tokens", "8")
    assert main(["continue", str(page), *model]) == 0
    assert capsys.readouterr().out.strip()


@pytest.mark.parametrize(
    ("flags", "code", "said"),
    [
        (("--rank", "0"), 2, "rank of an adapter cannot be 0"),
        (("--epochs", "-1"), 2, "epochs of a fine-tune cannot be -1.0"),
        (("--target-modules", "q_porj"), 2, "no linear layer named 'q_porj'"),
        (("--validation", "absent.txt"), 1, "no file or folder absent.txt"),
    ],
)
def test_mistakes_are_told(
    tiny_llama_dir: Path,
    novels: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    flags: tuple[str, ...],
    code: int,
    said: str,
) -> None:
    command = ["finetune", str(tiny_llama_dir), str(novels), "--out", str(tmp_path / "out")]
    assert main([*command, *FLAGS, *flags, "--json"]) == code
    shown = capsys.readouterr()
    assert said in shown.err
    if "q_porj" in flags or "absent.txt" in flags:
        assert json.loads(shown.out.splitlines()[-1])["event"] == "TrainingFailed"
