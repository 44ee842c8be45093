"""The window: puts the parts together and connects the menus to them.

    menus
    ┌───────────────────────────────┬───────────────┐
    │ DocumentTabs                  │ AssistantPanel│  SideLayout
    │ ComparePane (translations)    │               │
    ├───────────────────────────────┴───────────────┤
    │ MessageBar, when there is something to say    │
    │ StatusBar                                     │
    └───────────────────────────────────────────────┘

AssistantController and ModelController turn what is clicked into jobs of the EngineWorker and what
the worker tells into what is seen.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtGui import QCloseEvent, QIcon, QShowEvent
from PySide6.QtWidgets import QMainWindow, QSplitter, QVBoxLayout, QWidget

from gptdesk import paths
from gptdesk.errors import GptDeskError
from gptdesk.generation.events import Progress
from gptdesk.settings import Settings
from gptdesk.tasks.registry import TASKS
from gptdesk.ui import theme, window_state
from gptdesk.ui.actions import Actions
from gptdesk.ui.assistant.compare_pane import ComparePane
from gptdesk.ui.assistant.controller import AssistantController
from gptdesk.ui.assistant.panel import CONTINUE, AssistantPanel
from gptdesk.ui.assistant.progress_text import progress_text
from gptdesk.ui.caveat_watch import CaveatWatch
from gptdesk.ui.context_meter import ContextMeter
from gptdesk.ui.documents import DocumentTabs
from gptdesk.ui.error_texts import told
from gptdesk.ui.menus import Menus
from gptdesk.ui.messages import Message, MessageBar, Messages
from gptdesk.ui.models.controller import ModelController
from gptdesk.ui.models.facts import engine_text, opened_name
from gptdesk.ui.side_layout import SideLayout
from gptdesk.ui.status_bar import StatusBar
from gptdesk.ui.training.desk import TeachingDesk
from gptdesk.ui.typography import Typography
from gptdesk.ui.widgets.translated import Translated
from gptdesk.ui.worker import EngineWorker, make_workers

SETTINGS_MS = 1000
"""Changes of the settings wait so long for others before they are written."""


class MainWindow(Translated, QMainWindow):
    """Everything on the screen.

    Attributes:
        settings, messages, tabs, panel, side, compare, status: the parts.
        worker, questions: the engine's thread, and the one for what must not wait for it; both end
            when the window closes.
        models, assistant, typography, teaching: the controllers.
    """

    def __init__(
        self, settings: Settings, workers: tuple[EngineWorker, EngineWorker] | None = None
    ) -> None:
        super().__init__()
        self.setObjectName("window")
        self.setWindowIcon(QIcon(str(paths.resources_dir() / "icons" / "gptdesk.svg")))
        self.settings = settings
        self.worker, self.questions = workers or make_workers()
        self.messages = Messages(self)
        self.tabs = DocumentTabs()
        self.compare = ComparePane()
        self.panel = AssistantPanel(list(TASKS.values()), self.compare)
        self.status = StatusBar()
        self.message_bar = MessageBar()
        self.side = self._assemble()
        self.models = ModelController(self.worker, self.questions, settings, self.messages, self)
        self.assistant = AssistantController(
            self.worker, self.panel, self.tabs, self.messages, self
        )
        self.meter = ContextMeter(self.questions, self.models, self.tabs, self.status, self)
        self.caveats = CaveatWatch(
            self.questions, self.models, self.panel, self.tabs, self.assistant
        )
        self.typography = Typography(settings, self.tabs, self)
        self.teaching = TeachingDesk(self)
        self.actions_ = Actions(self.menuBar())
        self.menus = Menus(self)
        self._save_settings = QTimer(self)
        self._save_settings.setSingleShot(True)
        self._save_settings.setInterval(SETTINGS_MS)
        self._connect()
        self._dress()
        window_state.restore_window(settings, self, self.side)
        window_state.restore_panel(settings, self.panel)
        self.retranslate()

    def _assemble(self) -> SideLayout:
        middle = QSplitter(Qt.Orientation.Vertical)
        middle.setProperty("role", "paper")
        middle.setChildrenCollapsible(False)
        middle.setHandleWidth(1)
        middle.addWidget(self.tabs)
        middle.addWidget(self.compare)
        middle.setStretchFactor(0, 1)
        middle.setSizes([430, 290])
        side = SideLayout(middle, self.panel)
        central = QWidget()
        layout = QVBoxLayout(central)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(side, 1)
        layout.addWidget(self.message_bar)
        layout.addWidget(self.status)
        self.setCentralWidget(central)
        self.setMinimumSize(480, 320)
        return side

    def _connect(self) -> None:
        self.messages.shown.connect(self.message_bar.show_message)
        self.tabs.problem.connect(self.messages.error)
        self.tabs.notice.connect(self._notice)
        self.tabs.current_changed.connect(self._document_changed)
        self.models.changed.connect(self._show_model)
        self.models.load_progress.connect(self._show_load)
        self.models.load_ended.connect(self._load_ended)
        self.status.cancel_clicked.connect(self.models.cancel_load)
        self.assistant.busy_changed.connect(self.meter.set_busy)
        self.assistant.busy_changed.connect(self._run_changed)
        self.assistant.measured.connect(self.meter.show_stats)
        self.compare.closed.connect(self._leave_comparison)
        self.panel.caveats.open_model_clicked.connect(self.menus.open_model)
        self._save_settings.timeout.connect(self._write_settings)
        theme.manager().changed.connect(self._dress)

    # --- the start ---

    def restore_documents(self, files: Sequence[str] = ()) -> None:
        """Bring back the last session's documents and what was never saved; then open `files`."""
        self.tabs.restore_session([*self.settings.get("files.open"), *files])
        for problem in self.settings.problems:
            self.messages.show(Message(told(problem), is_error=False))
        # Only from here on: until now the list in the settings was the one to bring back.
        self.tabs.current_changed.connect(self._note_open_documents)
        self._note_open_documents()

    @Slot()
    def _note_open_documents(self) -> None:
        """Keep the list of open documents on the disk: after a crash they open again."""
        self.settings.set("files.open", self.tabs.open_paths())
        self._save_settings.start()

    # --- what changes ---

    @Slot()
    def _dress(self) -> None:
        self.tabs.set_colors(theme.colors())

    def retranslate(self) -> None:
        """Say everything in the language of the window."""
        self.actions_.retranslate()
        self.menus.retranslate()
        self._document_changed()
        self._show_model()

    @Slot()
    def _document_changed(self) -> None:
        view = self.tabs.current
        self.setWindowTitle(f"{view.title} — gptdesk")
        if view.path is not None:
            window_state.note_recent_file(self.settings, str(view.path))

    @Slot(str)
    def _notice(self, text: str) -> None:
        self.messages.show(Message(text, is_error=False))

    @Slot()
    def _show_model(self) -> None:
        opened = self.models.current
        if opened is None:
            self.status.show_model("" if self.models.loading else self.tr("no model"))
        else:
            self.status.show_model(f"{opened_name(opened)} · {engine_text(opened.engine)}")
        self.menus.update_model()

    @Slot(object)
    def _show_load(self, progress: Progress) -> None:
        self.status.show_progress(progress_text(progress), progress.done, progress.total)

    @Slot(object)
    def _load_ended(self, _: GptDeskError | None) -> None:
        self.status.show_progress("", 0, 0)

    @Slot(bool)
    def _run_changed(self, busy: bool) -> None:
        if busy:
            self.message_bar.dismiss_news()

    @Slot()
    def _leave_comparison(self) -> None:
        self.panel.set_mode(CONTINUE)
        self.tabs.current.editor.setFocus()

    def showEvent(self, event: QShowEvent) -> None:
        """Qt: the caret is where the writer wants to type."""
        super().showEvent(event)
        self.tabs.current.editor.setFocus()

    # --- the end ---

    def closeEvent(self, event: QCloseEvent) -> None:
        """Qt: ask about a model that learns and unsaved text, stop the worker, remember the session."""
        self.assistant.stop()
        if not self.teaching.may_close() or not self.tabs.prepare_quit():
            event.ignore()
            return
        self.teaching.shut_down()
        self.worker.close()
        self.questions.close()
        window_state.store(self.settings, self, self.side, self.panel, self.tabs)
        self._write_settings()
        self.tabs.shut_down()
        event.accept()

    @Slot()
    def _write_settings(self) -> None:
        self._save_settings.stop()
        try:
            self.settings.save()
        except GptDeskError as error:
            self.messages.error(error)
