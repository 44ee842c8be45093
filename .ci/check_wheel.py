"""Build the wheel, install it into an empty environment outside the checkout, and use it there.

What only works in a checkout (a file missing from the wheel, a dependency that nobody declared, a path that
points into the source tree) fails here. `make check` runs it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
OPENING = "The storm had passed, and in the morning the keeper of the lighthouse"
WHERE = "import gptdesk, pathlib; print(pathlib.Path(gptdesk.__file__).resolve().parent)"


def main() -> int:
    """Run the check; return 0, or let the failing step's exception end the process."""
    with tempfile.TemporaryDirectory(prefix="gptdesk-wheel-") as name:
        folder = Path(name).resolve()
        wheel = build_wheel(folder / "dist")
        scripts = install(wheel, folder / "env")
        use(scripts, folder)
    print("check_wheel: the installed wheel works")
    return 0


def build_wheel(out: Path) -> Path:
    """Build the sdist, and the wheel from it: so the sdist is known to be complete as well."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(CHECKOUT)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    (wheel,) = out.glob("*.whl")
    print(f"check_wheel: built {wheel.name}, {wheel.stat().st_size / 1e6:.1f} MB")
    return wheel


def install(wheel: Path, environment: Path) -> Path:
    """Install `wheel` and nothing of the checkout; return the environment's folder of scripts."""
    venv.create(environment, with_pip=True)
    scripts = environment / ("Scripts" if os.name == "nt" else "bin")
    constraints = str(CHECKOUT / "constraints.txt")
    pip = [str(scripts / "python"), "-m", "pip", "install", "--quiet", "--constraint", constraints]
    subprocess.run([*pip, str(wheel)], check=True)
    return scripts


def use(scripts: Path, folder: Path) -> None:
    """Do from `folder` what a writer does first, with the bundled model and a new profile."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"GPTDESK_HOME": str(folder / "home"), "QT_QPA_PLATFORM": "offscreen"}

    def run(program: str, *arguments: str, stdin: str = "") -> str:
        print("check_wheel:", program, *arguments)
        command = [str(scripts / program), *arguments]
        done = subprocess.run(
            command,
            check=True,
            cwd=folder,
            env=environment,
            input=stdin,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            timeout=300,
        )
        return done.stdout.strip()

    installed = Path(run("python", "-c", WHERE))
    if CHECKOUT in installed.parents:
        raise SystemExit(f"check_wheel: used {installed} of the checkout, not the wheel")
    for data in ("models", "resources"):
        if not (installed / "_data" / data).is_dir():
            raise SystemExit(f"check_wheel: the wheel brought no {data}")
    print(run("gptdesk", "--version"))
    print(run("gptdesk", "doctor"))
    continued = run(
        "gptdesk", "continue", "-", "--max-new-tokens", "24", "--seed", "1", stdin=OPENING
    )
    if not continued:
        raise SystemExit("check_wheel: the bundled model wrote nothing")
    print(continued)


if __name__ == "__main__":
    sys.exit(main())
