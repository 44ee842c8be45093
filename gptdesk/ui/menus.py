"""Connects the menus' actions to what they do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QUrl, Slot
from PySide6.QtGui import QAction, QDesktopServices, QFontInfo
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu, QPlainTextEdit, QTextEdit

import gptdesk
from gptdesk import paths
from gptdesk.ui import choose, language, theme
from gptdesk.ui.editor.find_bar import FindBar
from gptdesk.ui.messages import Message
from gptdesk.ui.models.export_dialog import ExportDialog
from gptdesk.ui.models.info_dialog import ModelInfoDialog
from gptdesk.ui.models.open_dialog import OpenModelDialog
from gptdesk.ui.typeface_dialog import TypefaceDialog
from gptdesk.ui.widgets.parts import button

if TYPE_CHECKING:
    from gptdesk.ui.main_window import MainWindow


class Menus(QObject):
    """What happens when an action is triggered; no state of its own."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._actions = window.actions_
        self._handlers: dict[str, Callable[[], object]] = {}
        self._connect_documents()
        self._connect_editing()
        self._connect_view()
        self._connect_rest()
        self.update_model()
        self._show_choices()

    def _do(self, handlers: Mapping[str, Callable[[], object]]) -> None:
        for name, handler in handlers.items():
            self._handlers[name] = handler
            self._actions[name].triggered.connect(self._triggered)

    @Slot()
    def _triggered(self) -> None:
        self._handlers[self.sender().objectName()]()

    def _connect_documents(self) -> None:
        tabs = self._window.tabs
        self._do(
            {
                "file.new": tabs.new,
                "file.open": tabs.open_dialog,
                "file.save": tabs.save,
                "file.save_as": tabs.save_as,
                "file.close": tabs.close_current,
                "file.quit": self._window.close,
            }
        )
        self._actions.menus["file.recent"].aboutToShow.connect(self._fill_recent_files)

    def _connect_editing(self) -> None:
        for name in ("undo", "redo", "cut", "copy", "paste", "select_all"):
            self._do({f"edit.{name}": partial(self._edit, name)})
        assistant = self._window.assistant
        self._do(
            {
                "edit.find": lambda: self._find_bar.open_bar(),  # noqa: PLW0108 - each tab has its own
                "edit.replace": lambda: self._find_bar.open_bar(replace=True),
                "edit.find_next": lambda: self._find_bar.find_next(),  # noqa: PLW0108
                "edit.find_previous": lambda: self._find_bar.find_previous(),  # noqa: PLW0108
                "assistant.run": assistant.generate,
                "assistant.halt": assistant.stop,
                "assistant.again": assistant.retry,
                "assistant.back": partial(assistant.show_alternative, -1),
                "assistant.forth": partial(assistant.show_alternative, 1),
            }
        )
        # Esc means other things too (close the find bar, leave a dialog): it is Stop's only in a run.
        self._actions["assistant.halt"].setEnabled(False)
        assistant.busy_changed.connect(self._actions["assistant.halt"].setEnabled)

    def _connect_view(self) -> None:
        for choice in theme.CHOICES:
            self._do({f"view.theme.{choice}": partial(self._choose_theme, choice)})
        for choice in language.CHOICES:
            self._do({f"view.language.{choice}": partial(self._choose_language, choice)})
        self._do(
            {
                "view.panel": self._toggle_panel,
                "view.zoom_in": partial(self._window.typography.zoom, 1),
                "view.zoom_out": partial(self._window.typography.zoom, -1),
                "view.zoom_reset": partial(self._window.typography.zoom, 0),
                "view.typeface": self._choose_typeface,
                "view.full_screen": self._toggle_full_screen,
            }
        )
        self._corner = button("link", "view.show_panel")
        self._corner.clicked.connect(self._actions["view.panel"].trigger)
        self._window.menuBar().setCornerWidget(self._corner)
        self._window.side.changed.connect(self._show_panel_state)
        self.retranslate()

    def _connect_rest(self) -> None:
        self._do(
            {
                "model.open": self.open_model,
                "model.teach": self._window.teaching.show_dialog,
                "model.info": self._show_information,
                "model.export": self._export,
                "model.unload": self._window.models.unload,
                "model.adapter.choose": self._choose_adapter,
                "model.adapter.use": self._switch_adapter,
                "model.adapter.remove": self._window.models.adapters.remove,
                "help.keys": self._show_keys,
                "help.logs": self._show_log,
                "help.about": self._show_about,
            }
        )
        self._actions.menus["model.recent"].aboutToShow.connect(self._fill_recent_models)

    # --- editing ---

    @property
    def _find_bar(self) -> FindBar:
        return self._window.tabs.current.find_bar

    def _edit(self, name: str) -> None:
        """Undo, cut and the like act where the caret is: the text, the source box, a field."""
        widget = QApplication.focusWidget()
        if not isinstance(widget, QTextEdit | QPlainTextEdit | QLineEdit):
            widget = self._window.tabs.current.editor
        method = {"select_all": "selectAll"}.get(name, name)
        getattr(widget, method)()

    @Slot()
    def _fill_recent_files(self) -> None:
        menu = self._actions.menus["file.recent"]
        files = [path for path in self._window.settings.get("files.recent") if Path(path).exists()]
        _fill(menu, files, self._open_recent_file, self.tr("No documents yet"))

    @Slot()
    def _open_recent_file(self) -> None:
        self._window.tabs.open(_value_of(self.sender()))

    # --- view ---

    @Slot()
    def _show_panel_state(self) -> None:
        shown = self._window.side.side_shown
        self._actions["view.panel"].setChecked(shown)
        self._corner.setVisible(not shown)

    def retranslate(self) -> None:
        """Label what is no action in the language of the window."""
        self._corner.setText(self.tr("Assistant") + " ‹")
        self._corner.setToolTip(self.tr("Show the assistant (F9)"))
        self._corner.setAccessibleName(self.tr("Show the assistant (F9)"))

    def _choose_theme(self, choice: str) -> None:
        self._window.settings.set("ui.theme", choice)
        theme.manager().apply(choice)

    def _choose_language(self, choice: str) -> None:
        self._window.settings.set("ui.language", choice)
        language.translators().apply(choice)

    def _choose_typeface(self) -> None:
        window = self._window
        usual = QFontInfo(window.tabs.editor.document().defaultFont()).family()
        TypefaceDialog(window.typography, usual, window).show()

    def _show_choices(self) -> None:
        settings = self._window.settings
        self._actions[f"view.theme.{settings.get('ui.theme')}"].setChecked(True)
        self._actions[f"view.language.{settings.get('ui.language')}"].setChecked(True)

    def _toggle_panel(self) -> None:
        self._window.side.show_side(self._actions["view.panel"].isChecked())

    def _toggle_full_screen(self) -> None:
        if self._actions["view.full_screen"].isChecked():
            self._window.showFullScreen()
        else:
            self._window.showNormal()

    # --- model ---

    def update_model(self) -> None:
        """Offer what can be done with the model in use."""
        opened = self._window.models.current
        for name in ("model.teach", "model.info", "model.unload"):
            self._actions[name].setEnabled(opened is not None)
        exportable = opened is not None and opened.model.kind != "onnx"
        self._actions["model.export"].setEnabled(exportable)
        adaptable = opened is not None and opened.engine.name == "torch"
        self._actions["model.adapter.choose"].setEnabled(adaptable)
        for name in ("model.adapter.use", "model.adapter.remove"):
            self._actions[name].setEnabled(opened is not None and opened.adapter is not None)
        in_use = opened is not None and opened.adapter_enabled
        self._actions["model.adapter.use"].setChecked(in_use)

    def open_model(self) -> None:
        """Show Open Model… with every model there is: bundled, the person's own, recent ones."""
        OpenModelDialog(self._window.models, self._window).open()

    @Slot()
    def _fill_recent_models(self) -> None:
        menu = self._actions.menus["model.recent"]
        _fill(menu, self._window.models.recent, self._open_recent_model, self.tr("No models yet"))

    @Slot()
    def _open_recent_model(self) -> None:
        self._window.models.load(_value_of(self.sender()))

    def _choose_adapter(self) -> None:
        adapters = self._window.models.adapters
        title = self.tr("Choose the folder of an adapter")
        path = choose.folder(self._window, title, adapters.place)
        if path:
            adapters.put_on(path)

    def _switch_adapter(self) -> None:
        self._window.models.adapters.switch(self._actions["model.adapter.use"].isChecked())

    def _show_information(self) -> None:
        if self._window.models.current is not None:
            ModelInfoDialog(self._window.models.current, self._window).open()

    def _export(self) -> None:
        models = self._window.models
        if models.current is not None:
            ExportDialog(models, models.current, self._window).open()

    # --- help ---

    def _show_keys(self) -> None:
        keys = [
            (self.tr("Generate"), "Ctrl+Return"),
            (self.tr("Stop"), "Esc"),
            (self.tr("Accept"), "Tab"),
            (self.tr("Again"), "Ctrl+R"),
            (self.tr("Versions"), "Alt+[  Alt+]"),
            (self.tr("Assistant"), "F9"),
        ]
        text = "   ·   ".join(f"{name}  {key}" for name, key in keys)
        self._window.messages.show(Message(self.tr("Keys"), text, is_error=False))

    def _show_log(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(paths.log_dir())))

    def _show_about(self) -> None:
        text = self.tr("A writing assistant whose language model runs on this computer.")
        title = f"gptdesk {gptdesk.__version__}"
        self._window.messages.show(Message(title, text, is_error=False))


def _fill(menu: QMenu, values: list[str], slot: object, empty: str) -> None:
    menu.clear()
    for value in values:
        action = QAction(value, menu)
        action.setData(value)
        action.triggered.connect(slot)
        menu.addAction(action)
    if not values:
        menu.addAction(empty).setEnabled(False)


def _value_of(sender: QObject) -> str:
    return str(sender.data()) if isinstance(sender, QAction) else ""
