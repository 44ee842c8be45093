"""What only the fake engine has: a script, an end, a delay."""

from __future__ import annotations

import time

from gptdesk.engines.fake_engine import FakeEngine


def say(engine: FakeEngine, prompt: list[int], count: int) -> list[int]:
    ids: list[int] = []
    row = engine.extend(prompt)[-1]
    for _ in range(count):
        ids.append(int(row.argmax()))
        row = engine.extend(ids[-1:])[-1]
    return ids


def test_it_says_its_script_after_any_prompt_and_then_the_end() -> None:
    engine = FakeEngine(100, 64, script=[7, 8, 7, 9], end_id=3)
    assert say(engine, [1, 2], 6) == [7, 8, 7, 9, 3, 7]


def test_the_script_goes_on_where_a_truncated_text_stands() -> None:
    engine = FakeEngine(100, 64, script=[7, 8, 7, 9], end_id=3)
    say(engine, [1, 2], 4)
    engine.truncate(4)
    assert say(engine, [7], 2) == [9, 3]


def test_two_engines_agree_without_a_script() -> None:
    assert say(FakeEngine(), [1, 2, 3], 10) == say(FakeEngine(), [1, 2, 3], 10)
    assert say(FakeEngine(), [1, 2, 3], 10) != say(FakeEngine(), [2, 2, 3], 10)


def test_the_delay_is_kept() -> None:
    engine = FakeEngine(delay=0.02)
    start = time.perf_counter()
    engine.extend([1])
    assert time.perf_counter() - start >= 0.02
