"""Whether a tokenizer and a model belong together."""

from __future__ import annotations

from gptdesk.checkpoints.folder import ModelFolder
from gptdesk.errors import TokenizerError


def check_vocabulary(tokenizer_size: int, folder: ModelFolder) -> None:
    """Refuse a tokenizer that makes ids for which the model has no embedding.

    The other way round is common and harmless: embeddings are padded to a round number.

    Args:
        tokenizer_size: the tokenizer's largest id plus one.
        folder: the model's.

    Raises:
        TokenizerError: the tokenizer is larger than the embedding.
    """
    if tokenizer_size > folder.config.vocab_size:
        raise TokenizerError(
            f"The tokenizer in {folder.root} makes {tokenizer_size:,} different tokens; "
            f"config.json gives the model vocab_size = {folder.config.vocab_size:,}.",
            "Download the model again: its tokenizer belongs to another model.",
        )
