"""The app is killed again and again while it is typed into: what is typed survives."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gptdesk import paths
from gptdesk.settings import Settings
from tests.helpers import checkpoints

KILLS = int(os.environ.get("GPTDESK_SOAK_KILLS", "50"))
DURING_START = 5  # every fifth kill strikes while the window comes up or restores
MOST_LOST_SECONDS = 2.0
PATIENCE_SECONDS = 90
CHECKOUT = Path(__file__).parents[2]

State = dict[str, Any]


@dataclass
class Life:
    """The states of the last session that lived long enough to note any, and when it was killed."""

    states: list[State] = field(default_factory=list)
    killed: float = 0.0

    def lost_seconds(self, restored: State) -> float:
        """How much typing is missing from what a start brought back; fails where text is damaged."""
        return max(self._lost(name, restored["texts"][name]) for name in ("file", "untitled"))

    def _lost(self, name: str, text: str) -> float:
        texts = [state["texts"][name] for state in self.states]
        assert text in texts, f"never was the text of {name}: {text!r}; it was {texts[-1]!r}"
        newest = len(texts) - 1 - texts[::-1].index(text)
        return 0.0 if newest == len(texts) - 1 else self.killed - self.states[newest + 1]["time"]


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_kills_while_typing_and_generating_lose_two_seconds_at_most(tmp_path: Path) -> None:
    model = checkpoints.write_llama(
        tmp_path / "model",
        hidden_size=256,
        intermediate_size=704,
        num_hidden_layers=6,
        max_position_embeddings=4096,
    )
    note = tmp_path / "note.md"
    note.write_text("The end.", encoding="utf-8")
    chance = random.Random(0)
    life, losses, generating = Life(), [], 0
    ever = {"The end."}
    for number in range(KILLS + 1):
        log = tmp_path / f"{number}.jsonl"
        early = number % DURING_START == DURING_START - 1 and number < KILLS
        with running(log, number, model, note) as app:
            if early:
                time.sleep(chance.uniform(0.1, 1.0))
            else:
                wait_for_generation(log, app)
                time.sleep(chance.uniform(0.0, 3.0))
            assert app.poll() is None, app.communicate()
            app.kill()
            killed = time.monotonic()
        states = read_states(log)
        if states:
            if life.states:
                losses.append(life.lost_seconds(states[0]))
            life = Life(states, killed)
            generating += bool(states[-1]["generating"])
            ever.update(state["texts"]["file"] for state in states)
        assert note.read_text(encoding="utf-8") in ever, f"kill {number} damaged the file"
        check_folders()
    typed = sum(map(len, life.states[-1]["texts"].values()))
    print(f"\n{number} kills, {generating} of them while generating; {typed} characters in the end")
    print(f"lost typing: median {sorted(losses)[len(losses) // 2]:.2f} s, most {max(losses):.2f} s")
    assert max(losses) <= MOST_LOST_SECONDS
    assert generating >= KILLS // 2


@contextmanager
def running(log: Path, seed: int, model: Path, note: Path) -> Iterator[subprocess.Popen[str]]:
    """The app with the robot in it; dead at the end."""
    command = [sys.executable, "-m", "tests.soak.scribe", str(log), str(seed)]
    app = subprocess.Popen(
        [*command, str(model), str(note)], stderr=subprocess.PIPE, text=True, cwd=CHECKOUT
    )
    try:
        yield app
    finally:
        app.kill()
        app.communicate()


def wait_for_generation(log: Path, app: subprocess.Popen[str]) -> None:
    """Wait until the robot is at work and the model too."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not any(state["generating"] for state in read_states(log)):
        assert app.poll() is None, app.communicate()
        assert time.monotonic() < deadline, "the app did not get to work"
        time.sleep(0.05)


def read_states(log: Path) -> list[State]:
    """What the robot noted; the kill may have cut the last line."""
    if not log.exists():
        return []
    lines = log.read_bytes().split(b"\n")[:-1]
    return [json.loads(line) for line in lines]


def check_folders() -> None:
    """No entry of the journal and no settings file is damaged by a kill, no session is left over."""
    journal = paths.journal_dir()
    assert not (journal / "damaged").exists()
    assert len(list(journal.iterdir())) <= 1 + KILLS // DURING_START
    assert not Settings.load().problems
