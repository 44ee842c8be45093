"""Why a run of several generations ended: each part of the result counts, notes do not."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from gptdesk.cancel import ThreadCancelFlag
from gptdesk.generation.events import Finished
from gptdesk.generation.sampling import Sampling
from gptdesk.tasks.profile import ModelProfile
from gptdesk.tasks.prompts import plain_prompt
from gptdesk.tasks.run import TaskRun
from gptdesk.text.tokenizer import Tokenizer
from tests.tasks.operations import TEMPLATES, AnsweringOperations, run_task

RUNAWAY = "la " * 600


def reason_of(
    tokenizer: Tokenizer, task: str, text: str, answer: Callable[[str], str], **options: str
) -> str:
    ops = AnsweringOperations(tokenizer, answer, profile=TEMPLATES)
    return run_task(task, text, ops, **options)[1].reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("The boat came. He left.", "stop"),
        ("The storm came. He left.", "length"),
        ("He left. The storm came.", "length"),
        ("The storm came.\n\n| 1 | 2 |\n12 + 30 = 42\n", "length"),
    ],
)
@pytest.mark.parametrize("task", ["rewrite", "translate"])
def test_every_piece_has_to_end(tokenizer: Tokenizer, task: str, text: str, reason: str) -> None:
    def answer(prompt: str) -> str:
        return RUNAWAY if "storm" in prompt else prompt.splitlines()[1].partition("<")[0]

    options = {"source": "en", "target": "zh"} if task == "translate" else {}
    assert reason_of(tokenizer, task, text, answer, **options) == reason


def test_an_attempt_that_was_made_again_does_not_count(tokenizer: Tokenizer) -> None:
    answers: Iterator[str] = iter([RUNAWAY, "小船来了。", "他走了。"])
    text = "The boat came. He left."
    options = {"source": "en", "target": "zh"}
    assert reason_of(tokenizer, "translate", text, lambda _: next(answers), **options) == "stop"


@pytest.mark.parametrize("runaway", ["One came.", "Two went.", "Three sat.", ""])
def test_every_point_has_to_end(tokenizer: Tokenizer, runaway: str) -> None:
    def answer(prompt: str) -> str:
        return RUNAWAY if runaway and runaway in prompt else prompt.splitlines()[1]

    text = "One came. Two went. Three sat."
    reason = reason_of(tokenizer, "summarize", text, answer, form="points")
    assert reason == ("length" if runaway else "stop")


def test_notes_on_the_parts_of_a_long_text_may_be_cut(tokenizer: Tokenizer) -> None:
    text = "The keeper wrote a letter to the harbour. " * 200
    ops = AnsweringOperations(
        tokenizer,
        lambda prompt: RUNAWAY if "keeper" in prompt else "A letter.",
        profile=ModelProfile(tasks=TEMPLATES.tasks),
        context_length=700,
    )
    summary, finished = run_task("summarize", text, ops)
    assert len(ops.prompts) > 1
    assert (summary, finished.reason) == ("A letter.", "stop")


def test_the_first_limit_is_told_and_a_cancel_before_it(tokenizer: Tokenizer) -> None:
    flag = ThreadCancelFlag()
    ops = AnsweringOperations(tokenizer, lambda _: RUNAWAY, context_length=100, cancel=flag)
    run = TaskRun(ops, Sampling(temperature=0.0, max_new_tokens=600))

    def finished_after(most: int) -> Finished:
        list(run.collect(plain_prompt("{text}", "The storm"), {"max_new_tokens": most}))
        run.end_part()
        return run.finished()

    assert finished_after(600).reason == "context"
    assert finished_after(5).reason == "context"
    assert run.reason == "length"
    flag.set()
    assert run.finished().reason == "cancelled"
