"""`--adapter` of the commands, and `gptdesk info` on an adapter."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gptdesk.cli.main import main
from tests.helpers import adapters

Run = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def adapter_dir(tiny_llama_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("adapters") / "letters"
    return adapters.write(tiny_llama_dir, folder, r=4, target_modules="all-linear")


def run(capsys: Run, *arguments: object) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of one command."""
    code = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_info_says_what_an_adapter_is_and_for_which_model(
    capsys: Run, adapter_dir: Path, tiny_llama_dir: Path
) -> None:
    code, out, _ = run(capsys, "info", adapter_dir)
    assert code == 0
    for told in ("LoRA adapter", f"made for     {tiny_llama_dir}", "rank         4", "q_proj"):
        assert told in out
    assert "held whole" not in out
    code, out, _ = run(capsys, "info", adapter_dir / adapters.WEIGHTS, "--json")
    assert code == 0
    assert json.loads(out)["ranks"] == [4]


def test_a_text_and_an_export_with_the_adapter_are_the_same(
    capsys: Run, adapter_dir: Path, tiny_llama_dir: Path, tmp_path: Path
) -> None:
    page = tmp_path / "page.txt"
    page.write_text("The harbour lay open.", encoding="utf-8")
    merged = tmp_path / "merged"
    code, out, _ = run(capsys, "export", tiny_llama_dir, merged, "--adapter", adapter_dir)
    assert (code, "the same text" in out) == (0, True)
    flags = ("--temperature", 0, "--max-new-tokens", 16, "--json")
    texts = []
    for model in ((tiny_llama_dir,), (tiny_llama_dir, "--adapter", adapter_dir), (merged,)):
        code, out, _ = run(capsys, "continue", page, *flags, "--model", *model)
        assert code == 0
        texts.append(json.loads(out)["text"])
    assert texts[0] != texts[1] == texts[2]


def test_bench_takes_an_adapter(capsys: Run, adapter_dir: Path, tiny_llama_dir: Path) -> None:
    sizes = ("--prompt-tokens", 8, "--new-tokens", 4, "--runs", 1, "--json")
    code, out, _ = run(capsys, "bench", tiny_llama_dir, "--adapter", adapter_dir, *sizes)
    assert code == 0
    assert json.loads(out)["decode_tokens_per_second"] > 0


def test_an_adapter_alone_is_no_model(capsys: Run, adapter_dir: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.txt"
    page.write_text("The harbour lay open.", encoding="utf-8")
    code, _, err = run(capsys, "continue", page, "--model", adapter_dir)
    assert code == 1
    assert "is an adapter and not a whole model" in err
    assert "put the adapter on it" in err
