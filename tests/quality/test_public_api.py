"""The public names: a list that other programs rely on, each documented."""

from __future__ import annotations

import inspect

import pytest

import gptdesk

PUBLIC = {
    "GptDeskError",
    "Sampling",
    "Token",
    "classify",
    "continue_text",
    "export_onnx",
    "inspect",
    "load",
    "read_document",
    "rewrite",
    "save",
    "summarize",
    "translate",
}


def test_the_list_is_the_promised_one() -> None:
    assert set(gptdesk.__all__) == PUBLIC
    assert len(gptdesk.__all__) == len(PUBLIC)


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_every_public_name_exists_and_has_a_docstring(name: str) -> None:
    thing = getattr(gptdesk, name)
    assert inspect.getdoc(thing)
    assert name in dir(gptdesk)


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_every_public_parameter_is_typed(name: str) -> None:
    thing = getattr(gptdesk, name)
    if not inspect.isfunction(thing):
        pytest.skip("a class; mypy sees to it")
    untyped = [
        parameter.name
        for parameter in inspect.signature(thing).parameters.values()
        if parameter.annotation is parameter.empty
    ]
    assert not untyped


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        gptdesk.no_such_name  # noqa: B018 - reading the attribute is the test
