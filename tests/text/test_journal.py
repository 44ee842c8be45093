"""The journal's files: damage is survived, living sessions are left alone, dead ones adopted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptdesk.text.journal import Journal, JournalEntry

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(TEXT, TEXT, TEXT, st.integers(0, 2**31), st.booleans())
def test_an_entry_comes_back_as_it_was(
    path: str, text: str, provisional: str, cursor: int, modified: bool
) -> None:
    entry = JournalEntry("k", path, text, provisional, 3, cursor, modified=modified)
    assert JournalEntry.from_bytes(entry.to_bytes()) == entry


@given(st.data())
def test_a_damaged_entry_is_recognised(data: st.DataObject) -> None:
    whole = JournalEntry("k", "/a", "some text").to_bytes()
    index = data.draw(st.integers(0, len(whole) - 1))
    flipped = bytearray(whole)
    flipped[index] ^= data.draw(st.integers(1, 255))
    for broken in (bytes(flipped), whole[:index]):
        with pytest.raises(ValueError, match=r"check sum|version"):
            JournalEntry.from_bytes(broken)


def test_a_session_that_died_is_adopted_once(tmp_path: Path) -> None:
    dead = Journal(tmp_path)
    dead.write(JournalEntry("abc", text="unsaved"))
    dead._lock.release()  # what the system does when a process dies

    first, second = Journal(tmp_path), Journal(tmp_path)
    assert [entry.text for entry in first.adopt().entries] == ["unsaved"]
    assert second.adopt().entries == []
    assert not dead._folder.exists()

    first.remove("abc")
    first.close()
    second.close()
    assert list(tmp_path.iterdir()) == []


def test_a_kill_while_adopting_brings_nothing_back_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = Journal(tmp_path)
    for key in ("abc", "def"):
        dead.write(JournalEntry(key, text=f"text of {key}"))
    dead._lock.release()

    def die(*_: object, **__: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", die)
        killed = Journal(tmp_path)
        with pytest.raises(SystemExit):
            killed.adopt()
        killed._lock.release()
    journal = Journal(tmp_path)
    texts = sorted(entry.text for entry in journal.adopt().entries)
    assert texts == ["text of abc", "text of def"]
    journal.close()


def test_a_copied_folder_loses_neither_text(tmp_path: Path) -> None:
    for text in ("one", "other"):
        dead = Journal(tmp_path)
        dead.write(JournalEntry("abc", text=text))
        dead._lock.release()
    journal = Journal(tmp_path)
    adopted = journal.adopt().entries
    assert sorted(entry.text for entry in adopted) == ["one", "other"]
    assert len({entry.key for entry in adopted}) == 2
    journal.close()


def test_a_living_session_is_left_alone(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from gptdesk.text.journal import *;"
        "j = Journal(Path(sys.argv[1])); j.write(JournalEntry('abc', text='mine'));"
        "print('ready', flush=True); sys.stdin.read()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"
    journal = Journal(tmp_path)
    assert journal.adopt().entries == []
    child.kill()
    child.communicate()
    assert [entry.text for entry in journal.adopt().entries] == ["mine"]
    journal.close()


def test_damaged_entries_are_kept_aside(tmp_path: Path) -> None:
    dead = Journal(tmp_path)
    dead.write(JournalEntry("good", text="unsaved"))
    (dead._folder / "bad.json").write_bytes(b"half an ent")
    dead._lock.release()
    journal = Journal(tmp_path)
    adopted = journal.adopt()
    assert [entry.key for entry in adopted.entries] == ["good"]
    assert [file.read_bytes() for file in adopted.damaged] == [b"half an ent"]
    journal.close()
    assert (tmp_path / "damaged").is_dir()


def test_entries_left_at_the_end_wait_for_the_next_start(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.write(JournalEntry("abc", text="unsaved"))
    journal.close()
    following = Journal(tmp_path)
    assert [entry.text for entry in following.adopt().entries] == ["unsaved"]
    following.close()


def test_a_key_is_no_path(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    with pytest.raises(ValueError, match="key"):
        journal.write(JournalEntry("../x"))
    journal.close()
