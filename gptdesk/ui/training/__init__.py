"""Model > Teach the Model Your Style…: a form, a curve to watch, and a report, beside the writing."""
