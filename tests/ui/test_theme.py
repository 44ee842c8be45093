"""Both themes are complete and readable."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gptdesk import paths
from gptdesk.errors import OptionError
from gptdesk.ui import theme
from gptdesk.ui.theme.colors import Colors, load_colors
from gptdesk.ui.theme.palette import make_palette
from gptdesk.ui.theme.style_sheet import make_style_sheet

# What is written on what, wherever the window does so.
PAIRS = [
    *(
        (text, ground)
        for text in ("ink", "muted")
        for ground in ("paper", "chrome", "panel", "card")
    ),
    *(("accent", ground) for ground in ("paper", "panel", "card", "soft")),
    ("ink", "soft"),
    ("on_accent", "accent"),
    ("paper", "ink"),
    ("amber", "chrome"),
    ("red", "chrome"),
    ("red", "card"),
    ("red", "panel"),
]


def luminance(color: str) -> float:
    """Relative luminance as WCAG 2.1 defines it."""
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_reads_at_four_and_a_half_to_one(name: str, text: str, ground: str) -> None:
    colors = load_colors(name)
    assert contrast(getattr(colors, text), getattr(colors, ground)) >= 4.5


@pytest.mark.parametrize("name", ["light", "dark"])
def test_the_style_sheet_has_every_colour_and_every_icon(name: str) -> None:
    sheet = make_style_sheet(load_colors(name))
    assert "$" not in sheet
    icons = [part.partition(")")[0] for part in sheet.split("url(")[1:]]
    assert icons
    assert all(Path(icon).is_file() for icon in icons)


def test_the_palette_leaves_no_role_to_the_desktop(qtbot: QtBot) -> None:
    colors = load_colors("dark")
    own = {QColor(getattr(colors, f.name)).rgb() for f in fields(Colors) if f.name != "dark"}
    palette = make_palette(colors)
    for role in palette.ColorRole:
        if role not in (palette.ColorRole.NoRole, palette.ColorRole.NColorRoles):
            assert palette.color(role).rgb() in own, role


def test_a_broken_theme_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "resources_dir", lambda: tmp_path)
    (tmp_path / "themes").mkdir()
    (tmp_path / "themes" / "light.toml").write_text('[colors]\npaper = "white"\n')
    with pytest.raises(OptionError, match=r"light\.toml lacks .* paper, chrome"):
        load_colors("light")
    with pytest.raises(OptionError, match=r"dark\.toml cannot be read"):
        load_colors("dark")


def test_a_choice_dresses_the_application_and_tells(qtbot: QtBot, dressed: QApplication) -> None:
    with qtbot.waitSignal(theme.manager().changed):
        theme.manager().apply("dark")
    assert theme.colors() == load_colors("dark")
    assert dressed.palette().window().color().name() == load_colors("dark").panel.lower()
    theme.manager().apply("no such theme")
    assert theme.manager().choice == "auto"
