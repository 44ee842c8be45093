"""Checkpoints: formats on disk to (ModelConfig, tensors, tokenizer); validation; catalogue."""
