"""`gptdesk models | info | export | bench | doctor`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from gptdesk import paths
from gptdesk.cli.main import main

Run = pytest.CaptureFixture[str]


def run(capsys: Run, *arguments: object) -> tuple[int, str]:
    """Exit code and stdout of one command."""
    code = main([str(argument) for argument in arguments])
    return code, capsys.readouterr().out


def test_info_shows_what_the_headers_say(capsys: Run, tiny_llama_dir: Path) -> None:
    code, out = run(capsys, "info", tiny_llama_dir, "--json")
    config = json.loads((tiny_llama_dir / "config.json").read_text())
    data = json.loads(out)
    assert code == 0
    assert data["architecture"] == "llama"
    assert data["vocab_size"] == config["vocab_size"]
    assert data["refusal"] == ""
    code, out = run(capsys, "info", tiny_llama_dir)
    assert code == 0
    assert f"{data['parameters']:,}" in out


def test_a_dash_is_the_bundled_model(capsys: Run) -> None:
    code, out = run(capsys, "info", "-", "--json")
    assert code == 0
    assert json.loads(out)["path"] == str(paths.default_model_dir())


def test_models_lists_the_bundled_one_and_extra_folders(capsys: Run, tiny_gpt2_dir: Path) -> None:
    code, out = run(capsys, "models", "--folder", tiny_gpt2_dir.parent, "--json")
    found = {Path(entry["path"]) for entry in json.loads(out)}
    assert code == 0
    assert {paths.default_model_dir(), tiny_gpt2_dir} <= found


def test_an_export_continues_with_the_same_text(
    capsys: Run, tiny_llama_dir: Path, tmp_path: Path
) -> None:
    out_dir, page = tmp_path / "export", tmp_path / "page.txt"
    page.write_text("The harbour lay open.")
    code, out = run(capsys, "export", tiny_llama_dir, out_dir)
    assert code == 0
    assert "the same text" in out
    flags = ("--temperature", 0, "--max-new-tokens", 24, "--json")
    texts = [
        json.loads(run(capsys, "continue", page, "--model", model, *flags)[1])["text"]
        for model in (tiny_llama_dir, out_dir)
    ]
    assert texts[0] == texts[1]


def test_an_export_never_replaces_files(capsys: Run, tiny_gpt2_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("x")
    code, _ = run(capsys, "export", tiny_gpt2_dir, tmp_path)
    assert code == 1
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_bench_measures_the_engine_it_was_given(capsys: Run, tiny_gpt2_dir: Path) -> None:
    flags = ("--prompt-tokens", 32, "--new-tokens", 4, "--runs", 1)
    code, out = run(capsys, "bench", tiny_gpt2_dir, *flags, "--json")
    data = json.loads(out)
    assert code == 0
    assert data["engine"] == "torch"
    assert data["decode_tokens_per_second"] > 0
    assert data["rss_megabytes"] > 0 or sys.platform == "win32"
    assert run(capsys, "bench", tiny_gpt2_dir, *flags)[0] == 0


def test_bench_refuses_what_does_not_fit(capsys: Run, tiny_gpt2_dir: Path) -> None:
    assert run(capsys, "bench", tiny_gpt2_dir, "--prompt-tokens", 10**6)[0] == 2
    assert run(capsys, "bench", tiny_gpt2_dir, "--runs", 0)[0] == 2


def test_doctor_finds_this_installation_sound(capsys: Run) -> None:
    code, out = run(capsys, "doctor", "--json")
    checks = {check["name"]: check for check in json.loads(out)}
    assert code == 0, [check for check in checks.values() if not check["ok"]]
    assert {"torch", "tokenizers", "resources", "settings", "bundled model"} <= set(checks)


def test_doctor_reports_a_folder_that_cannot_be_written(
    capsys: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GPTDESK_HOME", str(tmp_path / "file"))
    code, out = run(capsys, "doctor")
    assert code == 1
    assert "BAD settings" in out
