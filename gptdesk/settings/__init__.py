"""Settings: each declared once, read forgivingly, written atomically."""

from gptdesk.settings.store import Settings

__all__ = ["Settings"]
