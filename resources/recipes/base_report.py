"""Measures the bundled model on every test set and prints the tables and samples of its card.

    python resources/recipes/base_report.py --data DATA --work WORK --model models/gptdesk-base \
        --baselines BASELINES.json

What was measured of the same model before is taken from WORK/report; `--split dev` measures what choices are made by.
BASELINES.json is what `base_baselines.py` wrote.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from base_corpus import END, PAIRS, PROSE
from base_measures import Measure, Report, command, measures, write_questions

SAMPLES = 10
Figures = Mapping[str, float]


class Baselines:
    """Figures to beat, by their kind and the name of a test set."""

    def __init__(self, path: Path | None) -> None:
        self._data: dict[str, Any] = json.loads(path.read_text("utf-8")) if path else {}

    def get(self, kind: str, name: str, figure: str) -> str:
        """One figure; a dash where there is none."""
        found = self._data.get(kind, {}).get("figures", {}).get(name, {}).get(figure)
        return "–" if found is None else f"{found:.1f}" if found >= 10 else f"{found:.2f}"

    def value(self, kind: str, name: str, figure: str) -> float | None:
        """The same as a number."""
        found = self._data.get(kind, {}).get("figures", {}).get(name, {}).get(figure)
        return None if found is None else float(found)


def prose_table(found: Mapping[str, Figures], baselines: Baselines, split: str) -> Iterator[str]:
    """Bits per byte."""
    yield "| set | bits per byte | 5-gram | `xz -9` | better than the 5-gram by |"
    yield "|---|---|---|---|---|"
    for name in PROSE:
        if name in found:
            bits = found[name]["bits per byte"]
            ngram = baselines.value("ngram", f"{name}.{split}", "bits per byte")
            gain = "–" if ngram is None else f"{100 * (1 - bits / ngram):.0f}%"
            others = (
                baselines.get(kind, f"{name}.{split}", "bits per byte") for kind in ("ngram", "xz")
            )
            yield _row(f"`{name}`", f"{bits:.2f}", *others, gain)


def summary_table(found: Mapping[str, Figures], baselines: Baselines, split: str) -> Iterator[str]:
    """ROUGE."""
    yield "| set | ROUGE-1 | ROUGE-2 | ROUGE-L | lead, ROUGE-L | TextRank, ROUGE-L |"
    yield "|---|---|---|---|---|---|"
    for name, figures in found.items():
        if "rougeL" in figures:
            ours = (f"{figures[key]:.1f}" for key in ("rouge1", "rouge2", "rougeL"))
            rank = baselines.get("summaries", f"{name}.{split}", "rougeL of TextRank")
            yield _row(f"`{name}`", *ours, f"{figures['rougeL of the lead']:.1f}", rank)


def translation_table(
    found: Mapping[str, Figures], baselines: Baselines, split: str
) -> Iterator[str]:
    """BLEU and chrF beside word-by-word translation and a copy of the source."""
    yield "| test | BLEU | chrF | word by word: BLEU | chrF | a copy: BLEU |"
    yield "|---|---|---|---|---|---|"
    for name, figures in found.items():
        direction = name.split()[-1]
        if f"bleu {direction}" not in figures:
            continue
        codes = direction.split("-")
        code = next(code for code in codes if code != "en")
        kind = "dictionary" if code == PAIRS["mt_en-zh"] else "alignment"
        test = f"{name.split()[0]}.en-{code}" if " " in name else f"mt_en-{code}.{split}"
        base = (baselines.get(kind, test, f"{key} {direction}") for key in ("bleu", "chrf"))
        ours = (f"{figures[f'{key} {direction}']:.1f}" for key in ("bleu", "chrf"))
        yield _row(name, *ours, *base, f"{figures[f'bleu {direction} of a copy']:.1f}")


PROOFREADING = ("clean left alone", "errors repaired", "edits that were right", "f0.5")
SIMPLIFICATION = ("bleu", "bleu of a copy", "left as it was", "sentences", "sentences of people")
MANNERS = ("ended by itself", "wrong language", "empty", "repeated 4-grams")
"""How answers end, in which language, and whether they go round in circles."""


def figures_table(
    found: Mapping[str, Figures], keys: Sequence[str], known_by: str
) -> Iterator[str]:
    """Figures as `gptdesk evaluate` names them, of the tests that have the one they are known by."""
    yield _row("test", *keys)
    yield "|---" * (1 + len(keys)) + "|"
    for name, figures in found.items():
        if known_by in figures:
            yield _row(name, *(f"{figures[key]:.1f}" if key in figures else "–" for key in keys))


def token_table(baselines: Baselines, split: str) -> Iterator[str]:
    """Tokens per character."""
    yield "| set | gptdesk-base | GPT-2 |"
    yield "|---|---|---|"
    names = [f"{name}.{split}" for name in PROSE]
    names += [f"{pair}.{split} {code}" for pair in PAIRS for code in ("en", PAIRS[pair])]
    for name in names:
        keys = ("tokens per character, gptdesk", "tokens per character, gpt2")
        values = [baselines.value("tokens", name, key) for key in keys]
        if None not in values:
            yield _row(f"`{name}`", *(f"{value:.3f}" for value in values if value is not None))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def print_report(found: Mapping[str, Figures], baselines: Baselines, split: str) -> None:
    """All tables."""
    parts = {
        "Text": prose_table(found, baselines, split),
        "Summaries": summary_table(found, baselines, split),
        "Translation": translation_table(found, baselines, split),
        "Proofreading": figures_table(found, PROOFREADING, "errors repaired"),
        "Simplification": figures_table(found, SIMPLIFICATION, "left as it was"),
        "Manners": figures_table(found, MANNERS, "ended by itself"),
        "Tokens per character": token_table(baselines, split),
    }
    for title, lines in parts.items():
        print(f"\n### {title}\n")
        print("\n".join(lines))


def print_samples(report: Report, chosen: Sequence[Measure], split: str) -> None:
    """The first answers of each measure."""
    for measure in chosen:
        rows = report.answers(measure, split, SAMPLES)
        if rows:
            print(f"\n### {measure.name}\n")
        for number, row in enumerate(rows, 1):
            wanted = (row.get("references") or [row["rewritten"]])[0]
            print(f"{number}. {_line(row['text'])}\n   → **{_line(row['answer'])}**")
            print(f"   (people: {_line(wanted)})")


def _line(text: str, longest: int = 240) -> str:
    text = text.replace(END, "").replace("\n", " / ")
    return text if len(text) <= longest else f"{text[:longest]}…"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Figures and samples of the bundled model.")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--baselines", type=Path, help="what base_baselines.py wrote")
    parser.add_argument("--split", choices=("dev", "test"), default="test")
    parser.add_argument("--only", nargs="+", default=(), help="names of measures")
    options = parser.parse_args()
    folder = options.work / "report"
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / f"proofread_en.{options.split}.jsonl").is_file():
        write_questions(options.data, options.work, folder, options.split)
    chosen = [m for m in measures(options.split) if not options.only or m.name in options.only]
    report = Report(options.data, options.model, folder)
    found: dict[str, Figures] = {}
    print("### Commands\n")
    for measure in chosen:
        found[measure.name] = report.run(measure, options.split)
        print(f"    {command(measure)}", flush=True)
    print_report(found, Baselines(options.baselines), options.split)
    print_samples(report, chosen, options.split)


if __name__ == "__main__":
    main()
