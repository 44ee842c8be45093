"""The palette of a theme, for everything that the style sheet does not reach."""

from __future__ import annotations

from PySide6.QtGui import QColor, QPalette

from gptdesk.ui.theme.colors import Colors


def make_palette(colors: Colors) -> QPalette:
    """A complete palette: every role a Fusion widget asks for, so that nothing is left grey on black."""
    role = QPalette.ColorRole
    palette = QPalette()
    pairs = {
        role.Window: colors.panel,
        role.WindowText: colors.ink,
        role.Base: colors.card,
        role.AlternateBase: colors.panel,
        role.Text: colors.ink,
        role.PlaceholderText: colors.muted,
        role.Button: colors.chrome,
        role.ButtonText: colors.ink,
        role.BrightText: colors.red,
        role.ToolTipBase: colors.card,
        role.ToolTipText: colors.ink,
        role.Highlight: colors.soft,
        role.HighlightedText: colors.ink,
        role.Link: colors.accent,
        role.LinkVisited: colors.accent,
        role.Accent: colors.accent,
        role.Light: colors.card,
        role.Midlight: colors.hairline,
        role.Mid: colors.hairline,
        role.Dark: colors.hairline,
        role.Shadow: colors.hairline,
    }
    for name, value in pairs.items():
        palette.setColor(name, QColor(value))
    for name in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, name, QColor(colors.muted))
    return palette
