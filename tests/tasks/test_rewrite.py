"""Rewriting changes words and nothing else, and keeps what a model spoils."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gptdesk.cancel import ThreadCancelFlag
from gptdesk.errors import ContextOverflowError, OptionError
from gptdesk.generation.events import Finished, Text
from gptdesk.tasks.profile import ModelProfile
from gptdesk.tasks.rewrite import RewriteOptions, RewriteTask
from gptdesk.text.tokenizer import Tokenizer
from tests.tasks.operations import TEMPLATES, AnsweringOperations, run_task
from tests.tasks.test_translate import NOTES, TEXTS, WRAPPED


def asked(prompt: str) -> str:
    """The text that a prompt in any style asks to rewrite."""
    found = re.search(r"<text_*>\n(.*)\n</text", prompt, re.DOTALL)
    found = found or re.search(r"<\|im_start\|>rewrite \w+\n(.*)<\|im_end\|>", prompt, re.DOTALL)
    found = found or re.search(r"\n\nOriginal: ([^\n]*)\n\w+:$", prompt)
    found = found or re.search(r"\n\n原文：([^\n]*)\n..：$", prompt)
    assert found, prompt
    return found[1]


def rewrite(
    text: str,
    tokenizer: Tokenizer,
    answer: Callable[[str], str],
    profile: ModelProfile = TEMPLATES,
    **options: str,
) -> tuple[str, Finished, AnsweringOperations]:
    ops = AnsweringOperations(tokenizer, lambda p: answer(asked(p)), profile=profile)
    rewritten, finished = run_task("rewrite", text, ops, **options)
    return rewritten, finished, ops


def corrected(text: str) -> str:
    """A model that knows three mistakes."""
    for wrong, right in (("recieve", "receive"), ("the the", "the"), ("在哪里住", "在那里住")):
        text = text.replace(wrong, right)
    return text


@pytest.mark.parametrize("style", ["template", "chat", "plain"])
@pytest.mark.parametrize("manner", ["proofread", "simplify"])
def test_a_right_text_stays_as_it_is(
    style: str, manner: str, tokenizer: Tokenizer, chat_tokenizer: Tokenizer
) -> None:
    profile = TEMPLATES if style == "template" else ModelProfile()
    used = chat_tokenizer if style == "chat" else tokenizer
    for text in (NOTES, WRAPPED, "早晨的港口很安静。 他走了。\n\n  - 没有人"):
        rewritten, finished, _ = rewrite(text, used, str, profile, style=manner)
        assert rewritten == text
        assert finished.result["changed"] == 0
        assert finished.result["changes"] == []
        assert finished.result["notes"] == []
        for a, b, c, d in finished.result["alignment"]:
            assert text[a:b] == rewritten[c:d]


def test_mistakes_are_corrected_and_told(tokenizer: Tokenizer) -> None:
    text = "Did you recieve it? Yes.\n\n- We walked to the the harbour, 他在哪里住了十年。"
    rewritten, finished, _ = rewrite(text, tokenizer, corrected)
    assert rewritten == corrected(text)
    told = [(text[a:b], rewritten[c:d]) for a, b, c, d in finished.result["changes"]]
    assert told == [("recieve", "receive"), ("the ", ""), ("哪", "那")]
    assert finished.result["changed"] == 2
    assert finished.result["style"] == "proofread"


def test_sentences_are_asked_for_one_by_one(tokenizer: Tokenizer) -> None:
    _, _, ops = rewrite("He came home. Why not?\n| a cell | another |", tokenizer, str)
    texts = [asked(prompt) for prompt in ops.prompts]
    assert texts == ["He came home.", "Why not?", "a cell", "another"]
    assert all("rewrite proofread" in prompt for prompt in ops.prompts)


def test_a_chat_model_is_given_whole_lines(chat_tokenizer: Tokenizer) -> None:
    _, _, ops = rewrite("He came. Why not?\n\nIt ended.", chat_tokenizer, str, ModelProfile())
    assert [asked(prompt) for prompt in ops.prompts] == ["He came. Why not?", "It ended."]


def test_a_sentence_keeps_its_links_and_is_not_cut_at_them(tokenizer: Tokenizer) -> None:
    text = "See https://example.org/page. Use `x. Y = 1` to recieve more."
    _, _, ops = rewrite(text, tokenizer, corrected)
    assert [asked(prompt) for prompt in ops.prompts] == [
        "See https://example.org/page.",
        "Use `x. Y = 1` to recieve more.",
    ]


def test_damage_to_links_and_numbers_is_taken_back(tokenizer: Tokenizer) -> None:
    text = "In 1962 the ferry did recieve 48,317 people, see https://example.org/teh?x=1 for all."

    def spoil(words: str) -> str:
        return corrected(words).replace("48,317", "48,371").replace("teh", "the")

    rewritten, finished, _ = rewrite(text, tokenizer, spoil)
    assert rewritten == corrected(text)
    (note,) = finished.result["notes"]
    assert "changed 48,317, https://example.org/teh?x=1; that was taken back" in note


def test_an_invented_number_is_taken_back(tokenizer: Tokenizer) -> None:
    text = "Last year the ferry did recieve the many people in the harbour."
    rewritten, _, _ = rewrite(text, tokenizer, lambda t: corrected(t).replace("many", "9,000"))
    assert rewritten == corrected(text)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("", "gave no answer"),
        ("la " * 500, "did not come to an end"),
        ("Something else that nobody wrote down here.", "changed too much"),
    ],
)
def test_a_bad_answer_keeps_the_sentence(tokenizer: Tokenizer, answer: str, told: str) -> None:
    text = "First line.\nThe keeper wrote a letter every evening."
    rewritten, finished, _ = rewrite(text, tokenizer, lambda t: answer if "keeper" in t else t)
    assert rewritten == text
    (note,) = finished.result["notes"]
    assert note.startswith("Line 2: ")
    assert told in note


@pytest.mark.parametrize(
    ("least", "expected"),
    [
        (0.0, "We receive it in the lift."),
        (0.7, "We receive it in the the lift."),
        (0.95, "We recieve it in the the lift."),
    ],
)
def test_what_the_model_is_not_sure_of_is_not_done(
    tokenizer: Tokenizer, least: float, expected: str
) -> None:
    """It is sure of a spelling, and less so of the word that comes where one was left out."""
    rewrite_task = dataclasses.replace(TEMPLATES.tasks["rewrite"], certainty=least)
    profile = dataclasses.replace(TEMPLATES, tasks={"rewrite": rewrite_task})
    ops = AnsweringOperations(
        tokenizer,
        lambda p: corrected(asked(p)),
        profile=profile,
        logprob=lambda text: math.log(0.5 if text.strip().startswith("l") else 0.9),
    )
    rewritten, finished = run_task("rewrite", "We recieve it in the the lift.", ops)
    assert rewritten == expected
    assert finished.result["notes"] == []
    assert bool(ops.samplings[0].top_logprobs) == bool(least)


@pytest.mark.parametrize(("end", "wanted"), [(0.99, True), (0.3, False)])
def test_what_the_model_leaves_out_at_the_end(
    tokenizer: Tokenizer, end: float, wanted: bool
) -> None:
    rewrite_task = dataclasses.replace(TEMPLATES.tasks["rewrite"], certainty=0.5)
    profile = dataclasses.replace(TEMPLATES, tasks={"rewrite": rewrite_task})
    for text, right in (("I like it it", "I like it"), ("他很好。。", "他很好。")):
        ops = AnsweringOperations(
            tokenizer,
            lambda _, right=right: right,
            profile=profile,
            logprob=lambda token: math.log(0.99 if token else end),
        )
        assert run_task("rewrite", text, ops)[0] == (right if wanted else text)


def test_short_texts_may_change_a_little(tokenizer: Tokenizer) -> None:
    answers = {"Teh": "The", "Yes.": "No.", "我门": "我们"}
    for text, wanted in {"Teh": "The", "Yes.": "Yes.", "我门": "我们"}.items():
        assert rewrite(text, tokenizer, lambda t: answers[t])[0] == wanted


def test_headings_and_list_items_do_not_become_sentences(tokenizer: Tokenizer) -> None:
    text = (
        "# how the lighthouse keepers recieve their mail\n\n> they recieve nothing at all\n\nNotes"
    )
    rewritten, _, _ = rewrite(text, tokenizer, lambda t: f"{corrected(t).capitalize()}.")
    assert rewritten == (
        "# how the lighthouse keepers receive their mail\n\n> They receive nothing at all.\n\nNotes"
    )


def test_sentences_in_a_list_are_sentences(tokenizer: Tokenizer) -> None:
    text = "- they recieve it.\n- they wait. they recieve it"
    rewritten, _, _ = rewrite(text, tokenizer, lambda t: corrected(t).capitalize())
    assert rewritten == "- They receive it.\n- they wait. they receive it"


def capitalized(text: str) -> str:
    """A model that makes a sentence of everything."""
    text = corrected(text)
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?")) else ".")


def test_several_sentences_in_a_list_item_are_sentences(tokenizer: Tokenizer) -> None:
    wrapped = (
        "- he went down to the old harbour with his brother, and then\n"
        "  nobody had come home. It was nice."
    )
    assert rewrite(wrapped, tokenizer, capitalized)[0] == wrapped.replace("he went", "He went")
    text = "- Why not go? He can recieve it"
    assert rewrite(text, tokenizer, capitalized)[0] == "- Why not go? He can receive it."


def test_a_heading_of_several_sentences_is_a_heading(tokenizer: Tokenizer) -> None:
    text = "# Step 1. How they recieve it\n\n## why not? A guide"
    rewritten, _, _ = rewrite(text, tokenizer, capitalized)
    assert rewritten == text.replace("recieve", "receive")


def test_i_is_a_capital_in_a_list_too(tokenizer: Tokenizer) -> None:
    text = "- i am here\n- i'm here\n- in here\n- i.e. here"
    rewritten, _, _ = rewrite(text, tokenizer, capitalized)
    assert rewritten == "- I am here\n- I'm here\n- in here\n- i.e. here"


def test_the_same_words_in_a_list_and_in_a_paragraph(tokenizer: Tokenizer) -> None:
    line = "the boat came home rather late"
    text = f"- {line}\n{line}\n- {line}"
    rewritten, _, ops = rewrite(text, tokenizer, lambda t: f"{t.capitalize()}.")
    assert rewritten.split("\n")[1] == "The boat came home rather late."
    assert rewritten.split("\n")[::2] == [f"- {line}"] * 2
    assert len(ops.prompts) == 2


def test_a_simplified_sentence_may_become_several(tokenizer: Tokenizer) -> None:
    text = "The bridge, which had been closed, was opened in 1962."
    simple = "The bridge had been closed. It was opened in 1962."
    rewritten, finished, _ = rewrite(text, tokenizer, lambda _: simple, style="simplify")
    assert rewritten == simple
    assert finished.result["changed"] == 1
    assert finished.result["style"] == "simplify"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("The bridge had been closed. It was opened.", "lost 1962"),
        ("The bridge was closed in 1957. It was opened in 1962.", "made up 1957"),
        ("It was opened in 1962, see https://example.org/.", "made up https://example.org/"),
        ("1962 年，那座一直关闭的桥重新开放了，人们又可以走过去了。", "another language"),
    ],
)
def test_a_simplified_sentence_that_lost_something(
    tokenizer: Tokenizer, answer: str, told: str
) -> None:
    text = "The bridge, which had been closed for years, was opened again in 1962."
    rewritten, finished, _ = rewrite(text, tokenizer, lambda _: answer, style="simplify")
    assert rewritten == text
    assert told in finished.result["notes"][0]


def test_prompts_are_in_the_language_of_the_text(
    tokenizer: Tokenizer, chat_tokenizer: Tokenizer
) -> None:
    for used in (tokenizer, chat_tokenizer):
        for manner in ("proofread", "simplify"):
            _, _, ops = rewrite("灯还亮着。", used, str, ModelProfile(), style=manner)
            assert "原文" in ops.prompts[0] or "文本" in ops.prompts[0]
    _, _, ops = rewrite("Der Turm ist nicht hoch.", tokenizer, str, ModelProfile())
    assert "Corrected:" in ops.prompts[0]


def test_a_language_that_the_model_does_not_know_is_told(tokenizer: Tokenizer) -> None:
    text = "Der Wärter schrieb jeden Abend einen Brief, und kein Boot kam."
    rewritten, finished, _ = rewrite(text, tokenizer, str)
    assert rewritten == text
    assert finished.result["language"] == "de"
    assert "German" in finished.result["notes"][0]


def test_greedy_and_without_penalties(tokenizer: Tokenizer) -> None:
    _, _, ops = rewrite("The boat came.", tokenizer, str)
    assert ops.samplings[0].temperature == 0
    assert ops.samplings[0].repetition_penalty == 1
    assert ops.samplings[0].no_repeat_ngram_size == 0


def test_a_sentence_longer_than_the_budget_is_cut(tokenizer: Tokenizer) -> None:
    text = "and the boat " * 200 + "came."
    rewritten, _, ops = rewrite(text, tokenizer, str)
    assert rewritten == text
    assert len(ops.prompts) > 1


def test_what_cannot_be_rewritten(tokenizer: Tokenizer) -> None:
    with pytest.raises(OptionError, match="no text"):
        rewrite(" \n", tokenizer, str)
    ops = AnsweringOperations(tokenizer, str, profile=TEMPLATES, context_length=32)
    with pytest.raises(ContextOverflowError, match="too few to rewrite"):
        run_task("rewrite", "A text.", ops)
    with pytest.raises(OptionError, match="style"):
        rewrite("A text.", tokenizer, str, style="poem")


def test_stopping_keeps_whole_sentences(tokenizer: Tokenizer) -> None:
    flag = ThreadCancelFlag()
    ops = AnsweringOperations(
        tokenizer, lambda p: corrected(asked(p)), profile=TEMPLATES, cancel=flag
    )
    task, options = RewriteTask(), RewriteOptions()
    sampling = task.default_sampling(options, ops.profile)
    events = []
    for event in task.run("- I recieve one.\n- I recieve two.", options, sampling, ops):
        events.append(event)
        if isinstance(event, Text):
            flag.set()
    assert "".join(event.text for event in events) == "- I receive one."
    assert isinstance(events[-1], Finished)
    assert events[-1].reason == "cancelled"


def spoiled(text: str) -> str:
    """A model that doubles, drops and swaps."""
    return text.replace("boat", "boat boat").replace("2", "3").replace("the ", "").swapcase()


@settings(max_examples=60)
@given(
    source=TEXTS,
    model=st.sampled_from([str, spoiled, str.upper, lambda _: ""]),
    manner=st.sampled_from(["proofread", "simplify"]),
)
def test_structure_survives(
    tokenizer: Tokenizer, source: str, model: Callable[[str], str], manner: str
) -> None:
    if not source.strip():
        return
    text, finished, _ = rewrite(
        source, tokenizer, model, ModelProfile(tasks=TEMPLATES.tasks), style=manner
    )
    assert [line.strip() == "" for line in text.splitlines()] == [
        line.strip() == "" for line in source.splitlines()
    ]
    for pattern in (r"https://[\w./?=&]+", r"\d+(?:[.,]\d+)*", r"`[^`]*`", r"\{\w+\}", r"\S+@\S+"):
        assert re.findall(pattern, text) == re.findall(pattern, source)
    if model is str:
        assert text == source
    place = 0
    for a, b, c, d in finished.result["changes"]:
        assert source[a:b] != text[c:d]
        assert place <= a
        place = b
