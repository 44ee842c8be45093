"""Errors travel between threads and processes whole, and the tree is as drawn."""

from __future__ import annotations

import pickle

import pytest

from gptdesk import cancel, errors


@pytest.mark.parametrize(
    "kind",
    [kind for kind in vars(errors).values() if isinstance(kind, type)],
    ids=lambda kind: kind.__name__,
)
def test_every_error_survives_pickling(kind: type[errors.GptDeskError]) -> None:
    copy = pickle.loads(pickle.dumps(kind("what", "do this", "0x1")))
    assert type(copy) is kind
    assert (copy.title, copy.hint, copy.details) == ("what", "do this", "0x1")


def test_text_of_an_error_is_title_and_hint() -> None:
    assert str(errors.DocumentError("It broke.", "Mend it.")) == "It broke.\nMend it."
    assert str(errors.DocumentError("It broke.")) == "It broke."


def test_every_error_is_drawn_in_the_tree() -> None:
    for name, kind in vars(errors).items():
        if isinstance(kind, type):
            assert name in (errors.__doc__ or "")


def test_a_set_flag_raises_and_a_missing_one_does_not() -> None:
    flag = cancel.ThreadCancelFlag()
    cancel.raise_if_cancelled(flag)
    cancel.raise_if_cancelled(None)
    cancel.raise_if_cancelled(cancel.NEVER)
    flag.set()
    with pytest.raises(errors.Cancelled):
        cancel.raise_if_cancelled(flag)
