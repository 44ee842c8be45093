"""An editor on the screen, with the light theme."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from gptdesk.ui.editor.text_edit import TextEdit
from gptdesk.ui.theme.colors import load_colors


@pytest.fixture
def editor(qtbot: QtBot) -> TextEdit:
    widget = TextEdit()
    qtbot.addWidget(widget)
    widget.set_colors(load_colors("light"))
    widget.resize(905, 716)
    with qtbot.waitExposed(widget):
        widget.show()
    widget.setFocus()
    return widget
