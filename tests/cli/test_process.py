"""The command line as a process: start-up, Ctrl+C, closed pipes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import gptdesk
from gptdesk.cli.main import main

COMMAND = [sys.executable, "-m", "gptdesk"]
ENDLESS = ["--max-new-tokens", "100000", "--min-new-tokens", "100000", "--length", "page"]

on_posix = pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")


def start(*arguments: object, **options: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        **options,
    )


def test_version_and_help_need_no_engine() -> None:
    code = (
        "import sys; from gptdesk.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'onnxruntime', 'numpy', 'PySide6'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
    with start("--version") as process:
        assert process.communicate()[0] == f"gptdesk {gptdesk.__version__}\n"


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.txt"
    path.write_text("word " * 20)
    return path


@on_posix
def test_ctrl_c_keeps_what_came_and_exits_130(wide_model: Path, page: Path) -> None:
    with start("continue", page, "--model", wide_model, *ENDLESS) as process:
        assert process.stdout is not None
        first = process.stdout.read(8)
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert len(first + rest) > 8


@on_posix
def test_a_closed_pipe_ends_it_without_a_traceback(wide_model: Path, page: Path) -> None:
    with start("continue", page, "--model", wide_model, *ENDLESS) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(1)
        process.stdout.close()
        errors = process.stderr.read()
        process.wait(timeout=30)
    assert process.returncode == 141
    assert errors == ""


@on_posix
def test_ctrl_c_while_the_model_loads_does_not_wait_for_it(wide_model: Path, page: Path) -> None:
    """The signal comes out of the import of torch, which looks at no flag."""
    code = (
        "import os, signal, sys\n"
        "class Interrupt:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'torch': os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Interrupt())\n"
        "from gptdesk.__main__ import main\n"
        "sys.exit(main())"
    )
    arguments = ["continue", str(page), "--model", str(wide_model), *ENDLESS]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


@on_posix
def test_ctrl_c_during_the_first_imports_is_quiet() -> None:
    code = (
        "import os, signal, sys\n"
        "class Interrupt:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'argparse': os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Interrupt())\n"
        "from gptdesk.__main__ import main\n"
        "sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "models"], check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


@on_posix
@pytest.mark.parametrize(
    ("redirection", "code", "message"),
    [(">&-", 0, ""), ("<&-", 2, "standard input"), ("> /dev/full", 1, "No space left")],
)
def test_streams_that_are_closed_or_full(redirection: str, code: int, message: str) -> None:
    if "full" in redirection and not Path("/dev/full").exists():
        pytest.skip("a system without /dev/full")
    command = "models" if ">" in redirection else "continue -"
    done = subprocess.run(
        ["sh", "-c", f'"$0" -m gptdesk {command} {redirection}', sys.executable],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == code
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@on_posix
def test_an_input_without_end_is_refused() -> None:
    with Path("/dev/zero").open("rb") as endless:
        done = subprocess.run(
            [*COMMAND, "continue", "-"], stdin=endless, check=False, capture_output=True, text=True
        )
    assert done.returncode == 1
    assert "larger than 64 MB" in done.stderr


@pytest.fixture(scope="module")
def wide_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose context is long enough to be interrupted in."""
    from tests.helpers import checkpoints

    folder = tmp_path_factory.mktemp("wide") / "model"
    return checkpoints.write_llama(folder, max_position_embeddings=32_768)


def test_a_mistyped_command_is_told_and_opens_nothing() -> None:
    with start("sumarize", "notes.txt") as process:
        errors = process.communicate(timeout=30)[1]
    assert process.returncode == 2
    assert "gptdesk summarize" in errors


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a screen")
def test_without_a_screen_the_window_says_so() -> None:
    hidden = {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    with start(env=environment) as process:
        errors = process.communicate(timeout=30)[1]
    assert process.returncode == 1
    assert "no screen" in errors


@pytest.mark.parametrize("flag", ["--profile", "--model"])
def test_the_value_of_a_flag_is_no_command(flag: str, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[list[str]] = []
    monkeypatch.setattr("gptdesk.ui.app.main", lambda arguments: opened.append(arguments) or 0)
    assert main([flag, "sumarize"]) == 0
    assert main([flag, "models"]) == 0
    assert opened == [[flag, "sumarize"], [flag, "models"]]
