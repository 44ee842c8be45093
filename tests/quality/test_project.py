"""What the project says of itself is true: dependencies, pinned versions, make targets, both readmes."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.quality.sources import ROOT, package_imports

READMES = ("README.md", "README.zh-CN.md")

# Where the name to import is not the name to install.
INSTALLED_AS = {
    "PySide6": "pyside6-essentials",
    "shiboken6": "pyside6-essentials",
    "charset_normalizer": "charset-normalizer",
    "google": "protobuf",
    "onnxruntime": "onnxruntime-gpu",
}


@cache
def project() -> dict[str, Any]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        table: dict[str, Any] = tomllib.load(file)["project"]
    return table


def requirements() -> list[Requirement]:
    extras = [line for group in project()["optional-dependencies"].values() for line in group]
    found = [Requirement(line) for line in [*project()["dependencies"], *extras]]
    return [requirement for requirement in found if requirement.name != "gptdesk"]


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pairs}


@pytest.mark.parametrize("requirement", requirements(), ids=str)
def test_each_dependency_is_pinned_to_a_version_it_allows(requirement: Requirement) -> None:
    assert requirement.specifier.contains(pins()[canonicalize_name(requirement.name)])


def test_the_pyside_that_kills_the_interpreter_is_excluded() -> None:
    (pyside,) = [found for found in requirements() if found.name == "PySide6-Essentials"]
    assert not pyside.specifier.contains("6.12.0")


@pytest.mark.parametrize("platform", ["linux", "win32", "darwin"])
@pytest.mark.parametrize("machine", ["x86_64", "AMD64", "arm64", "aarch64"])
def test_exactly_one_build_of_onnx_runtime_is_installed(platform: str, machine: str) -> None:
    here = {"sys_platform": platform, "platform_machine": machine}
    wanted = [
        found.name
        for found in requirements()
        if found.name.startswith("onnxruntime")
        and (not found.marker or found.marker.evaluate(here))
    ]
    assert len(wanted) == 1
    assert platform != "darwin" or wanted == ["onnxruntime"]


def test_every_library_in_use_is_a_declared_dependency() -> None:
    lines = [*project()["dependencies"], *project()["optional-dependencies"]["train"]]
    declared = {canonicalize_name(Requirement(line).name) for line in lines}
    used = {found.target.partition(".")[0] for found in package_imports()}
    foreign = used - set(sys.stdlib_module_names) - {"gptdesk"}
    assert {INSTALLED_AS.get(name, canonicalize_name(name)) for name in foreign} <= declared


@pytest.mark.parametrize("readme", READMES)
def test_every_make_target_of_the_readme_exists(readme: str) -> None:
    named = set(re.findall(r"^    make ([a-z]+)|`make ([a-z]+)", _text(readme), re.MULTILINE))
    named = {first or second for first, second in named}
    assert {"run", "test", "check"} <= named
    targets = set(re.findall(r"^([a-z]+):", _text("Makefile"), re.MULTILINE))
    assert named <= targets


@pytest.mark.parametrize("readme", READMES)
def test_every_path_of_the_readme_exists(readme: str) -> None:
    named = re.findall(r"[`(]((?:gptdesk|models|resources|tests|\.ci)/[\w./-]*)[`)]", _text(readme))
    missing = [name for name in named if "NAME" not in name and not (ROOT / name).exists()]
    assert not missing


def test_the_readmes_have_the_same_parts_and_the_same_commands() -> None:
    shapes = [re.findall(r"^(#+) ", _text(name), re.MULTILINE) for name in READMES]
    assert shapes[0] == shapes[1]
    commands = [
        re.findall(r"^    (gptdesk [a-z]+|make [a-z]+)", _text(name), re.MULTILINE)
        for name in READMES
    ]
    assert commands[0] == commands[1]


@pytest.mark.parametrize("readme", READMES)
def test_the_python_example_of_the_readme_runs(readme: str) -> None:
    blocks = re.findall(r"(?:^    .*\n|^\n)+", _text(readme), re.MULTILINE)
    (example,) = [block for block in blocks if "import gptdesk" in block]
    command = [sys.executable, "-c", textwrap.dedent(example)]
    done = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_the_version_is_in_the_changelog_or_unreleased() -> None:
    import gptdesk

    heads = re.findall(r"^## \[([^]]+)\]", _text("CHANGELOG.md"), re.MULTILINE)
    assert heads[0] in ("Unreleased", gptdesk.__version__)


def _text(name: str) -> str:
    return (ROOT / Path(name)).read_text(encoding="utf-8")
