"""Text: tokenizer, chat templates, segmentation, language guess, documents. No model here."""
