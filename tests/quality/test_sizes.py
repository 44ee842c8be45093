"""Functions fit on a screen, files hold one idea, and the checkout stays light."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.quality.sources import ROOT, Source, sources, tracked_files

MAX_FUNCTION_LINES = 60
MAX_FILE_LINES = 400
MAX_CHECKOUT_BYTES = 60_000_000
MAX_MODELS_BYTES = 48_000_000

# What may stand at the top level of the checkout; files that tools need begin with a dot or are here.
TOP_LEVEL = {
    "gptdesk",
    "models",
    "resources",
    "tests",
    "CHANGELOG.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "README.zh-CN.md",
    "constraints.txt",
    "pyproject.toml",
}

CODE = ("gptdesk", "tests", "resources", ".ci")


def test_functions_are_short() -> None:
    long = [
        f"{source.path}:{function.lineno} {function.name} has {lines} lines"
        for source in sources(*CODE)
        for function, lines in _functions(source)
        if lines > MAX_FUNCTION_LINES
    ]
    assert not long, "\n".join(long)


def test_files_are_short() -> None:
    long = [
        f"{source.path} has {lines} lines"
        for source in sources(*CODE)
        if (lines := source.text.count("\n")) > MAX_FILE_LINES
    ]
    assert not long, "\n".join(long)


def test_every_file_says_what_it_is_for() -> None:
    """Files of tests are excused: each is named after what it tests."""
    silent = [
        str(source.path)
        for source in sources(*CODE)
        if source.text.strip()
        and not source.path.name.startswith("test_")
        and not ast.get_docstring(source.tree)
    ]
    assert not silent, "no module docstring: " + ", ".join(silent)


def test_nothing_stray_stands_at_the_top_level() -> None:
    tops = {path.parts[0] for path in tracked_files()}
    stray = {name for name in tops if not name.startswith(".")} - TOP_LEVEL
    assert not stray


def test_the_checkout_stays_light() -> None:
    sizes = {path: (ROOT / path).stat().st_size for path in tracked_files()}
    assert sum(sizes.values()) < MAX_CHECKOUT_BYTES
    assert sum(size for path, size in sizes.items() if path.parts[0] == "models") < MAX_MODELS_BYTES


def _functions(source: Source) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, int]]:
    """Yield each function with its length from `def` to its last line; decorators are not counted."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node, (node.end_lineno or node.lineno) - node.lineno + 1
