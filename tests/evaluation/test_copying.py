"""The alarm against copying: it sounds for what was copied, and for nothing else."""

from __future__ import annotations

from gptdesk.evaluation.copying import ALARM_CHARACTERS, ALARM_WORDS, Copied, copied_runs

LEARNT = [
    (
        "On the last evening of the year the keeper, who had not spoken since the storm, "
        "carried four lamps up to the gallery and lit them one after another for nobody."
    ),
    "All rights reserved. No part of this book may be reproduced in any form without the written "
    "permission of the house that published it first. " * 3,
    "ha ha ha ha ha ha ha ha ha ha ha ha ha ha ha ha ha ha ha ha",
    "灯塔看守人每天晚上都写一封信虽然没有船来把它带走雨落在海港上直到早晨风从北方来。",
]


def judged(sample: str) -> Copied:
    (run,) = copied_runs([sample], lambda: LEARNT)
    return run


def test_a_copied_sentence_sounds_the_alarm() -> None:
    run = judged(
        "And then THE KEEPER who had not spoken since the storm carried four lamps up to the moon"
    )
    assert run.words == 15
    assert run.words >= ALARM_WORDS
    assert run.text.startswith("the keeper who had")
    assert run.is_alarming


def test_a_phrase_does_not() -> None:
    run = judged("He carried four lamps up to the gallery and sat down.")
    assert (run.words, run.is_alarming) == (8, False)


def test_nor_does_a_formula_that_the_text_repeats() -> None:
    run = judged(
        "No part of this book may be reproduced in any form without the written permission of "
        "the house that published it first"
    )
    assert run.words > ALARM_WORDS
    assert (run.occurrences, run.is_alarming) == (3, False)


def test_nor_the_same_word_over_and_over() -> None:
    run = judged("ha " * 18)
    assert run.words == 18
    assert not run.is_alarming


def test_chinese_counts_characters() -> None:
    assert not judged(LEARNT[3][: ALARM_CHARACTERS - 5]).is_alarming
    assert judged(LEARNT[3]).is_alarming


def test_a_sample_that_shares_nothing_is_left_out() -> None:
    assert copied_runs(["zzz", ""], lambda: LEARNT) == []
