"""A run to watch, from the first step to the report: stage, curve, figures, and how it ended."""

from __future__ import annotations

from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from gptdesk.errors import TrainingError
from gptdesk.training.events import TrainingFailed, TrainingFinished
from gptdesk.ui.error_texts import told, told_error
from gptdesk.ui.training import words
from gptdesk.ui.training.plot import LossPlot
from gptdesk.ui.training.progress import TeachingProgress
from gptdesk.ui.widgets.parts import button, label, set_state, show_progress


class WatchPage(QWidget):
    """Shows a `TeachingProgress`; has no buttons but the one for details."""

    def __init__(self) -> None:
        super().__init__()
        self._stage = label("title", name="training.stage", wrap=True)
        self._problem = label("problem", name="training.problem", wrap=True)
        self._bar = QProgressBar()
        self._bar.setObjectName("training.progress_bar")
        self._bar.setTextVisible(False)
        self._figures = label("muted", name="training.figures")
        self._place = label("muted", name="training.step")
        self._hint = label("muted", name="training.hint", wrap=True)
        self._report = label("", name="training.report", wrap=True)
        self._copied = label("muted", name="training.copied", wrap=True)
        self._plot = LossPlot()
        self._warning = label("status", name="training.warning", wrap=True)
        set_state(self._warning, "amber")
        self._details_button = button("link", "training.show_details")
        self._details_button.setCheckable(True)
        self._details = QPlainTextEdit()
        self._details.setObjectName("training.details")
        self._details.setProperty("role", "field")
        self._details.setReadOnly(True)
        self._details.setFixedHeight(120)
        self._details_button.toggled.connect(self._details.setVisible)
        self._arrange()
        self.show_state(TeachingProgress(), stopping=False)

    def _arrange(self) -> None:
        self._details_button.setText(self.tr("Details"))
        self._details.setAccessibleName(self.tr("Details"))
        self._bar.setAccessibleName(self.tr("Progress"))
        facts = QHBoxLayout()
        facts.addWidget(self._figures)
        facts.addStretch()
        facts.addWidget(self._place)
        details = QHBoxLayout()
        details.addWidget(self._details_button)
        details.addStretch()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(10)
        for widget in (self._stage, self._problem, self._hint, self._report, self._copied):
            layout.addWidget(widget)
        layout.addWidget(self._bar)
        layout.addWidget(self._plot, 100)
        layout.addLayout(facts)
        layout.addWidget(self._warning)
        layout.addLayout(details)
        layout.addWidget(self._details)
        layout.addStretch()  # has its place while the plot, which takes all there is, is hidden

    def show_state(self, progress: TeachingProgress, *, stopping: bool) -> None:
        """Show how far a run is, or how it ended."""
        end = progress.end
        step = progress.step
        self._plot.show_curve(progress.curve, step.total_steps if step is not None else 0)
        self._bar.setVisible(end is None)
        show_progress(self._bar, progress.done, progress.total)
        self._plot.setVisible(end is None or progress.curve.bounds is not None)
        self._show_step(progress)
        _show(self._warning, "\n".join(told(text) for text in progress.warnings))
        if end is None:
            _show(self._stage, words.stage_words("stopping" if stopping else progress.stage))
            for widget in (self._problem, self._hint, self._report, self._copied):
                _show(widget, "")
            self._show_details("")
        elif isinstance(end, TrainingFinished):
            self._show_finished(end, progress)
        else:
            self._show_failed(end)

    def _show_step(self, progress: TeachingProgress) -> None:
        step = progress.step
        place = ""
        if step is not None and progress.report is None:
            place = self.tr("step {0} of {1}") if step.total_steps else self.tr("step {0}")
            place = place.format(step.step, step.total_steps)
        running = step is not None and progress.learning and progress.end is None
        _show(self._figures, words.step_words(step) if step is not None and running else "")
        _show(self._place, place)

    def _show_finished(self, end: TrainingFinished, progress: TeachingProgress) -> None:
        bad = end.reason == "diverged"
        _show(self._problem, words.ending_title(end) if bad else "")
        _show(self._stage, "" if bad else words.ending_title(end))
        _show(self._hint, words.ending_hint(end))
        report = progress.report
        _show(self._report, words.report_words(report) if report is not None else "")
        _show(self._copied, words.copied_words(report) if report is not None else "")
        if report is not None and report.alarm:
            _show(
                self._warning,
                self.tr(
                    "In places it writes your text down word for word. More text, or less time,"
                    " would help."
                ),
            )
        self._show_details("")

    def _show_failed(self, end: TrainingFailed) -> None:
        title, hint = told_error(TrainingError(end.title, end.hint, end.details))
        _show(self._problem, title)
        _show(self._hint, hint)
        for widget in (self._stage, self._report, self._copied):
            _show(widget, "")
        self._show_details(end.details)

    def _show_details(self, text: str) -> None:
        self._details.setPlainText(text)
        self._details_button.setVisible(bool(text))
        self._details_button.setChecked(False)
        self._details.hide()


def _show(widget: QLabel, text: str) -> None:
    """Show a label with a text, or not at all."""
    widget.setText(text)
    widget.setVisible(bool(text))
