"""Tasks: what the person asks for, as generators of events over generate and score operations."""
