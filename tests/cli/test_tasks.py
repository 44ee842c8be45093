"""`gptdesk continue | summarize | translate | rewrite` on a real checkpoint."""

from __future__ import annotations

import io
import json
import shutil
import sys
from pathlib import Path

import pytest

from gptdesk.cli.main import main

Run = pytest.CaptureFixture[str]


class Stdin:
    """Standard input with these bytes."""

    def __init__(self, data: bytes) -> None:
        self.buffer = io.BytesIO(data)


def run(capsys: Run, *arguments: object) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of one command."""
    code = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.txt"
    path.write_text("The harbour lay open. Boats leaned on their keels.", encoding="utf-8")
    return path


@pytest.mark.parametrize("task", ["continue", "summarize", "translate", "rewrite"])
def test_text_goes_to_stdout_and_nothing_else(
    capsys: Run, tiny_llama_dir: Path, page: Path, task: str
) -> None:
    code, out, err = run(
        capsys, task, page, "--model", tiny_llama_dir, "--seed", 1, "--max-new-tokens", 12
    )
    assert (code, err) == (0, "")
    assert out.endswith("\n")


def test_the_same_seed_gives_the_same_text(capsys: Run, tiny_gpt2_dir: Path, page: Path) -> None:
    flags = ("--model", tiny_gpt2_dir, "--max-new-tokens", 16, "--temperature", 1.5)
    first = run(capsys, "continue", page, *flags, "--seed", 7)
    assert first == run(capsys, "continue", page, *flags, "--seed", 7)
    assert first != run(capsys, "continue", page, *flags, "--seed", 8)


def test_json_carries_text_and_figures(capsys: Run, tiny_gpt2_dir: Path, page: Path) -> None:
    flags = ("--model", tiny_gpt2_dir, "--max-new-tokens", 8, "--seed", 1)
    _, plain, _ = run(capsys, "continue", page, *flags)
    code, out, _ = run(capsys, "continue", page, *flags, "--json")
    data = json.loads(out)
    assert code == 0
    assert data["text"].rstrip("\n") == plain.rstrip("\n")
    assert data["stats"]["seed"] == 1
    assert 0 < data["stats"]["new_tokens"] <= 8


def test_a_dash_reads_standard_input_in_any_encoding(
    capsys: Run, tiny_gpt2_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flags = ("--model", tiny_gpt2_dir, "--max-new-tokens", 8, "--seed", 1)
    outputs = []
    for encoding in ("utf-8", "utf-16"):
        monkeypatch.setattr(sys, "stdin", Stdin("潮水退得很远。".encode(encoding)))
        outputs.append(run(capsys, "continue", "-", *flags))
    assert outputs[0][0] == 0
    assert outputs[0] == outputs[1]


@pytest.mark.parametrize("quiet", [False, True])
def test_weak_points_are_told_on_stderr(
    capsys: Run, tiny_llama_dir: Path, tmp_path: Path, page: Path, quiet: bool
) -> None:
    folder = Path(shutil.copytree(tiny_llama_dir, tmp_path / "weak"))
    declared = {"format_version": 1, "experimental": {"languages": ["de"], "text_tokens": 3}}
    (folder / "gptdesk.json").write_text(json.dumps(declared), "utf-8")
    flags = ("--model", folder, "--max-new-tokens", 8, *(["--quiet"] if quiet else []))
    code, out, err = run(capsys, "translate", page, "--target", "de", *flags)
    assert code == 0
    assert out.strip()
    assert ("German is experimental" in err) != quiet
    assert ("--model" in err) != quiet
    assert ("long" in run(capsys, "summarize", page, *flags)[2]) != quiet
    assert run(capsys, "translate", page, "--target", "fr", *flags)[2] == ""
    shown = run(capsys, "info", folder)[1]
    assert "experimental de, texts of more than 3 tokens" in shown


def test_a_missing_model_is_one_clear_message(capsys: Run, page: Path, tmp_path: Path) -> None:
    code, out, err = run(capsys, "continue", page, "--model", tmp_path / "nowhere")
    assert (code, out) == (1, "")
    assert err.startswith("gptdesk: ")
    assert "nowhere" in err
    assert "Traceback" not in err


def test_a_missing_text_is_one_clear_message(capsys: Run, tiny_gpt2_dir: Path) -> None:
    code, _, err = run(capsys, "summarize", "no-such-file.txt", "--model", tiny_gpt2_dir)
    assert code == 1
    assert "no-such-file.txt" in err


@pytest.mark.parametrize(
    "flags",
    [
        ("--temperature", "-1"),
        ("--top-p", "1.5"),
        ("--logit-bias", "frog"),
        ("--max-new-tokens", "0"),
    ],
)
def test_a_value_out_of_range_is_a_usage_error(
    capsys: Run, tiny_gpt2_dir: Path, page: Path, flags: tuple[str, str]
) -> None:
    code, _, err = run(capsys, "continue", page, "--model", tiny_gpt2_dir, *flags)
    assert code == 2
    assert err.startswith("gptdesk: ")


def test_an_unknown_flag_is_a_usage_error(capsys: Run, page: Path) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["continue", str(page), "--warmth", "3"])
    assert stop.value.code == 2


@pytest.mark.parametrize("name", ["chat", "classify"])
def test_what_is_not_built_says_so(capsys: Run, name: str) -> None:
    code, _, err = run(capsys, name, "whatever", "--flag")
    assert code == 1
    assert f"gptdesk {name}" in err
    assert "not in this version" in err
