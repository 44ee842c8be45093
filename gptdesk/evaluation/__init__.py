"""Evaluation: measures through sessions, tasks and engines."""
