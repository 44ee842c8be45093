"""What the window remembers from one start to the next."""

from __future__ import annotations

from PySide6.QtCore import QByteArray
from PySide6.QtWidgets import QMainWindow

from gptdesk.settings import Settings
from gptdesk.ui.assistant.panel import AssistantPanel
from gptdesk.ui.documents import DocumentTabs
from gptdesk.ui.side_layout import SideLayout

_MOST_RECENT_FILES = 12


def restore_window(settings: Settings, window: QMainWindow, side: SideLayout) -> None:
    """Place, size and panel of the last session; a sensible size the first time."""
    geometry = settings.get("ui.window")
    # A broken value changes nothing, and Qt brings a window on a lost screen back into sight.
    saved = QByteArray.fromHex(geometry.encode("ascii", "ignore"))
    if not geometry or not window.restoreGeometry(saved):
        window.resize(1280, 800)
    width = settings.get("ui.splitter")
    if width.isdecimal():
        side.side_width = int(width)
    side.wanted = settings.get("ui.panel_visible")


def restore_panel(settings: Settings, panel: AssistantPanel) -> None:
    """Mode, options and sampling of the last session."""
    panel.restore_options(settings.get("assistant.options"))
    panel.sampling.restore(settings.get("assistant.preset"), settings.get("assistant.sampling"))
    mode = settings.get("assistant.mode")
    panel.set_mode(mode if mode in panel.forms else panel.mode)


def store(
    settings: Settings,
    window: QMainWindow,
    side: SideLayout,
    panel: AssistantPanel,
    tabs: DocumentTabs,
) -> None:
    """Put everything worth remembering into the settings; the caller saves them."""
    values = {
        "ui.window": bytes(window.saveGeometry().toHex().data()).decode("ascii"),
        "ui.splitter": str(side.side_width),
        "ui.panel_visible": side.wanted,
        "assistant.mode": panel.mode,
        "assistant.preset": panel.sampling.remembered_preset,
        "assistant.sampling": panel.sampling.custom_values(),
        "assistant.options": panel.all_options(),
        "files.open": tabs.open_paths(),
        "files.last_dir": str(tabs.last_folder),
    }
    for key, value in values.items():
        settings.set(key, value)


def note_recent_file(settings: Settings, path: str) -> None:
    """Put a file at the head of the recent ones."""
    others = [other for other in settings.get("files.recent") if other != path]
    settings.set("files.recent", [path, *others][:_MOST_RECENT_FILES])
