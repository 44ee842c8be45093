"""The catalogue finds what is there, two levels deep, and lists what is broken as such."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gptdesk import paths
from gptdesk.checkpoints.catalogue import list_models


@pytest.fixture(autouse=True)
def no_bundled_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "bundled_models_dir", lambda: tmp_path / "bundled")


def test_places_that_do_not_exist_are_empty() -> None:
    assert list_models([Path("/nowhere")]) == []


def test_bundled_own_and_other_models_are_found(tiny_llama_dir: Path, tmp_path: Path) -> None:
    homes = {
        "first": paths.bundled_models_dir() / "first",
        "second": paths.user_models_dir() / "second",
        "third": tmp_path / "extra" / "owner" / "third",
    }
    for home in homes.values():
        shutil.copytree(tiny_llama_dir, home)
    shutil.copytree(tiny_llama_dir, tmp_path / "extra" / "a" / "b" / "too-deep")
    shutil.copytree(tiny_llama_dir, tmp_path / "extra" / ".hidden")
    found = list_models([tmp_path / "extra"])
    assert [info.name for info in found] == list(homes)
    assert all(info.refusal == "" for info in found)


def test_a_folder_may_itself_be_a_model_and_comes_once(tiny_llama_dir: Path) -> None:
    found = list_models([tiny_llama_dir, tiny_llama_dir, tiny_llama_dir.parent])
    assert [info.path for info in found].count(tiny_llama_dir) == 1


def test_broken_models_are_listed_with_the_reason(tiny_llama_dir: Path, tmp_path: Path) -> None:
    broken = tmp_path / "extra" / "broken"
    shutil.copytree(tiny_llama_dir, broken)
    (broken / "model.safetensors").write_bytes(b"short")
    (info,) = list_models([tmp_path / "extra"])
    assert info.name == "broken"
    assert "model.safetensors" in info.refusal
