"""`gptdesk.json` is read or refused, whatever is in it."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptdesk.checkpoints.experimental import Experimental
from gptdesk.errors import CheckpointError
from gptdesk.tasks.profile import ModelProfile, read_profile

GOOD = {
    "format_version": 1,
    "name": "Small",
    "languages": ["en", "zh"],
    "experimental": {"languages": ["zh"], "text_tokens": 700, "moods": ["sour"]},
    "tasks": {
        "summarize": {
            "template": "<|summarize|><|{form}|><|{language}|>{text}<|answer|>",
            "sampling": {"temperature": 0.0},
        },
        "classify": {"template": "<|classify|>{labels}{text}"},
    },
}


def write(folder: Path, data: Any) -> Path:
    text = data if isinstance(data, str) else json.dumps(data)
    (folder / "gptdesk.json").write_text(text, encoding="utf-8")
    return folder


def test_a_folder_without_a_profile(tmp_path: Path) -> None:
    assert read_profile(tmp_path) == ModelProfile()


def test_a_profile_of_an_older_version_names_no_weak_points(tmp_path: Path) -> None:
    older = {key: value for key, value in GOOD.items() if key != "experimental"}
    assert not read_profile(write(tmp_path, older)).experimental


def test_a_good_profile(tmp_path: Path) -> None:
    profile = read_profile(write(tmp_path, GOOD))
    assert profile.languages == ("en", "zh")
    assert profile.experimental == Experimental(("zh",), 700)
    assert profile.tasks["summarize"].sampling == {"temperature": 0.0}
    assert set(profile.tasks) == {"summarize", "classify"}


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"format_version": 2}, "format_version"),
        ({"languages": "en"}, "languages"),
        ({"languages": [1]}, "wrong type"),
        ({"name": 3}, "wrong type"),
        ({"experimental": ["de"]}, "languages or text_tokens"),
        ({"experimental": {"languages": "de"}}, r"experimental\.languages"),
        ({"experimental": {"languages": [1]}}, r"experimental\.languages"),
        ({"experimental": {"text_tokens": -1}}, r"experimental\.text_tokens"),
        ({"experimental": {"text_tokens": True}}, r"experimental\.text_tokens"),
        ({"experimental": {"text_tokens": 1.5}}, r"experimental\.text_tokens"),
        ({"tasks": []}, "wrong type"),
        ({"tasks": {"summarize": "x"}}, r"tasks\.summarize\.template"),
        ({"tasks": {"summarize": {"template": "x"}}}, "once"),
        ({"tasks": {"summarize": {"template": "{text}{text}"}}}, "once"),
        ({"tasks": {"summarize": {"template": "{langauge}{text}"}}}, "unknown {langauge}"),
        ({"tasks": {"translate": {"template": "{form}{text}"}}}, "unknown {form}"),
        ({"tasks": {"continue": {"template": "{text}", "sampling": {"heat": 1}}}}, "heat"),
        ({"tasks": {"continue": {"template": "{text}", "sampling": {"top_p": 7}}}}, "top_p"),
        ({"tasks": {"continue": {"template": "{text}", "sampling": 3}}}, "sampling"),
        ({"tasks": {"continue": {"template": "{text}", "sampling": {"stop": 3}}}}, "sampling"),
        ({"tasks": {"rewrite": {"template": "{text}", "certainty": 2}}}, "certainty"),
        ({"tasks": {"rewrite": {"template": "{text}", "certainty": True}}}, "certainty"),
        ({"tasks": {"rewrite": {"template": "{text}", "certainty": "0.5"}}}, "certainty"),
    ],
)
def test_a_wrong_profile_is_refused_by_name(
    tmp_path: Path, change: dict[str, Any], match: str
) -> None:
    with pytest.raises(CheckpointError, match=match) as raised:
        read_profile(write(tmp_path, GOOD | change))
    assert "gptdesk.json" in raised.value.title


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "[]", "null", "\x00"])
def test_broken_json(tmp_path: Path, text: str) -> None:
    with pytest.raises(CheckpointError):
        read_profile(write(tmp_path, text))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


KEYS = ("tasks", "languages", "experimental")


@given(st.fixed_dictionaries({"format_version": st.just(1), **dict.fromkeys(KEYS, JSON)}))
def test_any_profile_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: dict[str, Any]
) -> None:
    folder = write(tmp_path_factory.getbasetemp(), data)
    with contextlib.suppress(CheckpointError):
        assert isinstance(read_profile(folder), ModelProfile)
