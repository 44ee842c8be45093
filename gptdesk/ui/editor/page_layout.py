"""Lays a document out as one centred column with its own line pitch, and draws it.

Why not Qt's own layout: line height and the gap between paragraphs would have to be block formats,
and setting a block format is an edit: it enters the undo history and marks the document modified.
Here they belong to the layout, so the document holds nothing but text. The same goes for
provisional text: it takes part in the layout (see `paragraph.Gap`) without being in the document.

Paragraphs are laid out when they come into view; until then their height is an estimate, corrected
in idle moments. Opening a long text therefore costs next to nothing.
"""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAbstractTextDocumentLayout,
    QColor,
    QFont,
    QPainter,
    QTextBlock,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFrame,
    QTextLayout,
    QTextLine,
)

from gptdesk.ui.editor import metrics as measures
from gptdesk.ui.editor.heights import BlockHeights
from gptdesk.ui.editor.looks import format_range, mark_formats, mark_ranges, tint_format
from gptdesk.ui.editor.metrics import PageMetrics
from gptdesk.ui.editor.paragraph import LINE_SEPARATOR, Gap, LineBreaker, wrapping
from gptdesk.ui.editor.preedit import with_preedit, without_preedit
from gptdesk.ui.editor.raw_text import utf16_length
from gptdesk.ui.theme.colors import Colors

IDLE_SLICE = 60
"""Paragraphs measured per idle moment: about 5 ms."""


class PageLayout(QAbstractTextDocumentLayout):
    """The layout of one document; `set_style` before the first use."""

    shifted = Signal(float)
    """Text above the visible part grew by so many pixels: scroll by as much to stand still."""

    def __init__(self, document: QTextDocument) -> None:
        super().__init__(document)
        self.viewport_top = 0.0  # kept up to date by the editor, for `shifted`
        self.cursor_width = 2
        self._metrics = PageMetrics.of(QFont(), 68)
        self._formats: dict[str, QTextCharFormat] = {}
        self._tint = QTextCharFormat()
        self._accent = QColor()
        self._column_x, self._column = 0.0, 1.0
        self._heights = BlockHeights(measures.TOP_MARGIN)
        self._own_change = False
        self._edited = False
        document.contentsChange.connect(self._on_edit)
        self._anchor: QTextCursor | None = None
        self._gap: Gap | None = None
        self._bar = False
        self._idle = QTimer(self)
        self._idle.setInterval(0)
        self._idle.timeout.connect(self._measure_some)
        self._size_changed = QTimer(self)
        self._size_changed.setSingleShot(True)
        self._size_changed.setInterval(100)  # corrected estimates, not what the writer does
        self._size_changed.timeout.connect(self._announce_size)

    # What the editor sets

    def set_style(self, metrics: PageMetrics, colors: Colors) -> None:
        """Take over fonts, measures and colours, and lay everything out again."""
        self._metrics = metrics
        self._formats = mark_formats(metrics.font, colors)
        self._tint = tint_format(colors)
        self._accent = QColor(colors.accent)
        self._relayout()

    def show_gap(self, anchor: QTextCursor, text: str, *, bar: bool = False) -> None:
        """Show `text` in the flow at `anchor`, which Qt moves along with edits.

        Args:
            anchor: where; kept, not copied.
            text: what; may be empty.
            bar: whether an accent bar stands at its end: more is coming.
        """
        self.prepare_gap(anchor, text, bar=bar)
        self._refresh(anchor.block())

    def prepare_gap(self, anchor: QTextCursor, text: str, *, bar: bool = False) -> None:
        """Like `show_gap`, for use in the middle of an edit: Qt asks for the layout after it."""
        layout = QTextLayout(text.replace("\n", LINE_SEPARATOR), self._metrics.font)
        self._anchor, self._gap, self._bar = anchor, Gap(0, text, layout), bar

    def hide_gap(self) -> None:
        """Show nothing but the document."""
        anchor, self._anchor, self._gap, self._bar = self._anchor, None, None, False
        if anchor is not None:
            self._refresh(anchor.block())

    def gap_start_rect(self) -> QRectF:
        """The caret before provisional text, in document coordinates; empty when there is none."""
        return self._caret_rect(self._gap.start) if self._gap else QRectF()

    def gap_end_rect(self) -> QRectF:
        """The caret after provisional text, likewise."""
        return self._caret_rect(self._gap.end) if self._gap else QRectF()

    @property
    def column(self) -> tuple[float, float]:
        """Left edge and width of the column."""
        return self._column_x, self._column

    # What Qt asks for

    def documentChanged(self, start: int, removed: int, added: int) -> None:
        """Qt: lay out again what an edit, a change of formats or of the page size touched."""
        if self._own_change:
            return
        if self.document().pageSize().width() != self._heights.page_width:
            self._change_page()
            return
        edited, self._edited = self._edited, False
        size = self.document().blockCount()
        whole = start == 0 and added >= self.document().characterCount() - 1
        if whole and not edited and size == len(self._heights):
            return  # Qt sets the page size again and again; measuring all again would take seconds
        first = self.document().findBlock(start)
        last = self.document().findBlock(start + added)
        if not last.isValid():
            last = self.document().lastBlock()
        count = last.blockNumber() - first.blockNumber() + 1
        old_total = self._heights.total
        self._heights.replace(first.blockNumber(), count, size, self._estimates(first, count))
        if count <= IDLE_SLICE:
            self._ensure_run(first, count)
        self._start_idle()
        if self._heights.total != old_total:
            self._announce_size()
        else:
            self.update.emit()

    def blockBoundingRect(self, block: QTextBlock) -> QRectF:
        """Qt: the place of a paragraph; its layout's lines are relative to the top left corner."""
        if not block.isValid() or block.blockNumber() >= len(self._heights):
            return QRectF()
        self._ensure(block)
        top, height = self._heights.span(block.blockNumber())
        return QRectF(self._column_x, top, self._column, height)

    def frameBoundingRect(self, _frame: QTextFrame) -> QRectF:
        """Qt: the document has one frame, the page."""
        return QRectF(QPointF(0, 0), self.documentSize())

    def documentSize(self) -> QSizeF:
        """Qt: the size of the whole page, for the scroll bars."""
        width = max(0.0, self._heights.page_width)
        return QSizeF(width, self._heights.total + measures.BOTTOM_MARGIN)

    def pageCount(self) -> int:
        """Qt: it is one long page."""
        return 1

    def hitTest(self, point: QPointF, accuracy: Qt.HitTestAccuracy) -> int:
        """Qt: the document position under a point."""
        block = self.document().findBlockByNumber(self._heights.at(point.y()))
        self._ensure(block)
        local = point - self._origin(block)
        inside = 0 <= local.x() <= self._column
        if accuracy == Qt.HitTestAccuracy.ExactHit and not inside:
            return -1
        return block.position() + self._index_at(block, local)

    def draw(self, painter: QPainter, context: QAbstractTextDocumentLayout.PaintContext) -> None:
        """Qt: paint the paragraphs within the clip."""
        clip = context.clip
        block = self.document().findBlockByNumber(self._heights.at(clip.top()))
        painter.setPen(context.palette.color(context.palette.ColorRole.Text))
        while block.isValid():
            self._ensure(block)
            top, height = self._heights.span(block.blockNumber())
            self._draw_block(painter, context, block, QPointF(self._column_x, top))
            if clip.isValid() and top + height > clip.bottom():
                break
            block = block.next()

    # Drawing and hit testing

    def _draw_block(
        self,
        painter: QPainter,
        context: QAbstractTextDocumentLayout.PaintContext,
        block: QTextBlock,
        origin: QPointF,
    ) -> None:
        layout = block.layout()
        layout.draw(painter, origin, self._selections(context, block), context.clip)
        gap = self._gap_of(block)
        if gap:
            tinted = format_range(0, utf16_length(gap.text), self._tint)
            gap.layout.draw(painter, origin, [tinted], context.clip)
            if self._bar:
                painter.fillRect(self.gap_end_rect().adjusted(1, 0, 1, 0), self._accent)
        self._draw_caret(painter, context.cursorPosition, block, origin)

    def _draw_caret(
        self, painter: QPainter, position: int, block: QTextBlock, origin: QPointF
    ) -> None:
        layout, gap = block.layout(), self._gap_of(block)
        if position < -1 and layout.preeditAreaText():
            # An input method composes here; Qt says "so far into the composed text" this way.
            index = layout.preeditAreaPosition() - (position + 2)
        else:
            index = position - block.position()
        if not 0 <= index < block.length() + len(layout.preeditAreaText()):
            return
        if gap and index == gap.at:
            # Qt would draw it where the text goes on, behind the provisional text.
            if not self._bar or gap.text:
                painter.fillRect(self.gap_start_rect(), painter.pen().brush())
        else:
            layout.drawCursor(painter, origin, index, self.cursor_width)

    @staticmethod
    def _selections(
        context: QAbstractTextDocumentLayout.PaintContext, block: QTextBlock
    ) -> list[QTextLayout.FormatRange]:
        found = []
        for selection in context.selections:
            start = max(0, selection.cursor.selectionStart() - block.position())
            end = min(block.length(), selection.cursor.selectionEnd() - block.position())
            if start < end:
                found.append(format_range(start, end - start, selection.format))
        return found

    def _index_at(self, block: QTextBlock, local: QPointF) -> int:
        layout = block.layout()
        lines = [layout.lineAt(number) for number in range(layout.lineCount())]
        if not lines:
            return 0
        line = min(lines, key=lambda line: _distance(line, local, self._metrics))
        index = line.xToCursor(local.x())
        end = line.textStart() + line.textLength()
        gap = self._gap_of(block)
        if index == end and line.lineNumber() < len(lines) - 1 and not (gap and gap.at == end):
            # The end of a wrapped line is the start of the next one: stay on the line clicked.
            index = layout.previousCursorPosition(index)
        return without_preedit(layout, index)

    # Laying out

    def _ensure_run(self, block: QTextBlock, count: int) -> None:
        for _ in range(count):
            self._ensure(block)
            block = block.next()

    def _ensure(self, block: QTextBlock) -> None:
        """Lay a paragraph out if it is not."""
        number = block.blockNumber()
        if self._heights.is_exact(number):
            return
        layout, text = block.layout(), block.text()
        self._set_formats(block, layout, text)
        layout.setTextOption(wrapping(self.document().defaultTextOption(), block.textDirection()))
        gap = self._gap_of(block)
        if gap and self._anchor is not None:
            gap.at = with_preedit(layout, self._anchor.positionInBlock())
            option = wrapping(self.document().defaultTextOption(), block.textDirection())
            gap.layout.setTextOption(option)
            gap.layout.setFont(self._metrics.font)
        height = LineBreaker(self._metrics, self._column, text).break_lines(layout, gap)
        if self._heights.set_exact(number, height):
            self._size_changed.start()

    def _set_formats(self, block: QTextBlock, layout: QTextLayout, text: str) -> None:
        kept = []
        if layout.preeditAreaText():  # the underlines of an input method
            start = layout.preeditAreaPosition()
            end = start + utf16_length(layout.preeditAreaText())
            kept = [r for r in layout.formats() if r.start >= start and r.start + r.length <= end]
        # Before it has a theme the page is plain.
        wanted = mark_ranges(layout, text, self._formats) if self._formats else []
        if not wanted and not kept and not layout.formats():
            return
        layout.setFormats(wanted + kept)
        # Qt remembers the block as changed; report it now, as our own doing, or the next edit
        # would be said to begin here.
        self._own_change = True
        self.document().markContentsDirty(block.position(), block.length())
        self._own_change = False

    def _gap_of(self, block: QTextBlock) -> Gap | None:
        return self._gap if self._anchor is not None and self._anchor.block() == block else None

    def _refresh(self, block: QTextBlock) -> None:
        self._heights.invalidate(block.blockNumber())
        self._ensure(block)
        self._announce_size()

    def _change_page(self) -> None:
        width = self.document().pageSize().width()
        column_x, column = self._metrics.column_in(width)
        self._heights.page_width = width
        same, self._column_x = column == self._column, column_x
        self._column = column
        if same:
            self._announce_size()
        else:
            self._relayout()

    def _relayout(self) -> None:
        """Forget every measured height; what is seen is measured when it is drawn."""
        width = self.document().pageSize().width()
        self._column_x, self._column = self._metrics.column_in(width)
        self._heights.page_width = width
        count = self.document().blockCount()
        first = self.document().firstBlock()
        self._heights.reset(self._estimates(first, count))
        if count <= IDLE_SLICE:
            self._ensure_run(first, count)
        self._start_idle()
        self._announce_size()

    def _estimates(self, block: QTextBlock, count: int) -> list[float]:
        per_line = self._column / (0.47 * self._metrics.height * 0.92)
        pitch, found = self._metrics.pitch(cjk=False), []
        for _ in range(count):
            length = block.length() - 1
            lines = int(length / per_line) + 1
            found.append(lines * pitch + (measures.PARAGRAPH_GAP if length else 0.0))
            block = block.next()
        return found

    def _on_edit(self, _position: int, _removed: int, _added: int) -> None:
        self._edited = True

    def _start_idle(self) -> None:
        if not self._heights.all_exact:
            self._idle.start()

    def _measure_some(self) -> None:
        """Replace some estimates by measured heights, without moving what is in view."""
        grown = 0.0
        for number in self._heights.next_estimates(IDLE_SLICE):
            top, before = self._heights.span(number)
            self._ensure(self.document().findBlockByNumber(number))
            if top + before <= self.viewport_top + grown:
                grown += self._heights.span(number)[1] - before
        if self._heights.all_exact:
            self._idle.stop()
        if grown:
            self._announce_size()
            self.shifted.emit(grown)

    def _announce_size(self) -> None:
        self._size_changed.stop()
        self.documentSizeChanged.emit(self.documentSize())
        # With a rectangle as argument PySide 6.11 picks the wrong overload and crashes.
        self.update.emit()

    def _caret_rect(self, place: QPointF) -> QRectF:
        if self._anchor is None:
            return QRectF()
        size = QSizeF(self.cursor_width, self._metrics.height)
        return QRectF(self._origin(self._anchor.block()) + place, size)

    def _origin(self, block: QTextBlock) -> QPointF:
        return self.blockBoundingRect(block).topLeft()


def _distance(line: QTextLine, point: QPointF, metrics: PageMetrics) -> tuple[float, float]:
    """How far a point is from a line: by rows first, then along the row."""
    rect = line.naturalTextRect()
    row = max(rect.top() - point.y(), point.y() - rect.bottom(), 0.0)
    across = max(rect.left() - point.x(), point.x() - rect.right(), 0.0)
    return round(row / metrics.height, 1), across
