"""Training: from raw text to a saved model; emits events, samples nothing."""
