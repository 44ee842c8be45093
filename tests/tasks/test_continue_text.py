"""Continue: where it ends, what it sees, and the spaces around the cursor."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptdesk.cancel import ThreadCancelFlag
from gptdesk.errors import OptionError
from gptdesk.tasks.continue_text import ContinueOptions, ContinueTask
from gptdesk.tasks.profile import ModelProfile, TaskProfile
from gptdesk.text.tokenizer import Tokenizer
from tests.tasks.operations import TEMPLATES, AnsweringOperations, run_task

STORY = " wrote a letter. She walked along the harbour.\nThe storm was over. A boat came."


def test_sentence_ends_with_the_sentence(tokenizer: Tokenizer) -> None:
    ops = AnsweringOperations(tokenizer, lambda _: STORY)
    text, finished = run_task("continue", "The keeper", ops, length="sentence")
    assert text == " wrote a letter."
    assert finished.reason == "stop"


def test_a_full_stop_typed_by_the_writer_does_not_end_the_sentence(tokenizer: Tokenizer) -> None:
    ops = AnsweringOperations(tokenizer, lambda _: STORY)
    text, _ = run_task("continue", "He left. The keeper", ops, length="sentence")
    assert text == " wrote a letter."


def test_paragraph_ends_with_the_paragraph(tokenizer: Tokenizer) -> None:
    ops = AnsweringOperations(tokenizer, lambda _: STORY)
    text, _ = run_task("continue", "The keeper", ops, length="paragraph")
    assert text == " wrote a letter. She walked along the harbour."


def test_paragraph_may_begin_with_line_breaks(tokenizer: Tokenizer) -> None:
    ops = AnsweringOperations(tokenizer, lambda _: "\n\nThe storm was over.\n\nA boat")
    text, _ = run_task("continue", "The end.", ops, length="paragraph")
    assert text == "\n\nThe storm was over."


def test_page_goes_on_over_paragraphs_and_leaves_no_space_at_the_end(tokenizer: Tokenizer) -> None:
    ops = AnsweringOperations(tokenizer, lambda _: STORY + "\n\n ")
    text, _ = run_task("continue", "The keeper", ops, length="page")
    assert text == STORY


def test_a_long_paragraph_ends_with_a_sentence_before_the_limit(tokenizer: Tokenizer) -> None:
    ops = AnsweringOperations(tokenizer, lambda _: " She walked on." * 200)
    text, finished = run_task("continue", "First", ops, {"max_new_tokens": 50}, length="paragraph")
    assert text.endswith(" She walked on.")
    assert 0.7 * 50 <= finished.stats.new_tokens <= 50


def test_never_more_than_max_new_tokens(tokenizer: Tokenizer) -> None:
    ops = AnsweringOperations(tokenizer, lambda _: " word" * 500)
    _, finished = run_task("continue", "First", ops, {"max_new_tokens": 7}, length="page")
    assert finished.stats.new_tokens == 7
    assert finished.reason == "length"


@pytest.mark.parametrize(
    ("typed", "answer", "shown"),
    [
        ("The keeper ", " wrote", "wrote"),
        ("The keeper  ", " wrote", "wrote"),
        ("The keeper ", "  wrote", " wrote"),
        ("The keeper ", ", she", ", she"),
        ("The keep", "er wrote", "er wrote"),
        ("The keeper\t", " wrote", " wrote"),
        ("One.\n    ", "    two", "two"),
        ("看守人 ", "写信", "写信"),
    ],
)
def test_spaces_before_the_cursor(
    tokenizer: Tokenizer, typed: str, answer: str, shown: str
) -> None:
    ops = AnsweringOperations(tokenizer, lambda _: answer)
    text, _ = run_task("continue", typed, ops)
    assert text == shown
    assert ops.prompts == [typed.rstrip(" \t")]


@pytest.mark.parametrize("text", ["", "  ", "\t"])
def test_an_empty_document_begins_after_the_end_of_text(tokenizer: Tokenizer, text: str) -> None:
    for profile in (ModelProfile(), TEMPLATES):
        ops = AnsweringOperations(tokenizer, lambda _: "Once upon a time.", profile=profile)
        assert run_task("continue", text, ops)[0] == "Once upon a time."
        assert ops.prompts == ["<|endoftext|>"]


def test_an_empty_document_needs_a_token_to_begin_with(tokenizer: Tokenizer) -> None:
    class Endless(AnsweringOperations):
        def __init__(self) -> None:
            super().__init__(tokenizer, lambda _: "x", profile=ModelProfile())
            self.tokenizer = _WithoutEnd()  # type: ignore[assignment]

    class _WithoutEnd:
        end_ids: frozenset[int] = frozenset()

    with pytest.raises(OptionError, match="no text"):
        run_task("continue", "", Endless())


def test_chat_models_continue_plainly(chat_tokenizer: Tokenizer) -> None:
    ops = AnsweringOperations(chat_tokenizer, lambda _: " wrote.")
    run_task("continue", "The keeper", ops)
    assert ops.prompts == ["The keeper"]


def test_the_window_holds_the_end_of_a_long_text(tokenizer: Tokenizer) -> None:
    text = "\n\n".join(f"Paragraph {n} tells of the harbour and the boat." for n in range(400))
    ops = AnsweringOperations(tokenizer, lambda _: " And so on.", context_length=256)
    _, finished = run_task("continue", text, ops)
    start, end = finished.result["window"]
    assert text[start:end] == ops.prompts[0]
    assert end == len(text)
    assert text[start:].startswith("Paragraph")
    assert 0 < start < end


def test_a_full_context_moves_the_window_on(tokenizer: Tokenizer) -> None:
    ops = AnsweringOperations(tokenizer, lambda _: " more and more", context_length=64)
    text, finished = run_task(
        "continue", "Once. " * 100, ops, {"max_new_tokens": 100}, length="page"
    )
    assert finished.stats.new_tokens <= 100
    assert text.startswith("more")

    ops = AnsweringOperations(tokenizer, lambda _: " word" * 300, context_length=64)
    _, finished = run_task("continue", "Once. " * 100, ops, {"max_new_tokens": 100}, length="page")
    assert len(ops.prompts) > 1
    assert finished.stats.new_tokens == 100
    assert "word word" in ops.prompts[1]


def test_a_stopped_run_keeps_what_came(tokenizer: Tokenizer) -> None:
    flag = ThreadCancelFlag()
    ops = AnsweringOperations(tokenizer, lambda _: STORY, cancel=flag)
    task, options = ContinueTask(), ContinueOptions()
    events = []
    for event in task.run("The keeper", options, task.default_sampling(options, ops.profile), ops):
        events.append(event)
        if event.text:
            flag.set()
    assert "".join(event.text for event in events) == " wrote"
    assert events[-1].reason == "cancelled"  # type: ignore[attr-defined]


def test_the_chosen_length_decides_over_the_makers_advice() -> None:
    advice = {"temperature": 0.3, "max_new_tokens": 5}
    profile = ModelProfile(tasks={"continue": TaskProfile("{text}", advice)})
    sampling = ContinueTask().default_sampling(ContinueOptions("page"), profile)
    assert sampling.temperature == 0.3
    assert sampling.max_new_tokens == 600


@given(st.text(alphabet="ab .\n\t写。", max_size=60), st.text(alphabet="ab .\n写。", max_size=60))
def test_what_is_shown_is_what_came_but_for_its_edges(
    tokenizer: Tokenizer, typed: str, answer: str
) -> None:
    ops = AnsweringOperations(tokenizer, lambda _: answer)
    text, _ = run_task("continue", typed, ops, length="page")
    assert text in answer
    assert answer.startswith(text) or answer.lstrip(" \t").startswith(text.lstrip(" \t"))
