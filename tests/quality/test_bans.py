"""Calls and imports that must not appear: what would run a stranger's code, use a network, or lose text."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.quality.sources import is_inside, package_imports, sources

BANNED_MODULES = (
    "pickle",
    "cPickle",
    "dill",
    "marshal",
    "shelve",
    "ftplib",
    "http",
    "httpx",
    "huggingface_hub",
    "requests",
    "smtplib",
    "socket",
    "ssl",
    "urllib.request",
    "urllib3",
    "xmlrpc",
    "PySide6.QtNetwork",
)
BANNED_CALLS = {"eval", "exec", "compile", "__import__"}


def test_no_network_and_no_pickle() -> None:
    found = [
        f"{item.importer}:{item.line} imports {item.target}"
        for item in package_imports()
        if is_inside(item.target, BANNED_MODULES) or item.target == "urllib"
    ]
    assert not found, "\n".join(found)


def test_no_text_is_run_as_code() -> None:
    found = [
        f"{where} calls {node.func.id}"
        for where, node in _calls()
        if isinstance(node.func, ast.Name) and node.func.id in BANNED_CALLS
    ]
    assert not found, "\n".join(found)


def test_tensor_files_are_read_as_data() -> None:
    """torch.load runs code from the file unless `weights_only=True` stands in the call."""
    found = [
        where
        for where, node in _calls()
        if _name(node.func) == "torch.load" and not _has_true(node, "weights_only")
    ]
    assert not found, "\n".join(found)


def test_subprocesses_take_no_shell() -> None:
    found = [
        where
        for where, node in _calls()
        if _has_true(node, "shell") or _name(node.func) in ("os.system", "os.popen")
    ]
    assert not found, "\n".join(found)


def test_the_undo_history_is_never_thrown_away() -> None:
    """`setUndoRedoEnabled(False)` clears the history of the document: the writer's way back."""
    found = [where for where, node in _calls() if _name(node.func).endswith("setUndoRedoEnabled")]
    assert not found, "\n".join(found)


def test_no_lambda_receives_the_signal_of_a_worker() -> None:
    """A lambda connected to a signal runs in the thread that emits; below ui/worker* that is the worker's."""
    found = [
        where
        for where, node in _calls()
        if _name(node.func).endswith(".connect")
        and "worker" in where.lower()
        and any(isinstance(argument, ast.Lambda) for argument in node.args)
    ]
    assert not found, "\n".join(found)


def _calls() -> Iterator[tuple[str, ast.Call]]:
    for source in sources("gptdesk"):
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Call):
                yield f"{source.path}:{node.lineno}", node


def _name(node: ast.expr) -> str:
    """The dotted name of a call's function, "" before the first part that is not a plain name."""
    if isinstance(node, ast.Attribute):
        return f"{_name(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _has_true(call: ast.Call, keyword: str) -> bool:
    return any(
        item.arg == keyword and isinstance(item.value, ast.Constant) and item.value.value is True
        for item in call.keywords
    )
