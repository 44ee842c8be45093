"""How many tokens a character costs, by the bundled model's tokenizer and by GPT-2's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from base_corpus import PAIRS, PROSE, read_rows

from gptdesk.evaluation.items import Prose, read_items
from gptdesk.text.tokenizer import Tokenizer


def token_figures(data: Path, ours: Path, theirs: Path) -> dict[str, dict[str, float]]:
    """Tokens per character of every test text.

    Args:
        data: the corpora.
        ours: folder of the model's tokenizer.
        theirs: folder of GPT-2's, vocab.json and merges.txt.

    Raises:
        TokenizerError: a tokenizer cannot be read.
    """
    tokenizers = {"gptdesk": Tokenizer.from_folder(ours), "gpt2": Tokenizer.from_folder(theirs)}
    figures = {}
    for name, texts in _texts(data):
        characters = sum(map(len, texts))
        counts = {
            f"tokens per character, {who}": sum(map(tokenizer.count, texts)) / characters
            for who, tokenizer in tokenizers.items()
        }
        figures[name] = {"characters": float(characters), **counts}
    return figures


def _texts(data: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield name and texts of every prose test set and of both sides of the translations."""
    for name in PROSE:
        items = read_items(data / f"{name}.test.txt.xz").items
        yield f"{name}.test", [item.text for item in items if isinstance(item, Prose)]
    for name, code in PAIRS.items():
        rows = list(read_rows(data / f"{name}.test.jsonl.xz"))
        yield f"{name}.test en", [row["src"] for row in rows]
        yield f"{name}.test {code}", [row["tgt"] for row in rows]
