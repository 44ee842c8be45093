"""From a checkpoint to an ONNX folder, and the parts that run such a folder without torch."""
