"""The window: the only place that knows Qt, and a thin reader of the stream of events."""
