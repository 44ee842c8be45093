"""The engine's worker: takes requests, does one at a time away from the window, reports by signals."""

from gptdesk.ui.worker.pair import make_workers
from gptdesk.ui.worker.worker import EngineWorker

__all__ = ["EngineWorker", "make_workers"]
