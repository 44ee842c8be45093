"""Translation keeps the structure of a text and puts back what a model loses."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gptdesk.cancel import ThreadCancelFlag
from gptdesk.errors import OptionError
from gptdesk.generation.events import Finished, Text
from gptdesk.tasks.profile import ModelProfile
from gptdesk.tasks.translate import TranslateOptions, TranslateTask
from gptdesk.text.tokenizer import Tokenizer
from tests.tasks.operations import TEMPLATES, AnsweringOperations, run_task

NOTES = """# Notes of the day

  - See https://example.org/a?b=2, or mail keeper@light.example about 48,317 items.
1. `code here` is kept; so is {name}.

| a cell | 12 |
|---|---|
```
x = compute(1)
```
> A reply of 2026-11-21.  \r
The end"""


def asked(prompt: str) -> str:
    """The text that a prompt in any style asks to translate."""
    found = re.search(r"<text_*>\n(.*)\n</text", prompt, re.DOTALL)
    found = found or re.search(r"<\|im_start\|>\w+ \w+\n(.*)<\|im_end\|>", prompt, re.DOTALL)
    found = found or re.search(r"\n\nEnglish: (.*)\nChinese:$", prompt)
    assert found
    return found[1]


def translate(
    text: str,
    tokenizer: Tokenizer,
    answer: Callable[[str], str] = str.upper,
    profile: ModelProfile = TEMPLATES,
    **options: str,
) -> tuple[str, Finished, AnsweringOperations]:
    ops = AnsweringOperations(tokenizer, lambda p: answer(asked(p)), profile=profile)
    options = {"source": "en", "target": "zh", **options}
    translation, finished = run_task("translate", text, ops, **options)
    return translation, finished, ops


@pytest.mark.parametrize("style", ["template", "chat", "plain"])
def test_everything_that_is_not_language_survives(
    style: str, tokenizer: Tokenizer, chat_tokenizer: Tokenizer
) -> None:
    profile = TEMPLATES if style == "template" else ModelProfile()
    used = chat_tokenizer if style == "chat" else tokenizer
    text, finished, _ = translate(NOTES, used, profile=profile)
    expected = NOTES.upper()
    for kept in (
        "https://example.org/a?b=2",
        "keeper@light.example",
        "`code here`",
        "{name}",
        "x = compute(1)",
    ):
        expected = expected.replace(kept.upper(), kept)
    assert text == expected
    for a, b, c, d in finished.result["alignment"]:
        assert NOTES[a:b].upper() == text[c:d].upper()
    assert len(finished.result["alignment"]) == sum(bool(x.strip()) for x in NOTES.splitlines())


@pytest.mark.parametrize("style", ["template", "chat"])
def test_lost_numbers_and_links_are_put_back(
    style: str, tokenizer: Tokenizer, chat_tokenizer: Tokenizer
) -> None:
    profile = TEMPLATES if style == "template" else ModelProfile()
    used = chat_tokenizer if style == "chat" else tokenizer
    source = "In 1962 the ferry carried 48,317 people to https://example.org/x."
    text, finished, ops = translate(
        source, used, lambda t: re.sub(r"\d|https?:\S*", "", t).upper(), profile
    )
    assert "1962" in text
    assert "48,317" in text
    assert "https://example.org/x" in text
    assert any("48,317" in note for note in finished.result["notes"])
    assert ops.samplings[-1].temperature == 0


def test_a_number_in_another_notation_is_not_lost(tokenizer: Tokenizer) -> None:
    answers = {"It was 48,317.": "Es waren 48.317.", "From 10-20 men.": "10 bis 20 Mann."}
    source = "\n".join(answers)
    text, finished, _ = translate(
        source, tokenizer, lambda t: answers[t], ModelProfile(tasks=TEMPLATES.tasks), target="de"
    )
    assert text == "\n".join(answers.values())
    assert not finished.result["notes"]


def test_the_month_of_a_chinese_date_may_become_its_name(tokenizer: Tokenizer) -> None:
    text, finished, _ = translate(
        "会议在3月14日。",
        tokenizer,
        lambda _: "The meeting is on March 14.",
        source="zh",
        target="en",
    )
    assert text == "The meeting is on March 14."
    assert not finished.result["notes"]


def test_a_line_seen_before_is_translated_once(tokenizer: Tokenizer) -> None:
    text, _, ops = translate("The boat came.\n- The boat came.\n\nThe boat came.", tokenizer)
    assert text == "THE BOAT CAME.\n- THE BOAT CAME.\n\nTHE BOAT CAME."
    assert len(ops.prompts) == 1


def test_sentences_are_joined_as_the_target_language_wants(tokenizer: Tokenizer) -> None:
    to_chinese = {"The boat came.": "船来了。", "It left.": "它走了。"}
    text, _, _ = translate("The boat came. It left.", tokenizer, lambda t: to_chinese[t])
    assert text == "船来了。它走了。"
    to_english = {chinese: english for english, chinese in to_chinese.items()}
    text, _, _ = translate(
        "船来了。它走了。", tokenizer, lambda t: to_english[t], source="zh", target="en"
    )
    assert text == "The boat came. It left."


def test_an_address_in_chinese_gets_the_spaces_of_english(tokenizer: Tokenizer) -> None:
    answers = {"访问": "Visit", "查看记录。": "to see the minutes."}
    text, _, _ = translate(
        "访问https://example.org/a查看记录。",
        tokenizer,
        lambda t: answers[t],
        source="zh",
        target="en",
    )
    assert text == "Visit https://example.org/a to see the minutes."


def test_a_sentence_longer_than_the_budget_is_cut(tokenizer: Tokenizer) -> None:
    source = "and the boat " * 200 + "came."
    text, _, ops = translate(source, tokenizer, str)
    assert text == source
    assert len(ops.prompts) > 1


def test_a_model_that_talks_on_is_asked_again_and_cut_off(tokenizer: Tokenizer) -> None:
    text, finished, ops = translate("The boat came.", tokenizer, lambda _: "la " * 500)
    assert len(ops.prompts) == 2
    assert ops.samplings[0].max_new_tokens < 100
    assert ops.samplings[1].no_repeat_ngram_size > 0
    assert text.startswith("la la")
    assert "cut off" in finished.result["notes"][0]


def test_an_answer_has_one_line(tokenizer: Tokenizer) -> None:
    text, _, _ = translate("The boat came.", tokenizer, lambda _: "\n船来了。\nEnglish: more")
    assert text == "船来了。"


def test_a_model_without_an_answer_keeps_the_source(tokenizer: Tokenizer) -> None:
    text, finished, _ = translate("The boat came.", tokenizer, lambda _: "")
    assert text == "The boat came."
    assert "no translation" in finished.result["notes"][0]


def test_a_source_given_back_is_noted(tokenizer: Tokenizer) -> None:
    _, finished, _ = translate("The boat came home.", tokenizer, str)
    assert "gave the source back" in finished.result["notes"][0]


WRAPPED = """\
The lighthouse keeper wrote a letter every evening, though
no boat came to carry it away. When the storm was over, she
walked along the harbour and counted the lamps.

She wrote.
He did not."""


def test_a_hard_wrapped_paragraph_is_translated_as_one(tokenizer: Tokenizer) -> None:
    text, finished, ops = translate(WRAPPED, tokenizer, lambda t: t.replace("e", "a"))
    assert text == WRAPPED.replace("e", "a")
    assert "though no boat" in ops.prompts[0]
    assert len(ops.prompts) == 4
    block = WRAPPED.index("\n\n")
    assert finished.result["alignment"][0] == (0, block, 0, block)
    assert len(finished.result["alignment"]) == 3


def test_a_wrapped_paragraph_keeps_its_number_of_lines_in_chinese(tokenizer: Tokenizer) -> None:
    text, _, _ = translate(WRAPPED, tokenizer, lambda t: "灯塔看守人写信，船没有来。"[: len(t)])
    assert [bool(line) for line in text.split("\n")] == [bool(line) for line in WRAPPED.split("\n")]
    assert not re.search(r"\n[，。]", text)


def test_nothing_to_translate_is_copied(tokenizer: Tokenizer) -> None:
    text, _, ops = translate("12 + 30 = 42\n---\n", tokenizer)
    assert text == "12 + 30 = 42\n---\n"
    assert not ops.prompts


@pytest.mark.parametrize(
    ("source", "options", "languages"),
    [
        ("The keeper wrote a letter every evening.", {}, ("en", "zh")),
        ("灯塔看守人每天晚上都写一封信。", {}, ("zh", "en")),
        ("灯塔看守人每天晚上都写一封信。", {"target": "en"}, ("zh", "en")),
        ("Der Wärter schrieb jeden Abend einen Brief, und kein Boot kam.", {}, ("de", "zh")),
    ],
)
def test_languages_are_settled_by_themselves(
    tokenizer: Tokenizer, source: str, options: dict[str, str], languages: tuple[str, str]
) -> None:
    ops = AnsweringOperations(tokenizer, lambda _: "x", profile=ModelProfile())
    _, finished = run_task("translate", source, ops, **options)
    assert (finished.result["source"], finished.result["target"]) == languages


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"source": "en", "target": "en"}, "Both languages"),
        ({"source": "auto", "target": "en"}, "English already"),
        ({"source": "en", "target": "de"}, "German"),
    ],
)
def test_languages_that_cannot_be(
    tokenizer: Tokenizer, options: dict[str, str], match: str
) -> None:
    ops = AnsweringOperations(tokenizer, lambda _: "x", profile=TEMPLATES)
    with pytest.raises(OptionError, match=match) as raised:
        run_task("translate", "The keeper wrote a letter every evening.", ops, **options)
    assert raised.value.hint


def test_no_text(tokenizer: Tokenizer) -> None:
    with pytest.raises(OptionError, match="no text"):
        translate(" \n", tokenizer)


def test_stopping_keeps_whole_pieces(tokenizer: Tokenizer) -> None:
    flag = ThreadCancelFlag()
    ops = AnsweringOperations(tokenizer, lambda p: asked(p).upper(), profile=TEMPLATES, cancel=flag)
    task, options = TranslateTask(), TranslateOptions("en", "zh")
    sampling = task.default_sampling(options, ops.profile)
    events = []
    for event in task.run("- One came.\n- Two came.", options, sampling, ops):
        events.append(event)
        if isinstance(event, Text):
            flag.set()
    assert "".join(event.text for event in events) == "- ONE CAME."
    assert isinstance(events[-1], Finished)
    assert events[-1].reason == "cancelled"


WORDS = st.sampled_from(
    [
        "the boat", "came home.", "Why not?", "https://example.org/a_b?c=1&d=2", "1962", "48,317",
        "`x = 1`", "a@b.example", "{name}", "é, ü", "(see below)", "**bold**", "3.5 %", "<b>",
        "[link](https://e.example/x)",
    ]
)  # fmt: skip
LINES = st.tuples(
    st.sampled_from(["", "  ", "\t", "- ", "1. ", "# ", "> ", "* [x] ", "> - "]),
    st.lists(WORDS, max_size=5).map(" ".join),
    st.sampled_from(["", "  "]),
    st.sampled_from(["\n", "\n\n", "\r\n", "\n \n"]),
)
TEXTS = st.lists(LINES.map("".join), min_size=1, max_size=6).map("".join)


@settings(max_examples=60)
@given(source=TEXTS, model=st.sampled_from([str, str.upper]))
def test_structure_survives(tokenizer: Tokenizer, source: str, model: Callable[[str], str]) -> None:
    if not source.strip():
        return
    text, finished, _ = translate(
        source, tokenizer, model, target="de", profile=ModelProfile(tasks=TEMPLATES.tasks)
    )
    assert [line.strip() == "" for line in text.splitlines()] == [
        line.strip() == "" for line in source.splitlines()
    ]
    assert text.lower() == source.lower()
    for pattern in (r"https://[\w./?=&]+", r"\d+(?:[.,]\d+)*", r"`[^`]*`", r"\{\w+\}", r"\S+@\S+"):
        assert re.findall(pattern, text) == re.findall(pattern, source)
    for a, b, c, d in finished.result["alignment"]:
        assert source[a:b].lower() == text[c:d].lower()
