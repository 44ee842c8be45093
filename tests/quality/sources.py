"""Reads the project's own source: its files, their syntax trees and the imports they make."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "gptdesk"


@dataclass(frozen=True)
class Source:
    """One Python file: `path` relative to the checkout, its text and its syntax tree."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def module(self) -> str:
        """The dotted name under which Python imports the file."""
        parts = self.path.with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@dataclass(frozen=True)
class Import:
    """One imported module, by its dotted name, and where and how it is imported."""

    importer: str
    target: str
    line: int
    for_types_only: bool  # below `if TYPE_CHECKING:`, so never executed
    at_start: bool  # at the top level of the module, so executed when it is imported


@cache
def sources(*folders: str) -> tuple[Source, ...]:
    """Parse every Python file below the given folders of the checkout; a missing folder is empty."""
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return tuple(_parse(path) for path in found)


@cache
def package_imports() -> tuple[Import, ...]:
    """Every import in gptdesk/, wherever in its file it stands."""
    modules = frozenset(source.module for source in sources("gptdesk"))
    return tuple(found for source in sources("gptdesk") for found in _imports_of(source, modules))


@cache
def tracked_files() -> tuple[Path, ...]:
    """Paths, relative to the checkout, of the files git tracks; empty outside a git checkout."""
    done = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z"], check=False, capture_output=True, text=True
    )
    names = done.stdout.split("\0") if done.returncode == 0 else []
    return tuple(Path(name) for name in names if name and (ROOT / name).is_file())


def is_inside(module: str, parents: tuple[str, ...] | frozenset[str]) -> bool:
    """Tell whether `module` is one of `parents` or lies below one."""
    return any(module == parent or module.startswith(f"{parent}.") for parent in parents)


def _parse(path: Path) -> Source:
    text = path.read_text(encoding="utf-8")
    return Source(path.relative_to(ROOT), text, ast.parse(text, str(path)))


def _imports_of(source: Source, modules: frozenset[str]) -> Iterator[Import]:
    for node, for_types_only, at_start in _walk(source.tree, False, True):
        for target in _targets(node, modules):
            yield Import(source.module, target, node.lineno, for_types_only, at_start)


def _walk(
    node: ast.AST, for_types_only: bool, at_start: bool
) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool, bool]]:
    """Yield the imports below `node` with the conditions under which they run."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, for_types_only, at_start
        elif isinstance(child, ast.If) and _is_type_checking(child.test):
            for statement in child.body:
                yield from _walk(ast.Module([statement], []), True, at_start)
            for statement in child.orelse:
                yield from _walk(ast.Module([statement], []), for_types_only, at_start)
        else:
            inside_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _walk(child, for_types_only, at_start and not inside_function)


def _is_type_checking(test: ast.expr) -> bool:
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")
    return name == "TYPE_CHECKING"


def _targets(node: ast.Import | ast.ImportFrom, modules: frozenset[str]) -> Iterator[str]:
    """Name the modules one statement imports: `from a import b` is a.b where that is a module of ours."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    origin = node.module or ""
    for name in sorted({alias.name for alias in node.names}):
        whole = f"{origin}.{name}"
        if whole != "gptdesk.__version__":  # a string, not a dependency
            yield whole if whole in modules else origin
