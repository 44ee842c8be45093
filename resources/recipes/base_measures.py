"""Everything that the bundled model is measured on, each figure by one `gptdesk evaluate …`."""

from __future__ import annotations

import contextlib
import hashlib
import io
import itertools
import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from base_corpus import PROSE, Corpora, read_prose
from base_proofreading import Corrupter
from base_tasks import corrupter_for

from gptdesk.cli.main import main as gptdesk

NEWSTEST = 100
"""Sentences of each news set: they are far from what the model has read."""

PROOFREADING = 400
_PLANTING_SEED = 77  # not that of the training


@dataclass(frozen=True)
class Measure:
    """One command of the card.

    Attributes:
        name: of its figures.
        file: below DATA, or below WORK/report for what is made here.
        arguments: of `gptdesk evaluate` beside model and file.
    """

    name: str
    file: str
    arguments: tuple[str, ...] = ()

    @property
    def is_made_here(self) -> bool:
        """Whether `write_questions` writes the file."""
        return not self.file.endswith(".xz")


def measures(split: str) -> Iterator[Measure]:
    """Everything that is measured on a split."""
    for corpus in PROSE:
        yield Measure(corpus, f"{corpus}.{split}.txt.xz")
    for corpus, form in (
        ("sum_en_arxiv_title", "headline"),
        ("sum_en_scitldr", "paragraph"),
        ("sum_en_web", "paragraph"),
        ("sum_en_wiki_lead", "paragraph"),
        ("sum_zh_arxiv_tldr", "paragraph"),
        ("sum_zh_web", "paragraph"),
        ("sum_zh_wiki_lead", "paragraph"),
    ):
        yield Measure(corpus, f"{corpus}.{split}.jsonl.xz", ("--option", f"form={form}"))
    for corpus in ("mt_en-zh", "mt_en-de", "mt_en-fr"):
        code = corpus[-2:]
        yield Measure(f"en-{code}", f"{corpus}.{split}.jsonl.xz")
        yield Measure(f"{code}-en", f"{corpus}.{split}.jsonl.xz", ("--reverse",))
    yield from _news() if split == "test" else ()
    for language in ("en", "zh"):
        yield Measure(f"proofread {language}", f"proofread_{language}.{split}.jsonl")
    yield Measure("simplify", f"simplify_en_wikisplit.{split}.jsonl", ("--limit", "300"))


def _news() -> Iterator[Measure]:
    file, some = "mt_eval_newstest.jsonl.xz", ("--limit", str(NEWSTEST))
    for name, code in (("newstest2017", "zh"), ("newstest2014", "fr"), ("newstest2014", "de")):
        those = ("--where", f"set={name}.en-{code}", *some)
        yield Measure(f"{name} en-{code}", file, those)
        yield Measure(f"{name} {code}-en", file, (*those, "--reverse"))


def write_questions(data: Path, work: Path, folder: Path, split: str) -> None:
    """Write the sets that are made here: planted errors, and sentences to simplify."""
    corpora = Corpora(data)
    corrupter = corrupter_for(corpora, work / "text", _PLANTING_SEED)
    for language in ("en", "zh"):
        rows = list(itertools.islice(_planted(data, corrupter, language, split), PROOFREADING))
        _write(folder / f"proofread_{language}.{split}.jsonl", rows)
    simple = (
        {"text": row["document"], "rewritten": row["summary"], "style": "simplify"}
        for row in corpora.split_rows("simplify_en_wikisplit", split)
    )
    _write(folder / f"simplify_en_wikisplit.{split}.jsonl", simple)


def _planted(
    data: Path, corrupter: Corrupter, language: str, split: str
) -> Iterator[Mapping[str, str]]:
    """Sentences of every prose set in turn."""
    sets = [
        corrupter.rows(_paragraphs(data / f"{name}.{split}.txt.xz"), language)
        for name in PROSE
        if PROSE[name] == language and "poetry" not in name
    ]
    for group in zip(*sets, strict=False):
        yield from group


def _paragraphs(path: Path) -> Iterator[str]:
    for document in read_prose(path):
        yield from document[1:]


def _write(path: Path, rows: Any) -> None:
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(text, "utf-8")


class Report:
    """Runs the commands and keeps what they said.

    Args:
        data: folder of the corpora.
        model: folder of the model.
        folder: where `write_questions` wrote; figures and answers go below it.
    """

    def __init__(self, data: Path, model: Path, folder: Path) -> None:
        self._data = data
        self._model = model
        self._questions = folder
        self._folder = folder / _digest(model)
        self._folder.mkdir(exist_ok=True)

    def run(self, measure: Measure, split: str) -> dict[str, Any]:
        """The figures of one measure, measured now unless they are there."""
        stem = f"{split}-{measure.name.replace(' ', '-')}"
        path = self._folder / f"{stem}.json"
        if not path.is_file():
            folder = self._questions if measure.is_made_here else self._data
            file = folder / measure.file
            answers = self._folder / f"{stem}.answers.jsonl"
            arguments = [str(self._model), str(file), *measure.arguments]
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                code = gptdesk(["evaluate", *arguments, "--json", "--out", str(answers)])
            if code:  # figures of a part would be taken for those of the whole
                raise SystemExit(code)
            path.write_text(out.getvalue(), "utf-8")
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))["files"][0]["measures"]
        return found

    def answers(self, measure: Measure, split: str, count: int) -> list[dict[str, Any]]:
        """The first answers of one measure."""
        path = self._folder / f"{split}-{measure.name.replace(' ', '-')}.answers.jsonl"
        lines = path.read_text("utf-8").splitlines()[:count] if path.is_file() else []
        return [json.loads(line) for line in lines]


def _digest(model: Path) -> str:
    """Changes with the weights and with the decoding that is stored beside them."""
    found = hashlib.sha256()
    for name in ("model.safetensors", "gptdesk.json"):
        found.update((model / name).read_bytes())
    return found.hexdigest()[:12]


def command(measure: Measure) -> str:
    """What a reader types to get the figure again."""
    folder = "WORK/report" if measure.is_made_here else "DATA"
    words = ["gptdesk", "evaluate", "models/gptdesk-base", f"{folder}/{measure.file}"]
    return shlex.join([*words, *measure.arguments])
