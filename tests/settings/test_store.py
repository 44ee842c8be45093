"""The settings file: forgiving to read, atomic to write."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptdesk.errors import GptDeskError, OptionError
from gptdesk.settings import Settings
from gptdesk.settings.definitions import SETTINGS


def test_a_missing_file_means_defaults(tmp_path: Path) -> None:
    settings = Settings.load(tmp_path / "settings.json")
    assert not settings.problems
    assert settings.get("editor.font_size") == SETTINGS["editor.font_size"].default


def test_values_survive_a_save_and_unknown_keys_too(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "settings.json"
    path.parent.mkdir()
    path.write_text('{"version": 1, "from.the.future": [1, 2]}')
    settings = Settings.load(path)
    settings.set("ui.theme", "dark")
    settings.save()
    assert Settings.load(path).get("ui.theme") == "dark"
    assert json.loads(path.read_text())["from.the.future"] == [1, 2]


def test_a_bad_value_falls_back_and_is_named(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"version": 1, "editor.font_size": "huge", "ui.theme": "dark"}')
    settings = Settings.load(path)
    assert settings.get("editor.font_size") == 17
    assert settings.get("ui.theme") == "dark"
    assert "editor.font_size" in settings.problems[0]


@pytest.mark.parametrize(
    "content", [b"{", b"[]", b"\xff\xfe\x00", b"[" * 100_000, b'{"version":99}']
)
def test_a_broken_file_is_kept_aside(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(content)
    settings = Settings.load(path)
    assert settings.problems
    assert path.with_suffix(".broken.json").read_bytes() == content


@given(st.dictionaries(st.sampled_from(sorted(SETTINGS)), st.none() | st.text() | st.integers()))
def test_no_content_makes_loading_fail(
    tmp_path_factory: pytest.TempPathFactory, data: dict
) -> None:
    path = tmp_path_factory.mktemp("settings") / "settings.json"
    path.write_text(json.dumps(data))
    settings = Settings.load(path)
    for key, setting in SETTINGS.items():
        setting.check(settings.get(key))


def test_a_value_out_of_range_is_refused(tmp_path: Path) -> None:
    settings = Settings.load(tmp_path / "settings.json")
    with pytest.raises(OptionError, match=r"editor\.font_size"):
        settings.set("editor.font_size", 500)


def test_get_hands_out_copies(tmp_path: Path) -> None:
    settings = Settings.load(tmp_path / "settings.json")
    settings.get("model.recent").append("x")
    assert settings.get("model.recent") == []


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    settings = Settings.load(tmp_path / "file" / "settings.json")
    with pytest.raises(GptDeskError, match="could not be saved"):
        settings.save()
