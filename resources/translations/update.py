"""Brings the translations up to date with the code: `python resources/translations/update.py`.

    gptdesk/ui/**/*.py  ──lupdate──►  gptdesk_zh_CN.ts  ──lrelease──►  gptdesk_zh_CN.qm
    labels of the tasks ──┘           (people translate here)          (the app reads this)

The tasks declare their labels in English below the window's layer, where nothing knows Qt; they are
collected from the options themselves. Both tools come with PySide6-Essentials.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parent.parent
OPTIONS_CONTEXT = "options"


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


if __name__ == "__main__":
    for file in sorted(FOLDER.glob("*.ts")):
        update_source(file)
        compile_messages(file, file.with_suffix(".qm"))
