"""The menus as data: every action's name, words, keys; the window connects them by name."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication, QObject
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar

from gptdesk.ui.widgets.translated import QT_TRANSLATE_NOOP

_CONTEXT = "menus"


@dataclass(frozen=True)
class Entry:
    """One action.

    Attributes:
        name: stable, also the object name: "file.open".
        text: English; "&" marks the letter for the keyboard.
        keys: portable key sequences, the first one is shown.
        checkable: whether it is a switch.
        group: entries of one group exclude each other.
    """

    name: str
    text: str
    keys: tuple[str, ...] = ()
    checkable: bool = False
    group: str = ""


@dataclass(frozen=True)
class Submenu:
    """A menu in a menu; without entries it is filled while the app runs."""

    name: str
    text: str
    entries: tuple[Entry, ...] = ()


LINE = None
"""A separating line."""

Item = Entry | Submenu | None


MENUS: tuple[tuple[str, str, tuple[Item, ...]], ...] = (
    (
        "file",
        QT_TRANSLATE_NOOP("menus", "&File"),
        (
            Entry("file.new", QT_TRANSLATE_NOOP("menus", "&New"), ("Ctrl+N",)),
            Entry("file.open", QT_TRANSLATE_NOOP("menus", "&Open…"), ("Ctrl+O",)),
            Submenu("file.recent", QT_TRANSLATE_NOOP("menus", "Open &Recent")),
            LINE,
            Entry("file.save", QT_TRANSLATE_NOOP("menus", "&Save"), ("Ctrl+S",)),
            Entry("file.save_as", QT_TRANSLATE_NOOP("menus", "Save &As…"), ("Ctrl+Shift+S",)),
            LINE,
            Entry("file.close", QT_TRANSLATE_NOOP("menus", "&Close"), ("Ctrl+W",)),
            Entry("file.quit", QT_TRANSLATE_NOOP("menus", "&Quit"), ("Ctrl+Q",)),
        ),
    ),
    (
        "edit",
        QT_TRANSLATE_NOOP("menus", "&Edit"),
        (
            Entry("edit.undo", QT_TRANSLATE_NOOP("menus", "&Undo"), ("Ctrl+Z",)),
            Entry("edit.redo", QT_TRANSLATE_NOOP("menus", "&Redo"), ("Ctrl+Shift+Z", "Ctrl+Y")),
            LINE,
            Entry("edit.cut", QT_TRANSLATE_NOOP("menus", "Cu&t"), ("Ctrl+X",)),
            Entry("edit.copy", QT_TRANSLATE_NOOP("menus", "&Copy"), ("Ctrl+C",)),
            Entry("edit.paste", QT_TRANSLATE_NOOP("menus", "&Paste"), ("Ctrl+V",)),
            Entry("edit.select_all", QT_TRANSLATE_NOOP("menus", "Select &All"), ("Ctrl+A",)),
            LINE,
            Entry("edit.find", QT_TRANSLATE_NOOP("menus", "&Find…"), ("Ctrl+F",)),
            Entry("edit.find_next", QT_TRANSLATE_NOOP("menus", "Find &Next"), ("F3",)),
            Entry(
                "edit.find_previous", QT_TRANSLATE_NOOP("menus", "Find Pre&vious"), ("Shift+F3",)
            ),
            Entry("edit.replace", QT_TRANSLATE_NOOP("menus", "Rep&lace…"), ("Ctrl+H",)),
            LINE,
            Entry(
                "assistant.run",
                QT_TRANSLATE_NOOP("menus", "&Generate"),
                ("Ctrl+Return", "Ctrl+Enter"),
            ),
            Entry("assistant.halt", QT_TRANSLATE_NOOP("menus", "&Stop Generating"), ("Esc",)),
            Entry("assistant.again", QT_TRANSLATE_NOOP("menus", "Gene&rate Again"), ("Ctrl+R",)),
            Entry("assistant.back", QT_TRANSLATE_NOOP("menus", "Previous Version"), ("Alt+[",)),
            Entry("assistant.forth", QT_TRANSLATE_NOOP("menus", "Next Version"), ("Alt+]",)),
        ),
    ),
    (
        "view",
        QT_TRANSLATE_NOOP("menus", "&View"),
        (
            Entry("view.panel", QT_TRANSLATE_NOOP("menus", "&Assistant"), ("F9",), checkable=True),
            LINE,
            Entry("view.zoom_in", QT_TRANSLATE_NOOP("menus", "&Larger Text"), ("Ctrl++", "Ctrl+=")),
            Entry("view.zoom_out", QT_TRANSLATE_NOOP("menus", "&Smaller Text"), ("Ctrl+-",)),
            Entry("view.zoom_reset", QT_TRANSLATE_NOOP("menus", "&Normal Text"), ("Ctrl+0",)),
            Entry("view.typeface", QT_TRANSLATE_NOOP("menus", "&Typeface…")),
            LINE,
            Submenu(
                "view.theme",
                QT_TRANSLATE_NOOP("menus", "&Colours"),
                (
                    Entry(
                        "view.theme.auto",
                        QT_TRANSLATE_NOOP("menus", "As the System"),
                        (),
                        True,
                        "theme",
                    ),
                    Entry(
                        "view.theme.light", QT_TRANSLATE_NOOP("menus", "Light"), (), True, "theme"
                    ),
                    Entry("view.theme.dark", QT_TRANSLATE_NOOP("menus", "Dark"), (), True, "theme"),
                ),
            ),
            Submenu(
                "view.language",
                QT_TRANSLATE_NOOP("menus", "Lan&guage"),
                (
                    Entry(
                        "view.language.auto",
                        QT_TRANSLATE_NOOP("menus", "As the System"),
                        (),
                        True,
                        "language",
                    ),
                    # A language is named in itself, so that its speakers find it.
                    Entry("view.language.en", "English", (), True, "language"),
                    Entry("view.language.zh_CN", "简体中文", (), True, "language"),
                ),
            ),
            LINE,
            Entry(
                "view.full_screen",
                QT_TRANSLATE_NOOP("menus", "&Full Screen"),
                ("F11",),
                checkable=True,
            ),
        ),
    ),
    (
        "model",
        QT_TRANSLATE_NOOP("menus", "&Model"),
        (
            Entry("model.open", QT_TRANSLATE_NOOP("menus", "&Open Model…"), ("Ctrl+Shift+O",)),
            Submenu("model.recent", QT_TRANSLATE_NOOP("menus", "Open &Recent")),
            Submenu(
                "model.adapter",
                QT_TRANSLATE_NOOP("menus", "&Adapter"),
                (
                    Entry("model.adapter.choose", QT_TRANSLATE_NOOP("menus", "&Choose Adapter…")),
                    Entry(
                        "model.adapter.use",
                        QT_TRANSLATE_NOOP("menus", "&Use Adapter"),
                        checkable=True,
                    ),
                    Entry("model.adapter.remove", QT_TRANSLATE_NOOP("menus", "&Remove Adapter")),
                ),
            ),
            Entry("model.teach", QT_TRANSLATE_NOOP("menus", "&Teach the Model Your Style…")),
            LINE,
            Entry("model.info", QT_TRANSLATE_NOOP("menus", "&Information…")),
            Entry("model.export", QT_TRANSLATE_NOOP("menus", "&Export to ONNX…")),
            LINE,
            Entry("model.unload", QT_TRANSLATE_NOOP("menus", "&Unload")),
        ),
    ),
    (
        "help",
        QT_TRANSLATE_NOOP("menus", "&Help"),
        (
            Entry("help.keys", QT_TRANSLATE_NOOP("menus", "&Keys"), ("F1",)),
            Entry("help.logs", QT_TRANSLATE_NOOP("menus", "Show the &Log…")),
            Entry("help.about", QT_TRANSLATE_NOOP("menus", "&About gptdesk")),
        ),
    ),
)


class Actions(QObject):
    """Builds the menus and holds the actions by name."""

    def __init__(self, menu_bar: QMenuBar) -> None:
        super().__init__(menu_bar)
        self._bar = menu_bar
        self._texts: list[tuple[QAction | QMenu, str]] = []
        self._groups: dict[str, QActionGroup] = {}
        self.actions: dict[str, QAction] = {}
        self.menus: dict[str, QMenu] = {}
        for name, text, items in MENUS:
            self._fill(self._menu(menu_bar.addMenu(text), name, text), items)
        self.retranslate()

    def __getitem__(self, name: str) -> QAction:
        return self.actions[name]

    def retranslate(self) -> None:
        """Label everything in the language of the window."""
        for target, text in self._texts:
            words = QCoreApplication.translate(_CONTEXT, text)
            if isinstance(target, QMenu):
                target.setTitle(words)
            else:
                target.setText(words)

    def _menu(self, menu: QMenu, name: str, text: str) -> QMenu:
        menu.setObjectName(name)
        self.menus[name] = menu
        self._texts.append((menu, text))
        return menu

    def _fill(self, menu: QMenu, items: tuple[Item, ...]) -> None:
        for item in items:
            if item is None:
                menu.addSeparator()
            elif isinstance(item, Submenu):
                submenu = self._menu(menu.addMenu(item.text), item.name, item.text)
                self._fill(submenu, item.entries)
            else:
                menu.addAction(self._action(item))

    def _action(self, entry: Entry) -> QAction:
        action = QAction(self)
        action.setObjectName(entry.name)
        action.setShortcuts([QKeySequence(keys) for keys in entry.keys])
        action.setCheckable(entry.checkable)
        # macOS would move entries by their words; ours stay where they are.
        action.setMenuRole(QAction.MenuRole.NoRole)
        if entry.group:
            group = self._groups.setdefault(entry.group, QActionGroup(self))
            group.addAction(action)
        self.actions[entry.name] = action
        self._texts.append((action, entry.text))
        return action
