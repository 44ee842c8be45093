"""Engines run a model: torch, ONNX Runtime, and a fake one for tests and demonstrations."""
