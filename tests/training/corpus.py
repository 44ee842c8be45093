"""Small texts for tests of training, made on the spot and always the same."""

from __future__ import annotations

import json
import random
from pathlib import Path

WORDS = [
    "the",
    "old",
    "keeper",
    "wrote",
    "letters",
    "every",
    "evening",
    "while",
    "rain",
    "fell",
    "on",
    "the",
    "harbour",
    "and",
    "lamps",
    "burned",
    "slowly",
    "over",
    "a",
    "calm",
    "sea",
    "until",
    "morning",
    "came",
    "with",
    "wind",
    "and",
    "a",
    "ship",
    "from",
    "the",
    "north",
]
CHINESE = "灯塔看守人每天晚上都写一封信虽然没有船来把它带走雨落在海港"


def document(number: int, sentences: int = 8) -> str:
    """A text of some paragraphs; every number gives another."""
    rng = random.Random(number)
    lines = []
    for index in range(sentences):
        words = rng.choices(WORDS, k=rng.randint(5, 12))
        lines.append(" ".join(words).capitalize() + ("." if index % 3 else ".\n"))
    if number % 4 == 0:
        lines.append("".join(rng.choices(CHINESE, k=20)) + "。")
    return "\n".join(lines)


def write_folder(folder: Path, documents: int = 60, sentences: int = 8) -> Path:
    """A folder of texts in several kinds of files."""
    (folder / "notes").mkdir(parents=True)
    for number in range(0, documents, 3):
        (folder / f"text-{number:03}.txt").write_text(document(number, sentences), "utf-8")
        (folder / "notes" / f"note-{number:03}.md").write_text(
            document(number + 1, sentences), "utf-8"
        )
    rows = [{"text": document(number, sentences)} for number in range(2, documents, 3)]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (folder / "rows.jsonl").write_text(lines, "utf-8")
    return folder
