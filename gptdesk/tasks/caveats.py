"""What to expect where a task meets something that the model is weak at: said, never refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gptdesk.tasks.languages import CHOICES, automatic_target, detect, name
from gptdesk.tasks.profile import ModelProfile

if TYPE_CHECKING:
    from gptdesk.text.tokenizer import Tokenizer

# The others write on after the last part of a text, or take it sentence by sentence.
_READS_WHOLE = frozenset({"summarize"})
# No tokenizer in use makes longer tokens on average: more characters need not be counted.
_CHARACTERS_PER_TOKEN = 16


def caveats(
    task: str,
    text: str,
    options: Mapping[str, Any],
    profile: ModelProfile,
    tokenizer: Tokenizer,
) -> list[str]:
    """Sentences on what falls under the model's weak points, the gravest first.

    Args:
        task: id of the task.
        text: what the person wrote; it may be empty.
        options: values of the task's options; those that are missing count as not chosen.
        profile: with the weak points.
        tokenizer: the model's.
    """
    weak = profile.experimental
    used = _languages(text, options)
    names = [name(code) for code, _ in CHOICES if code in used and code in weak.languages]
    said = []
    if len(names) == 1:
        said.append(f"{names[0]} is experimental in this model: expect mistakes.")
    elif names:
        first, second = names
        said.append(f"{first} and {second} are experimental in this model: expect mistakes.")
    if task in _READS_WHOLE and _is_longer(text, weak.text_tokens, tokenizer):
        said.append(
            "This text is long for this model: the summary may leave out or confuse things. "
            "A shorter passage does better."
        )
    return said


def _languages(text: str, options: Mapping[str, Any]) -> set[str]:
    """What a run reads and writes: at most two, and of an empty text only what was chosen."""
    source = options.get("source", "auto")
    if source == "auto":
        source = detect(text) if text.strip() else ""
    target = options.get("target") or options.get("language") or "same"
    if target == "auto":
        target = automatic_target(source) if source else ""
    return {source, source if target == "same" else target}


def _is_longer(text: str, limit: int, tokenizer: Tokenizer) -> bool:
    return limit > 0 and tokenizer.count(text[: (limit + 1) * _CHARACTERS_PER_TOKEN]) > limit
