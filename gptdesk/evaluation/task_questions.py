"""Puts questions of training data in the words of the tasks, so that a model learns what it is asked.

template   the model's gptdesk.json
chat       its chat template, with the tasks' instructions
plain      the tasks' prompts for models without instructions
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from gptdesk.errors import ContextOverflowError, DocumentError
from gptdesk.tasks.base import Operations
from gptdesk.tasks.languages import detect
from gptdesk.tasks.profile import ModelProfile, read_profile
from gptdesk.tasks.prompts import Style
from gptdesk.tasks.rewriting_prompts import RewritingPrompts
from gptdesk.tasks.summary_prompts import SummaryPrompts
from gptdesk.tasks.translation_prompts import TranslationPrompts
from gptdesk.text.prompt import Piece, Prompt
from gptdesk.text.task_template import PROOFREAD, STYLES
from gptdesk.text.tokenizer import Tokenizer
from gptdesk.training.instruction import (
    Question,
    Row,
    chat_questions,
    form_of,
    kind_of,
    label_question,
)
from gptdesk.training.labelling import Labelling
from gptdesk.training.task_templates import end_text

if TYPE_CHECKING:
    from gptdesk.checkpoints.folder import ModelFolder

_POINTS = 5  # of a list, which no training data asks for
_END_TOKENS = 4


@dataclass(frozen=True, slots=True)
class _Asked:
    """The model, as far as prompts ask for it."""

    tokenizer: Tokenizer
    profile: ModelProfile
    context_length: int


class TaskQuestions:
    """Turns a line of training data into questions; a `Renderer`.

    Args:
        tokenizer: of the model.
        profile: its gptdesk.json.
        context_length: tokens that a question and its answer may have.
        both_directions: also translate back.
        labelling: how labels are asked for.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        profile: ModelProfile,
        context_length: int,
        *,
        both_directions: bool = True,
        labelling: Labelling | None = None,
    ) -> None:
        self._tokenizer = tokenizer
        # Prompts generate nothing: three attributes are all of `Operations` that they use.
        self._ops = cast("Operations", _Asked(tokenizer, profile, context_length))
        self._both_directions = both_directions
        self._labelling = labelling or Labelling()

    def __call__(self, row: Row) -> Sequence[Question]:
        """The questions of a line.

        Raises:
            DocumentError: it fits no task, or the model cannot be asked.
        """
        kind = kind_of(row)
        if kind == "chat":
            if self._tokenizer.chat_template is None:
                raise DocumentError("the model has no chat template for conversations")
            return list(chat_questions(row["messages"], self._tokenizer))
        if kind == "label":
            return [label_question(row, self._labelling, self._end_of_text())]
        if kind == "continue":
            raise DocumentError("a text alone among questions asks for nothing")
        if kind in ("summarize", "rewrite"):
            return [self._summary(row) if kind == "summarize" else self._rewriting(row)]
        pairs = [("src", "tgt"), ("tgt", "src")][: 1 + self._both_directions]
        return [self._translation(row, source, target) for source, target in pairs]

    def _summary(self, row: Row) -> Question:
        document, summary = row["document"].strip(), row["summary"].strip()
        language = str(row.get("lang") or detect(summary))
        form = str(row.get("form") or form_of(summary))
        prompts = SummaryPrompts(self._ops, language, _POINTS)
        if prompts.style != "template":  # whose text stands alone and is cut by the reader
            document = self._fitting(document, summary, prompts)
        answer = self._answer(summary, prompts.style)
        return Question(prompts.whole(document, form), answer, may_cut=prompts.style == "template")

    def _fitting(self, document: str, summary: str, prompts: SummaryPrompts) -> str:
        """As much of a document as leaves room for the question and the answer."""
        try:
            budget = prompts.budget(self._tokenizer.count(summary) + _END_TOKENS)
        except ContextOverflowError as error:
            raise DocumentError("the summary leaves no room for a text in the context") from error
        starts = self._tokenizer.token_starts(document)
        return document if len(starts) <= budget else document[: starts[budget]]

    def _translation(self, row: Row, source: str, target: str) -> Question:
        codes = row[f"{source}_lang"], row[f"{target}_lang"]
        try:
            prompts = TranslationPrompts(self._ops, *codes)
            prompt = prompts.translate(row[source].strip())
        except KeyError as error:
            raise DocumentError(
                f"there are no words to ask for a translation from {codes[0]} to {codes[1]}"
            ) from error
        return Question(prompt, self._answer(row[target].strip(), prompts.style))

    def _rewriting(self, row: Row) -> Question:
        manner = str(row.get("style") or PROOFREAD)
        if manner not in STYLES:
            raise DocumentError(f"there are no words to ask for a text in the style {manner}")
        prompts = RewritingPrompts(self._ops, manner, detect(row["rewritten"]))
        prompt = prompts.rewrite(row["text"].strip())
        return Question(prompt, self._answer(row["rewritten"].strip(), prompts.style))

    def _answer(self, text: str, style: Style) -> Prompt:
        """The answer, and what the model is to end it with."""
        if style == "chat":
            return (Piece(text), self._end_of_turn())
        end = self._end_of_text()
        if style == "plain":  # the prompt ends with a colon and, as text does, without a space
            return (Piece(f" {text}\n"), Piece(end, control=True))
        return (Piece(text), Piece(end, control=True))

    def _end_of_text(self) -> str:
        return end_text(self._tokenizer) if self._tokenizer.end_ids else "\n"

    def _end_of_turn(self) -> Piece:
        messages = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
        (question,) = chat_questions(messages, self._tokenizer)
        return question.answer[-1]


def questions_for(
    folder: ModelFolder,
    tokenizer: Tokenizer,
    context: int,
    *,
    both_directions: bool = True,
    labelling: Labelling | None = None,
) -> TaskQuestions:
    """The questions as the model in a folder is asked them, in so many tokens.

    Raises:
        CheckpointError: its gptdesk.json is damaged.
    """
    profile = ModelProfile() if folder.kind == "gguf" else read_profile(folder.root)
    return TaskQuestions(
        tokenizer, profile, context, both_directions=both_directions, labelling=labelling
    )
