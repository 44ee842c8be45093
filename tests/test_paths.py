"""Where files live: one variable or option moves all user data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gptdesk import logs, paths

PLACES = (paths.config_dir, paths.data_dir, paths.cache_dir, paths.log_dir)


@pytest.fixture(autouse=True)
def _default_profile() -> Iterator[None]:
    yield
    paths.set_profile(None)


def test_shipped_folders_are_there() -> None:
    assert (paths.resources_dir() / "themes" / "light.toml").is_file()
    assert paths.default_model_dir().parent == paths.bundled_models_dir()


def test_the_variable_moves_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPTDESK_HOME", str(tmp_path))
    assert len({place() for place in PLACES}) == len(PLACES)
    assert all(place().is_relative_to(tmp_path) for place in PLACES)


def test_the_profile_wins_over_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPTDESK_HOME", str(tmp_path / "variable"))
    paths.set_profile(tmp_path / "profile")
    assert all(place().is_relative_to(tmp_path / "profile") for place in PLACES)


def test_without_both_the_platform_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GPTDESK_HOME")
    assert all("gptdesk" in str(place()) for place in PLACES)


def test_the_log_goes_to_its_folder() -> None:
    path = logs.setup()
    assert path == paths.log_dir() / "gptdesk.log"
    logs.setup(to_file=False)


def test_a_log_folder_that_cannot_be_made_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GPTDESK_HOME", str(tmp_path / "file"))
    assert logs.setup() is None
    logs.setup(to_file=False)
