"""The catalogue finds what is there, two levels deep, and lists what is broken as such."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gptdesk import paths
from gptdesk.checkpoints.catalogue import list_models
from gptdesk.checkpoints.inspection import inspect_model


@pytest.fixture(autouse=True)
def no_bundled_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "bundled_models_dir", lambda: tmp_path / "bundled")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))


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


def _download(model: Path, revision: str, *, main: bool) -> Path:
    """Lay a model out as the download cache does: snapshots of links into blobs."""
    repository = paths.hub_cache_dir() / "models--owner--tiny"
    snapshot = repository / "snapshots" / revision
    snapshot.mkdir(parents=True)
    (repository / "blobs").mkdir(exist_ok=True)
    for file in model.iterdir():
        blob = repository / "blobs" / f"{revision}-{file.name}"
        shutil.copyfile(file, blob)
        (snapshot / file.name).symlink_to(Path("../../blobs") / blob.name)
    if main:
        (repository / "refs").mkdir()
        (repository / "refs" / "main").write_text(revision, "ascii")
    return snapshot


def test_downloads_are_found_in_their_main_revision(tiny_llama_dir: Path) -> None:
    wanted = _download(tiny_llama_dir, "aaa", main=True)
    _download(tiny_llama_dir, "bbb", main=False)
    (info,) = list_models()
    assert (info.path, info.name, info.refusal) == (wanted, "owner/tiny", "")


def test_the_folder_of_a_download_stands_for_its_main_revision(tiny_llama_dir: Path) -> None:
    snapshot = _download(tiny_llama_dir, "aaa", main=True)
    _download(tiny_llama_dir, "bbb", main=False)
    repository = snapshot.parent.parent
    assert inspect_model(repository) == inspect_model(snapshot)
    (repository / "refs" / "main").write_text("gone", "ascii")
    assert inspect_model(repository).path.name == "bbb"


def test_a_link_out_of_a_download_is_refused(tiny_llama_dir: Path, tmp_path: Path) -> None:
    snapshot = _download(tiny_llama_dir, "aaa", main=True)
    weights = snapshot / "model.safetensors"
    weights.unlink()
    weights.symlink_to(tiny_llama_dir / "model.safetensors")
    (info,) = list_models()
    assert "outside" in info.refusal


def test_what_is_added_later_is_found_without_a_restart(
    tiny_llama_dir: Path, tmp_path: Path
) -> None:
    assert list_models([tmp_path / "extra"]) == []
    shutil.copytree(tiny_llama_dir, tmp_path / "extra" / "new")
    assert [info.name for info in list_models([tmp_path / "extra"])] == ["new"]


def test_what_cannot_be_loaded_comes_last(tiny_llama_dir: Path, tmp_path: Path) -> None:
    for name in ("a-broken", "b-fine"):
        shutil.copytree(tiny_llama_dir, tmp_path / "extra" / name)
    (tmp_path / "extra" / "a-broken" / "config.json").write_text("{", "utf-8")
    assert [info.name for info in list_models([tmp_path / "extra"])] == ["b-fine", "a-broken"]
