"""Open documents: tabs, files, questions before text is lost, and the autosave journal."""
