"""Open documents: tabs, files, questions before text is lost, and the autosave journal."""

from gptdesk.ui.documents.tabs import DocumentTabs
from gptdesk.ui.documents.view import DocumentView

__all__ = ["DocumentTabs", "DocumentView"]
