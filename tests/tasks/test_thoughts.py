"""What a model thinks aloud before it answers never becomes the writer's text."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptdesk.generation.events import GenerationEnd, Progress, Stats, Token
from gptdesk.tasks.prompts import instruction_prompt
from gptdesk.tasks.thoughts import Item, without_thoughts
from gptdesk.text.prompt import Piece, Prompt
from gptdesk.text.tokenizer import Tokenizer
from tests.helpers.checkpoints import write_tokenizer
from tests.tasks.operations import AnsweringOperations, run_task
from tests.text.chat_templates_for_tests import QWEN3

OPENED: Prompt = (Piece("Question?"), Piece("<assistant>", control=True))
END = GenerationEnd("stop", Stats())


def items(parts: list[str]) -> Iterator[Item]:
    for part in parts:
        yield Token(7, part)
        yield Progress(stage="writing", done=1, total=2)
    yield END


def shown(prompt: Prompt, parts: list[str]) -> str:
    passed = list(without_thoughts(prompt, items(parts)))
    assert END in passed
    return "".join(item.text for item in passed if isinstance(item, Token))


def pieces(text: str, cuts: list[int]) -> list[str]:
    borders = [0, *sorted({cut % (len(text) + 1) for cut in cuts}), len(text)]
    return [text[start:end] for start, end in itertools.pairwise(borders)]


CUTS = st.lists(st.integers(0, 60), max_size=12)


@pytest.mark.parametrize(
    ("answer", "left"),
    [
        ("<think>\nLet me see.\n</think>\n\nThe answer.", "\n\nThe answer."),
        ("\n<think></think>The answer.", "The answer."),
        ("<think>never ends", ""),
        ("The <think>answer</think>.", "The <think>answer</think>."),
        ("<thinking>The answer.", "<thinking>The answer."),
        ("  <thi", "  <thi"),
        ("", ""),
    ],
)
@given(cuts=CUTS)
def test_thoughts_are_left_out_however_the_tokens_cut_them(
    answer: str, left: str, cuts: list[int]
) -> None:
    assert shown(OPENED, pieces(answer, cuts)) == left


@given(cuts=CUTS)
def test_a_template_may_open_the_thoughts_itself(cuts: list[int]) -> None:
    prompt = (*OPENED, Piece("<think>\n", control=True))
    assert shown(prompt, pieces("So.\n</think>\n\nThe <think> answer.", cuts)) == (
        "\n\nThe <think> answer."
    )


def test_a_text_that_goes_on_is_not_an_answer() -> None:
    text = "<think> is a tag.</think>"
    assert shown((Piece("My notes on <think>"),), [text]) == text


def test_a_task_shows_the_answer_alone(chat_tokenizer: Tokenizer) -> None:
    ops = AnsweringOperations(chat_tokenizer, lambda _: "<think>\nHm.\n</think>\n\nEin Brief.")
    text, _ = run_task("translate", "A letter.", ops, source="en", target="de")
    assert text == "Ein Brief."


def test_tasks_switch_thinking_off(tmp_path: Path) -> None:
    write_tokenizer(tmp_path)
    (tmp_path / "chat_template.jinja").write_text(QWEN3, "utf-8")
    tokenizer = Tokenizer.from_folder(tmp_path)
    prompt = instruction_prompt(tokenizer, "System.", "Do it.", "A letter.")
    assert prompt[-1].text.endswith("<think>\n\n</think>\n\n")
    assert not tokenizer.chat_prompt([{"role": "user", "content": "Hi"}])[-1].text.endswith(
        "</think>\n\n"
    )
