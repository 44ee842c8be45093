"""Sampling presets: a few words for the many numbers."""

from __future__ import annotations

from collections.abc import Mapping

from gptdesk.ui.widgets.translated import QT_TRANSLATE_NOOP

CONTEXT = "presets"
CUSTOM = "custom"

PRESET_LABELS = (
    ("precise", QT_TRANSLATE_NOOP("presets", "Precise")),
    ("balanced", QT_TRANSLATE_NOOP("presets", "Balanced")),
    ("creative", QT_TRANSLATE_NOOP("presets", "Creative")),
    (CUSTOM, QT_TRANSLATE_NOOP("presets", "Custom")),
)

# Keys are fields of `Sampling`. A repetition penalty over the last 256 tokens keeps small models out of
# loops without banning the names of a story.
PRESETS: Mapping[str, Mapping[str, float]] = {
    "precise": {
        "temperature": 0.3,
        "top_p": 0.85,
        "repetition_penalty": 1.1,
        "repetition_window": 256,
        "top_k": 20,
        "min_p": 0.0,
    },
    "balanced": {
        "temperature": 0.8,
        "top_p": 0.92,
        "repetition_penalty": 1.1,
        "repetition_window": 256,
        "top_k": 40,
        "min_p": 0.0,
    },
    "creative": {
        "temperature": 1.1,
        "top_p": 0.97,
        "repetition_penalty": 1.08,
        "repetition_window": 256,
        "top_k": 0,
        "min_p": 0.03,
    },
}


def preset_of(values: Mapping[str, float]) -> str:
    """The preset that `values` are, or "custom"."""
    for name, preset in PRESETS.items():
        if all(abs(values.get(key, preset[key]) - preset[key]) < 1e-9 for key in preset):
            return name
    return CUSTOM
