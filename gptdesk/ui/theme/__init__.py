"""Light and dark: colours by role, the palette and the style sheet made from them."""

from gptdesk.ui.theme.colors import Colors
from gptdesk.ui.theme.manager import CHOICES, ThemeManager, colors, manager

__all__ = ["CHOICES", "Colors", "ThemeManager", "colors", "manager"]
