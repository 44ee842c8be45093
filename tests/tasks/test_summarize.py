"""Summaries of texts of any length, in every form and prompt style."""

from __future__ import annotations

import re

import pytest

from gptdesk.cancel import ThreadCancelFlag
from gptdesk.errors import ContextOverflowError, OptionError
from gptdesk.generation.events import Finished, Progress, Text
from gptdesk.tasks.profile import ModelProfile
from gptdesk.tasks.registry import get_task
from gptdesk.tasks.summarize import SummarizeOptions, SummarizeTask
from gptdesk.text.tokenizer import Tokenizer
from tests.tasks.operations import TEMPLATES, AnsweringOperations, run_task

FACTS = ("FACTONE", "FACTTWO", "FACTTHREE")


def long_text() -> str:
    """At least 20,000 tokens with a fact in each third."""
    lines = [f"The keeper wrote letter number {n} to the harbour." for n in range(1400)]
    for fact, place in zip(FACTS, (200, 700, 1250), strict=True):
        lines[place] += f" {fact} is true."
    return "\n".join(lines)


def facts_of(prompt: str) -> str:
    return ". ".join(re.findall(r"FACT[A-Z]+", prompt)) or "Letters were written."


def operations(
    style: str, tokenizer: Tokenizer, chat_tokenizer: Tokenizer, context_length: int
) -> AnsweringOperations:
    return AnsweringOperations(
        chat_tokenizer if style == "chat" else tokenizer,
        facts_of,
        profile=TEMPLATES if style == "template" else ModelProfile(),
        context_length=context_length,
    )


@pytest.mark.parametrize("style", ["template", "chat", "plain"])
@pytest.mark.parametrize("context_length", [700, 2000])
def test_a_fact_of_each_third_reaches_the_reduce_prompt(
    style: str, context_length: int, tokenizer: Tokenizer, chat_tokenizer: Tokenizer
) -> None:
    ops = operations(style, tokenizer, chat_tokenizer, context_length)
    source = long_text()
    assert tokenizer.count(source) >= 20_000
    text, finished = run_task("summarize", source, ops)
    assert all(fact in ops.prompts[-1] for fact in FACTS)
    assert not all(fact in ops.prompts[0] for fact in FACTS)
    assert all(fact in text for fact in FACTS)
    assert [source[a:b] for a, b in finished.result["parts"]]
    assert "".join(source[a:b] for a, b in finished.result["parts"]) == source
    assert len(finished.result["partials"]) == len(finished.result["parts"])
    assert all(s.max_new_tokens <= context_length // 4 for s in ops.samplings[:-1])


def test_a_text_within_the_context_takes_one_prompt(tokenizer: Tokenizer) -> None:
    ops = AnsweringOperations(tokenizer, lambda _: " He wrote.\nMore.")
    text, finished = run_task("summarize", "The keeper wrote a letter.", ops)
    assert text == "He wrote."
    assert ops.prompts == ["The keeper wrote a letter.\n\nTL;DR:"]
    assert finished.result["parts"] == [(0, 26)]


def test_progress_counts_the_parts(tokenizer: Tokenizer) -> None:
    ops = AnsweringOperations(tokenizer, facts_of, context_length=700)
    task, options = SummarizeTask(), SummarizeOptions()
    sampling = task.default_sampling(options, ops.profile)
    events = list(task.run(long_text(), options, sampling, ops))
    parts = [e for e in events if isinstance(e, Progress) and e.stage == "part"]
    assert [e.done for e in parts] == list(range(len(parts)))
    assert {e.total for e in parts} == {len(parts) - 1}


def test_a_headline_is_one_line(chat_tokenizer: Tokenizer) -> None:
    ops = AnsweringOperations(chat_tokenizer, lambda _: "\n\nThe Keeper's Letter\n\nIt was late.")
    text, _ = run_task("summarize", "The keeper wrote.", ops, form="headline")
    assert text == "The Keeper's Letter"


def test_a_paragraph_of_a_chat_model_is_trimmed(chat_tokenizer: Tokenizer) -> None:
    ops = AnsweringOperations(chat_tokenizer, lambda _: "\n One.\nTwo. \n")
    text, _ = run_task("summarize", "The keeper wrote.", ops)
    assert text == "One.\nTwo."


def test_chat_models_list_points_after_one_prompt(chat_tokenizer: Tokenizer) -> None:
    answer = "Here are the points:\n\n- One.\n2. Two.\n* Three.\n- Four."
    ops = AnsweringOperations(chat_tokenizer, lambda _: answer)
    text, _ = run_task("summarize", "The keeper wrote.", ops, form="points", points=3)
    assert text == "• One.\n• Two.\n• Three."
    assert "3" in ops.prompts[0]
    assert len(ops.prompts) == 1


@pytest.mark.parametrize("profile", [TEMPLATES, ModelProfile()])
def test_other_models_write_one_sentence_per_section(
    tokenizer: Tokenizer, profile: ModelProfile
) -> None:
    ops = AnsweringOperations(
        tokenizer, lambda p: f"{facts_of(p)} is. More. More.", profile=profile
    )
    source = "FACTONE came first. Then FACTTWO came. At last FACTTHREE came."
    text, finished = run_task("summarize", source, ops, form="points", points=3)
    assert text == "• FACTONE is.\n• FACTTWO is.\n• FACTTHREE is."
    assert len(finished.result["parts"]) == 3


def test_points_of_a_long_text_cover_its_thirds(tokenizer: Tokenizer) -> None:
    ops = AnsweringOperations(tokenizer, facts_of, profile=TEMPLATES, context_length=700)
    text, finished = run_task("summarize", long_text(), ops, form="points", points=3)
    points = text.split("\n")
    assert len(points) == 3
    assert all(fact in point for fact, point in zip(FACTS, points, strict=True))
    assert len(finished.result["parts"]) > 3


def test_a_text_of_two_sentences_gives_two_points(tokenizer: Tokenizer) -> None:
    ops = AnsweringOperations(tokenizer, lambda p: p.split("\n")[1], profile=TEMPLATES)
    text, _ = run_task("summarize", "One came. Two went.", ops, form="points", points=9)
    assert text.count("•") == 2


def test_the_same_point_is_not_made_twice(tokenizer: Tokenizer) -> None:
    ops = AnsweringOperations(tokenizer, lambda _: "It rained.", profile=TEMPLATES)
    text, _ = run_task("summarize", "One came. Two went. Three sat.", ops, form="points")
    assert text == "• It rained."


def test_stopping_keeps_the_points_that_came(tokenizer: Tokenizer) -> None:
    flag = ThreadCancelFlag()
    ops = AnsweringOperations(tokenizer, facts_of, profile=TEMPLATES, cancel=flag)
    task, options = SummarizeTask(), SummarizeOptions("points")
    sampling = task.default_sampling(options, ops.profile)
    events = []
    for event in task.run("FACTONE came. FACTTWO came. FACTX came.", options, sampling, ops):
        events.append(event)
        if isinstance(event, Text):
            flag.set()
    assert "".join(event.text for event in events) == "• FACTONE"
    last = events[-1]
    assert isinstance(last, Finished)
    assert last.reason == "cancelled"
    assert last.result["partials"] == ["FACTONE"]


def test_stopping_between_parts_asks_nothing_more(tokenizer: Tokenizer) -> None:
    flag = ThreadCancelFlag()
    ops = AnsweringOperations(tokenizer, facts_of, context_length=700, cancel=flag)
    task, options = SummarizeTask(), SummarizeOptions()
    sampling = task.default_sampling(options, ops.profile)
    for event in task.run(long_text(), options, sampling, ops):
        if isinstance(event, Progress) and event.stage == "part" and event.done == 2:
            flag.set()
    assert isinstance(event, Finished)
    assert event.reason == "cancelled"
    assert len(ops.prompts) <= 3


def test_the_language_follows_the_text_or_the_option(tokenizer: Tokenizer) -> None:
    def template_of(source: str, **options: str) -> str:
        ops = AnsweringOperations(tokenizer, lambda _: "x", profile=TEMPLATES)
        run_task("summarize", source, ops, **options)
        return ops.prompts[0].partition("\n")[0]

    chinese = "灯塔看守人每天晚上都写一封信，虽然没有船来把它带走。"
    assert template_of(chinese) == "<|im_start|>paragraph zh"
    assert template_of(chinese, language="en") == "<|im_start|>paragraph en"


def test_chinese_answers_are_asked_for_in_chinese(chat_tokenizer: Tokenizer) -> None:
    ops = AnsweringOperations(chat_tokenizer, lambda _: "好", context_length=2000)
    run_task("summarize", "The keeper wrote.", ops, language="zh")
    assert "请用中文" in ops.prompts[0]


def test_a_language_that_the_model_lacks(tokenizer: Tokenizer) -> None:
    ops = AnsweringOperations(tokenizer, lambda _: "x", profile=TEMPLATES)
    with pytest.raises(OptionError, match="German") as raised:
        run_task("summarize", "The keeper wrote.", ops, language="de")
    assert raised.value.hint
    german = (
        "Der Leuchtturmwärter schrieb jeden Abend einen Brief, und kein Boot kam, ihn zu holen."
    )
    _, finished = run_task("summarize", german, ops)
    assert "German" in finished.result["notes"][0]


def test_no_text(tokenizer: Tokenizer) -> None:
    with pytest.raises(OptionError, match="no text"):
        run_task("summarize", " \n", AnsweringOperations(tokenizer, lambda _: "x"))


def test_a_context_too_small_for_anything(tokenizer: Tokenizer) -> None:
    ops = AnsweringOperations(tokenizer, lambda _: "x", context_length=40)
    with pytest.raises(ContextOverflowError, match="40 tokens"):
        run_task("summarize", "The keeper wrote.", ops)


def test_the_models_advice_is_laid_over_the_defaults() -> None:
    sampling = get_task("summarize").default_sampling(SummarizeOptions(), TEMPLATES)
    assert sampling.temperature == 0
    assert sampling.max_new_tokens == 200


@pytest.mark.parametrize("form", ["headline", "paragraph", "points"])
def test_a_model_without_a_word_is_noted(tokenizer: Tokenizer, form: str) -> None:
    for source in ("The keeper wrote.", long_text()):
        ops = AnsweringOperations(tokenizer, lambda _: " \n", context_length=700)
        text, finished = run_task("summarize", source, ops, form=form)
        assert text == ""
        assert "nothing to say" in finished.result["notes"][-1]
