"""Questions with answers, from JSON Lines to examples whose loss counts the answer only.

    {"document": …, "summary": …}                       also "lang", "form"
    {"src": …, "tgt": …, "src_lang": …, "tgt_lang": …}
    {"text": …, "rewritten": …}                         also "style": "proofread" or "simplify"
    {"text": …, "label": …}                             which class the text is of
    {"messages": [{"role": …, "content": …}, …]}        one example for each answer in it
    {"text": …}                                         a text to continue, all of it the answer

The question is put exactly as the task will put it when the model is used.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from gptdesk.errors import DocumentError, TokenizerError
from gptdesk.text.language import guess_language
from gptdesk.text.prompt import Piece, Prompt
from gptdesk.text.task_template import PROOFREAD, STYLES, template_prompt
from gptdesk.text.tokenizer import Tokenizer
from gptdesk.training.collect import document_hash, json_rows
from gptdesk.training.labelling import Labelling, is_label
from gptdesk.training.sources import TextFile, unpacking_errors

Row = Mapping[str, Any]

KINDS: Mapping[str, tuple[str, ...]] = {
    "summarize": ("document", "summary"),
    "translate": ("src", "tgt", "src_lang", "tgt_lang"),
    "rewrite": ("text", "rewritten"),
    "label": ("text", "label"),
    "chat": ("messages",),
    "continue": ("text",),
}
"""Tasks, and the keys by which their lines are known; the first that fits counts."""

_HEADLINE_CHARS = 100
_SHARES = 1 << 16
_SENTENCE_ENDS = tuple(".!?。！？…")


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to learn.

    Attributes:
        prompt: what the model is given.
        answer: what it is to write, and the control text that ends it.
        may_cut: the prompt's text may lose its end to fit the context.
    """

    prompt: Prompt
    answer: Prompt
    may_cut: bool = False


@dataclass(frozen=True, slots=True)
class Example:
    """Token ids; the loss counts those from `answer_start` on.

    Attributes:
        ids: question and answer.
        answer_start: length of the question.
        asked: for each id of the question whether the loss counts it too; empty for none.
    """

    ids: list[int]
    answer_start: int
    asked: tuple[bool, ...] = ()


Renderer = Callable[[Row], Sequence[Question]]
"""Turns one line into questions; raises `DocumentError` for one that it cannot use."""


class TemplateRenderer:
    """Asks through the templates of `gptdesk.json` and the chat template.

    Args:
        templates: by task id.
        end: the control text that ends an answer.
        tokenizer: of the model.
        both_directions: also translate back.
        labelling: how labels are asked for.
    """

    def __init__(
        self,
        templates: Mapping[str, str],
        end: str,
        tokenizer: Tokenizer,
        *,
        both_directions: bool = True,
        labelling: Labelling | None = None,
    ) -> None:
        self._templates = templates
        self._end = end
        self._tokenizer = tokenizer
        self._both_directions = both_directions
        self._single: Mapping[str, Callable[[Row], Question]] = {
            "summarize": self._summary,
            "rewrite": self._rewriting,
            "label": partial(label_question, labelling=labelling or Labelling(), end=end),
            "continue": self._text,
        }

    def __call__(self, row: Row) -> Sequence[Question]:
        """The questions of a line."""
        kind = kind_of(row)
        if kind == "chat":
            return list(chat_questions(row["messages"], self._tokenizer))
        if kind in self._single:
            return [self._single[kind](row)]
        pairs = [("src", "tgt"), ("tgt", "src")][: 1 + self._both_directions]
        return [self._translation(row, source, target) for source, target in pairs]

    def _summary(self, row: Row) -> Question:
        document, summary = row["document"].strip(), row["summary"].strip()
        language = row.get("lang") or guess_language(summary) or "en"
        form = row.get("form") or form_of(summary)
        values = {"language": str(language), "form": str(form)}
        return self._question("summarize", document, summary, values, may_cut=True)

    def _translation(self, row: Row, source: str, target: str) -> Question:
        values = {"source": row[f"{source}_lang"], "target": row[f"{target}_lang"]}
        return self._question("translate", row[source].strip(), row[target].strip(), values)

    def _rewriting(self, row: Row) -> Question:
        style = str(row.get("style") or PROOFREAD)
        if style not in STYLES:
            raise DocumentError(f'the style "{style}" is neither {" nor ".join(STYLES)}')
        text, rewritten = row["text"].strip(), row["rewritten"].strip()
        return self._question("rewrite", text, rewritten, {"style": style})

    def _text(self, row: Row) -> Question:
        return self._question("continue", "", row["text"].strip(), {})

    def _question(
        self,
        task: str,
        text: str,
        answer: str,
        values: Mapping[str, str],
        *,
        may_cut: bool = False,
    ) -> Question:
        prompt = template_prompt(self._templates[task], text, values)
        return Question(prompt, (Piece(answer), Piece(self._end, control=True)), may_cut)


def kind_of(row: Row) -> str:
    """The task that a line is for.

    Raises:
        DocumentError: it has the keys of none, or values of the wrong type.
    """
    for kind, keys in KINDS.items():
        if all(key in row for key in keys):
            for key in keys:
                if not _is_usable(key, row[key]):
                    raise DocumentError(f'"{key}" is empty or of the wrong type')
            return kind
    known = " or ".join(
        "{" + ", ".join(f'"{key}"' for key in keys) + "}" for keys in KINDS.values()
    )
    raise DocumentError(f"it has the keys {', '.join(map(str, row))} instead of {known}")


def _is_usable(key: str, value: object) -> bool:
    if key == "label":
        return is_label(value)
    return bool(value) and isinstance(value, list if key == "messages" else str)


def label_question(row: Row, labelling: Labelling, end: str) -> Question:
    """Which class a text is of; `end` is the control text behind the label."""
    prompt = labelling.question(row["text"].strip())
    answer = (Piece(labelling.answer(row["label"])), Piece(end, control=True))
    return Question(prompt, answer, may_cut=True)


def form_of(summary: str) -> str:
    """Whether a summary is a "headline" or a "paragraph"."""
    short = len(summary) <= _HEADLINE_CHARS and "\n" not in summary
    return "headline" if short and not summary.endswith(_SENTENCE_ENDS) else "paragraph"


def chat_questions(messages: Sequence[Any], tokenizer: Tokenizer) -> Iterator[Question]:
    """One question for each answer of the assistant: everything before it is the prompt.

    Raises:
        DocumentError: the messages are malformed or the chat template refuses them.
    """
    for message in messages:
        if not isinstance(message, dict) or not all(
            isinstance(message.get(key), str) for key in ("role", "content")
        ):
            raise DocumentError('a message lacks "role" or "content"')
    try:
        for at, message in enumerate(messages):
            if message["role"] == "assistant" and at:
                yield _chat_question(messages[:at], message, tokenizer)
    except TokenizerError as error:
        raise DocumentError(error.title, error.hint, error.details) from error


def _chat_question(before: Sequence[Any], answer: Row, tokenizer: Tokenizer) -> Question:
    prompt = tokenizer.chat_prompt(before)
    asked = "".join(piece.text for piece in prompt)
    whole = tokenizer.apply_chat_template([*before, answer], add_generation_prompt=False)
    content = answer["content"].strip()
    rest = whole.removeprefix(asked)
    if rest == whole or content not in rest:
        raise DocumentError("the chat template does not put the answer after the question")
    _, _, after = rest.partition(content)
    return Question(prompt, (Piece(content), Piece(after.rstrip(), control=True)))


@dataclass
class RowCounts:
    """How many lines were used and why others were not.

    Attributes:
        tasks: examples by task.
        too_long: examples longer than the context.
        bad: lines that fit no task; `first_bad` says what is wrong with the first.
    """

    tasks: dict[str, int] = field(default_factory=dict)
    too_long: int = 0
    bad: int = 0
    first_bad: str = ""


class ExampleReader:
    """Reads examples out of JSON Lines files.

    Args:
        tokenizer: of the model.
        render: puts the questions.
        max_tokens: of a whole example; longer ones are cut where they may be, or left out.
        counts: to go on with; new ones without.
        prompt_share: of the lines, whose questions the loss counts as well.
        notes_broken: whether lines that are no JSON are counted; once for files read twice.

    Attributes:
        counts: grow as examples are read.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        render: Renderer,
        max_tokens: int,
        counts: RowCounts | None = None,
        *,
        prompt_share: float = 0.0,
        notes_broken: bool = True,
    ) -> None:
        self._tokenizer = tokenizer
        self._render = render
        self._max_tokens = max_tokens
        self._note_broken = self._note_bad if notes_broken else _pass_over
        self._prompt_share = prompt_share
        self.counts = counts or RowCounts()

    def read(self, path: Path, wanted: Callable[[int], bool]) -> Iterator[Example]:
        """Yield the examples of the lines whose 64-bit hash is wanted.

        Raises:
            DocumentError: the file cannot be read.
        """
        try:
            for number, row in json_rows(TextFile(path, "lines"), self._note_broken):
                value = document_hash(repr(sorted(row.items())))
                if not wanted(value):
                    continue
                # Other bits than those that split training from validation.
                counts_question = value % _SHARES < self._prompt_share * _SHARES
                for question in self._questions(path, number, row):
                    example = self.encode(question)
                    if example is None:
                        self.counts.too_long += 1
                    else:
                        task = kind_of(row)
                        self.counts.tasks[task] = self.counts.tasks.get(task, 0) + 1
                        yield self._with_question(example) if counts_question else example
        except UnicodeError as error:
            raise DocumentError(f"{path} is not UTF-8 text.", "", str(error)) from error
        except unpacking_errors() as error:
            raise DocumentError(f"{path} cannot be read: {error}.", "", repr(error)) from error

    def _with_question(self, example: Example) -> Example:
        """The same with a loss on the question's text: a model must not write control tokens."""
        special = self._tokenizer.special_ids
        asked = tuple(token not in special for token in example.ids[: example.answer_start])
        return dataclasses.replace(example, asked=asked)

    def encode(self, question: Question) -> Example | None:
        """Token ids of a question; None when it is longer than permitted."""
        answer = [token for piece in question.answer for token in self._piece(piece)]
        prompt = self._tokenizer.encode_prompt(question.prompt)
        too_many = len(prompt) + len(answer) - self._max_tokens
        if too_many > 0:
            shorter = self._cut(question, too_many) if question.may_cut else None
            if shorter is None:
                return None
            prompt = self._tokenizer.encode_prompt(shorter)
            if len(prompt) + len(answer) > self._max_tokens:
                return None
        return Example([*prompt, *answer], len(prompt))

    def _piece(self, piece: Piece) -> list[int]:
        if not piece.control:
            return self._tokenizer.encode_plain(piece.text)
        ids, prefix = self._tokenizer.encode_prompt((piece,)), self._tokenizer.encode_prompt(())
        return ids[len(prefix) :] if ids[: len(prefix)] == prefix else ids

    def _cut(self, question: Question, too_many: int) -> Prompt | None:
        """The prompt without the last `too_many` tokens of its longest text; None if all go."""
        texts = [piece for piece in question.prompt if not piece.control]
        longest = max(texts, key=lambda piece: len(piece.text))
        starts = self._tokenizer.token_starts(longest.text)
        keep = len(starts) - too_many - 1  # a new border may cost a token
        if keep < self._max_tokens // 4:
            return None
        cut = Piece(longest.text[: starts[keep]])
        return tuple(cut if piece is longest else piece for piece in question.prompt)

    def _questions(self, path: Path, number: int, row: Row) -> Sequence[Question]:
        try:
            return self._render(row)
        except DocumentError as error:
            self._note_bad(DocumentError(f"Line {number} of {path}: {error.title}."))
            return ()

    def _note_bad(self, error: DocumentError) -> None:
        self.counts.bad += 1
        self.counts.first_bad = self.counts.first_bad or error.title


def _pass_over(error: DocumentError) -> None:
    """Somebody else counts it."""
