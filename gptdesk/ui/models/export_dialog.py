"""Model > Export to ONNX…: where to, how far, and how well the copy agrees with the original."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLineEdit, QProgressBar, QVBoxLayout, QWidget

from gptdesk import paths
from gptdesk.errors import GptDeskError
from gptdesk.generation.events import Progress
from gptdesk.ui import choose
from gptdesk.ui.assistant.progress_text import progress_text
from gptdesk.ui.error_texts import told_error
from gptdesk.ui.models.controller import ModelController, OpenModel
from gptdesk.ui.numbers import size_text
from gptdesk.ui.widgets.parts import button, label, show_progress

if TYPE_CHECKING:
    from gptdesk.export.onnx_export import ExportReport


class ExportDialog(QDialog):
    """The folder is new and appears only when the export is whole."""

    def __init__(self, controller: ModelController, opened: OpenModel, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("model.export_dialog")
        self.setWindowTitle(self.tr("Export to ONNX"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._controller = controller
        self._running = False
        self._report: ExportReport | None = None
        self._explanation = label("muted", wrap=True)
        self._folder = QLineEdit(str(_free_folder(opened)))
        self._folder.setObjectName("export.folder")
        self._browse = button("", "export.browse")
        self._status = label("muted", name="export.status", wrap=True)
        self._problem = label("problem", name="export.problem", wrap=True)
        self._bar = QProgressBar()
        self._bar.setObjectName("export.progress_bar")
        self._bar.setTextVisible(False)
        self._cancel = button("", "export.cancel")
        self._start_button = button("primary", "export.start")
        self._arrange(opened)
        self._browse.clicked.connect(self._choose_folder)
        self._cancel.clicked.connect(self.reject)
        self._start_button.clicked.connect(self._start)
        controller.export_progress.connect(self._show_progress)
        controller.export_ended.connect(self._ended)

    def _arrange(self, opened: OpenModel) -> None:
        text = self.tr(
            "Writes “{0}” in 32-bit floats into a new folder. ONNX Runtime opens it without PyTorch,"
            " and the text comes out the same."
        )
        explained = text.format(opened.name)
        if opened.adapter is not None and opened.adapter_enabled:
            merged = self.tr("The adapter “{0}” becomes part of it.")
            explained = f"{explained} {merged.format(opened.adapter.name)}"
        self._explanation.setText(explained)
        self._folder.setAccessibleName(self.tr("Folder of the export"))
        self._browse.setText(self.tr("Choose…"))
        self._cancel.setText(self.tr("Cancel"))
        self._start_button.setText(self.tr("Export"))
        self._start_button.setDefault(True)
        self._bar.hide()
        self._problem.hide()
        place = QHBoxLayout()
        place.addWidget(self._folder, 1)
        place.addWidget(self._browse)
        buttons = QHBoxLayout()
        buttons.addStretch()
        buttons.addWidget(self._cancel)
        buttons.addWidget(self._start_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 16)
        layout.setSpacing(10)
        layout.addWidget(self._explanation)
        layout.addLayout(place)
        for widget in (self._problem, self._status, self._bar):
            layout.addWidget(widget)
        layout.addStretch()
        layout.addLayout(buttons)
        self.resize(520, 240)

    def reject(self) -> None:
        """Qt: Cancel and Esc stop a running export first."""
        if self._running:
            self._controller.cancel_export()
        else:
            super().reject()

    @Slot()
    def _choose_folder(self) -> None:
        parent = Path(self._folder.text()).parent
        chosen = choose.folder(self, self.tr("Choose where the export goes"), str(parent))
        if chosen:
            # An empty folder takes the export itself; in any other it gets a folder of its own.
            path = Path(chosen)
            name = Path(self._folder.text()).name
            self._folder.setText(str(path if not any(path.iterdir()) else path / name))

    @Slot()
    def _start(self) -> None:
        if self._report is not None:
            self._controller.load(str(self._report.path))
            self.accept()
            return
        self._problem.hide()
        self._show_running(True)
        self._controller.export(self._folder.text().strip())

    def _show_running(self, running: bool) -> None:
        self._running = running
        self._bar.setVisible(running)
        self._status.setText("")
        for widget in (self._folder, self._browse, self._start_button):
            widget.setEnabled(not running)

    @Slot(object)
    def _show_progress(self, progress: Progress) -> None:
        self._status.setText(progress_text(progress))
        show_progress(self._bar, progress.done, progress.total)

    @Slot(object)
    def _ended(self, answer: ExportReport | GptDeskError | None) -> None:
        self._show_running(False)
        if isinstance(answer, GptDeskError):
            self._problem.setText("\n".join(filter(None, told_error(answer))))
            self._problem.show()
        elif answer is not None:
            self._show_report(answer)

    def _show_report(self, report: ExportReport) -> None:
        self._report = report
        same = self.tr("The check text came out the same as from the original.")
        if not report.greedy_equal:
            same = self.tr("The check text differs from the original's: do not rely on this copy.")
        written = self.tr("{0} written in {1} s.").format(
            size_text(report.bytes), f"{report.seconds:.1f}"
        )
        self._status.setText(f"{written} {same}")
        for widget in (self._folder, self._browse):
            widget.setEnabled(False)
        self._cancel.setText(self.tr("Close"))
        self._start_button.setText(self.tr("Use the export now"))


def _free_folder(opened: OpenModel) -> Path:
    folder, model = paths.user_models_dir(), Path(opened.path)
    name = f"{model.stem if model.is_file() else model.name}-onnx"
    candidates = [folder / name, *(folder / f"{name}-{number}" for number in range(2, 100))]
    return next((path for path in candidates if not path.exists()), candidates[0])
