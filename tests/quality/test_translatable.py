"""Strings given to tr() can be found by lupdate and matched at run time: they are complete literals."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.quality.sources import sources

TRANSLATORS = {"tr", "translate", "QT_TRANSLATE_NOOP", "QT_TR_NOOP"}


def test_only_whole_literals_are_translated() -> None:
    """An f-string or a sum inside tr() is extracted as it stands and matches nothing when the app runs."""
    found = [
        f"{source.path}:{line}: {what}"
        for source in sources("gptdesk/ui")
        for line, what in bad_translations(source.tree)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "code",
    [
        'self.tr(f"{n} words")',
        'self.tr("words: " + str(n))',
        'self.tr("%d words" % n)',
        'self.tr("{0} words".format(n))',
        'QCoreApplication.translate("Panel", f"{n}")',
    ],
)
def test_the_check_sees_a_built_string(code: str) -> None:
    assert list(bad_translations(ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    [
        'self.tr("{0} words").format(n)',
        'self.tr("%n word(s)", "", count)',
        'self.tr("one " "literal")',
        "self.tr(label)",
        "text.translate(table)",
    ],
)
def test_the_check_accepts_whole_literals_and_names(code: str) -> None:
    assert not list(bad_translations(ast.parse(code)))


def bad_translations(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line and source of every translating call with an argument that is put together."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _function_name(node) in TRANSLATORS:
            strings = node.args[:2]
            if any(
                isinstance(part, ast.JoinedStr | ast.BinOp) or _formats(part) for part in strings
            ):
                yield node.lineno, ast.unparse(node)


def _function_name(call: ast.Call) -> str:
    return getattr(call.func, "attr", "") or getattr(call.func, "id", "")


def _formats(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and _function_name(node) in ("format", "join", "replace")
