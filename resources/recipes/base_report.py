"""Measures the bundled model on every test set and prints the tables and samples of its card.

    python resources/recipes/base_report.py --data DATA --work WORK --model models/gptdesk-base

Each figure is one `gptdesk evaluate …`, which is printed beside it; what was measured before is
taken from WORK/report. `--split dev` measures what choices are made by.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import itertools
import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from base_corpus import END, PROSE, Corpora, read_prose
from base_proofreading import Corrupter
from base_tasks import corrupter_for

from gptdesk.cli.main import main as gptdesk

SAMPLES = 10
NEWSTEST = 300
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
        forth = ("--where", f"set={name}.en-{code}", *some)
        # The set whose originals are in the other language, where there is one.
        back = f"{name}.{code}-en" if code == "fr" else f"{name}.en-{code}"
        yield Measure(f"{name} en-{code}", file, forth)
        yield Measure(f"{name} {code}-en", file, ("--where", f"set={back}", *some, "--reverse"))


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
    """Sentences of every prose set in turn, one of each paragraph."""
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
        folder: for the figures and answers.
    """

    def __init__(self, data: Path, model: Path, folder: Path) -> None:
        self._data = data
        self._model = model
        self._folder = folder

    def run(self, measure: Measure, split: str) -> dict[str, Any]:
        """The figures of one measure, measured now unless they are there."""
        stem = f"{split}-{measure.name.replace(' ', '-')}"
        path = self._folder / f"{stem}.json"
        if not path.is_file():
            file = self._folder / measure.file
            file = file if file.is_file() else self._data / measure.file
            answers = self._folder / f"{stem}.answers.jsonl"
            arguments = [str(self._model), str(file), *measure.arguments]
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                gptdesk(["evaluate", *arguments, "--json", "--out", str(answers)])
            path.write_text(out.getvalue(), "utf-8")
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))["files"][0]["measures"]
        return found

    def samples(self, measure: Measure, split: str) -> list[dict[str, Any]]:
        """The first answers of one measure."""
        path = self._folder / f"{split}-{measure.name.replace(' ', '-')}.answers.jsonl"
        lines = path.read_text("utf-8").splitlines()[:SAMPLES] if path.is_file() else []
        return [json.loads(line) for line in lines]


def command(measure: Measure) -> str:
    """What a reader types to get the figure again."""
    words = ["gptdesk", "evaluate", "models/gptdesk-base", f"DATA/{measure.file}"]
    return shlex.join([*words, *measure.arguments])


def print_figures(report: Report, chosen: Sequence[Measure], split: str) -> None:
    """One line of figures and its command for each measure."""
    for measure in chosen:
        found = report.run(measure, split)
        shown = ", ".join(f"{name} {value:.3f}" for name, value in found.items())
        print(f"* {measure.name}: {shown}\n  `{command(measure)}`", flush=True)


def print_samples(report: Report, chosen: Sequence[Measure], split: str) -> None:
    """The first answers of each measure."""
    for measure in chosen:
        rows = report.samples(measure, split)
        if rows:
            print(f"\n### {measure.name}\n")
        for number, row in enumerate(rows, 1):
            wanted = (row.get("references") or [row.get("rewritten", "")])[0]
            print(f"{number}. {_line(row['text'])}\n   → **{_line(row['answer'])}**")
            print(f"   (people: {_line(wanted)})")


def _line(text: str, longest: int = 300) -> str:
    text = text.replace(END, "").replace("\n", " / ")
    return text if len(text) <= longest else f"{text[:longest]}…"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Figures and samples of the bundled model.")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--split", choices=("dev", "test"), default="test")
    parser.add_argument("--only", nargs="+", default=(), help="names of measures")
    options = parser.parse_args()
    folder = options.work / "report"
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / f"proofread_en.{options.split}.jsonl").is_file():
        write_questions(options.data, options.work, folder, options.split)
    chosen = [m for m in measures(options.split) if not options.only or m.name in options.only]
    report = Report(options.data, options.model, folder)
    print_figures(report, chosen, options.split)
    print_samples(report, chosen, options.split)


if __name__ == "__main__":
    main()
