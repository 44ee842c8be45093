"""Opening, describing, exporting and unloading models."""
