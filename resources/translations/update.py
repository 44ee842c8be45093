"""Brings the translations up to date with the code: `python resources/translations/update.py`.

    gptdesk/ui/**/*.py  ──lupdate──►  gptdesk_zh_CN.ts  ──lrelease──►  gptdesk_zh_CN.qm
    labels of the tasks ──┘           (people translate here)          (the app reads this)

    gptdesk/**/*.py below ui/  ──►  messages_zh_CN.toml  (people translate here, the app reads it)

The tasks declare their labels in English below the window's layer, where nothing knows Qt; they are
collected from the options themselves. Both tools come with PySide6-Essentials.

Errors, warnings and notes are English sentences with their values in them; they are collected from
the syntax tree as templates, `f"{path} is empty."` as `{0} is empty.`. Parts of sentences cannot be
told from other strings: people add those to the table [fragments] by hand.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parent.parent
OPTIONS_CONTEXT = "options"
PLACE = re.compile(r"\{\d+\}")
# Strings that a person never sees as a message: help of settings, patterns, word lists.
SILENT_CALLS = {"Setting", "compile", "split", "tr", "warning", "add_argument"}
SILENT_FOLDERS = {"cli", "evaluation"}


def option_texts() -> list[str]:
    """Every label and help text that a task declares."""
    from gptdesk.tasks.options import option_fields
    from gptdesk.tasks.registry import TASKS

    texts: dict[str, None] = {}
    for task in TASKS.values():
        texts[task.label] = None
        for _, info in option_fields(task.options_type):
            labels = (info.label, info.help, *(label for _, label in info.choices))
            texts.update(dict.fromkeys(label for label in labels if label))
    return list(texts)


def tool(name: str) -> str:
    """Path of a PySide tool beside the interpreter that runs this."""
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.exists() else name


def update_source(ts: Path) -> None:
    """Collect the texts of the code into a .ts file; finished translations in it stay."""
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder) / "options.py"
        lines = [
            f"QT_TRANSLATE_NOOP({json.dumps(OPTIONS_CONTEXT)}, {json.dumps(text, ensure_ascii=False)})"
            for text in option_texts()
        ]
        listed.write_text("\n".join(lines) + "\n", encoding="utf-8")
        sources = [*sorted(map(str, (ROOT / "gptdesk" / "ui").rglob("*.py"))), str(listed)]
        command = [tool("pyside6-lupdate"), "-silent", "-no-obsolete", "-locations", "none"]
        languages = ["-source-language", "en_US", "-target-language", ts.stem.partition("_")[2]]
        subprocess.run([*command, *languages, *sources, "-ts", str(ts)], check=True)


def compile_messages(ts: Path, qm: Path) -> None:
    """Compile a .ts file; unfinished translations are left out."""
    subprocess.run([tool("pyside6-lrelease"), "-silent", str(ts), "-qm", str(qm)], check=True)


def sentences() -> dict[str, str]:
    """Every sentence that the window may have to tell, and the file that it stands in first."""
    package = ROOT / "gptdesk"
    found: dict[str, str] = {}
    labels = set(option_texts())
    for path in sorted(package.rglob("*.py")):
        place = path.relative_to(package)
        if place.parts[0] not in SILENT_FOLDERS:
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for text in texts(tree, errors_only=place.parts[0] == "ui"):
                if is_sentence(text) and text not in labels:
                    found.setdefault(text, place.as_posix())
    return found


def all_texts() -> set[str]:
    """Every text of the package, sentence or not, against which fragments are checked."""
    files = (ROOT / "gptdesk").rglob("*.py")
    return {t for file in files for t in texts(ast.parse(file.read_text(encoding="utf-8")))}


def is_sentence(text: str) -> bool:
    """Whether a text is told by itself: it ends with a full stop, or it fills values into words."""
    words = re.findall(r"[A-Za-z]{2,}", PLACE.sub(" ", text))
    if " " not in text or not words:
        return False
    if not PLACE.search(text):
        return text.endswith(".")
    return text.endswith(".") or text[0].isupper() or (text[0] == "{" and len(words) > 2)


def texts(tree: ast.AST, *, errors_only: bool = False) -> Iterator[str]:
    """The texts of a syntax tree in the order of the source, with {0}, {1}… for what is filled in.

    Args:
        tree: a module; its docstrings are left out.
        errors_only: only what is given to the constructor of an error.
    """
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
            continue  # a docstring
        name = ""
        if isinstance(child, ast.Call):
            name = getattr(child.func, "attr", "") or getattr(child.func, "id", "")
        if name in SILENT_CALLS:
            continue
        parts = pieces(child)
        if any(isinstance(part, str) for part in parts):
            if not errors_only:
                yield template(parts)
            for part in parts:
                if not isinstance(part, str):
                    yield from texts(ast.Expression(part), errors_only=errors_only)
        else:
            yield from texts(child, errors_only=errors_only and not name.endswith("Error"))


def pieces(node: ast.AST) -> list[str | ast.expr]:
    """A string, an f-string or a sum with strings in it, as its parts."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else [node]
    if isinstance(node, ast.JoinedStr):
        return [part for value in node.values for part in pieces(value)]
    if isinstance(node, ast.FormattedValue):
        return [node.value]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [*pieces(node.left), *pieces(node.right)]
    return [node] if isinstance(node, ast.expr) else []


def template(parts: list[str | ast.expr]) -> str:
    """The parts as one text, with a number for each part that is not known before it runs."""
    text, count = "", 0
    for part in parts:
        if isinstance(part, str):
            text += part
        else:
            text += f"{{{count}}}"
            count += 1
    return text


def update_messages(catalogue: Path) -> None:
    """Collect the sentences into a catalogue; translations in it stay, new ones are empty."""
    known = tomllib.loads(catalogue.read_text(encoding="utf-8")) if catalogue.exists() else {}
    lines = ["# Sentences from below the window: English template = translation; see update.py."]
    lines += ["", "[sentences]"]
    place = ""
    for text, where in sentences().items():
        if where != place:
            place = where
            lines.append(f"# {place}")
        lines.append(f"{quoted(text)} = {quoted(known.get('sentences', {}).get(text, ''))}")
    lines += ["", "# Parts of sentences, for places marked with *.", "[fragments]"]
    for text, translation in known.get("fragments", {}).items():
        lines.append(f"{quoted(text)} = {quoted(translation)}")
    catalogue.write_text("\n".join(lines) + "\n", encoding="utf-8")


def quoted(text: str) -> str:
    """A TOML string; JSON's are all valid there."""
    return json.dumps(text, ensure_ascii=False)


if __name__ == "__main__":
    for file in sorted(FOLDER.glob("*.ts")):
        update_source(file)
        compile_messages(file, file.with_suffix(".qm"))
        update_messages(FOLDER / f"messages_{file.stem.partition('_')[2]}.toml")
