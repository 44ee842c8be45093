"""What belongs to a model beside its weights: its tokenizer, and the files that it is saved with."""

from __future__ import annotations

from collections.abc import Iterator

from gptdesk.checkpoints.files import checked_file
from gptdesk.checkpoints.folder import ModelFolder
from gptdesk.checkpoints.gguf_folder import read_gguf
from gptdesk.checkpoints.gguf_vocabulary import read_vocabulary, tokenizer_files
from gptdesk.text.tokenizer import Tokenizer


def load_tokenizer(folder: ModelFolder) -> Tokenizer:
    """The tokenizer of a model, from wherever its format keeps it.

    Raises:
        TokenizerError: it is missing, broken, or does not fit the model.
        CheckpointError: the file that it is in changed meanwhile.
    """
    if folder.kind == "gguf":
        vocabulary = read_vocabulary(read_gguf(folder.weight_files))
        return Tokenizer.from_parts(
            folder.path,
            vocabulary.to_rust(),
            vocabulary.end_ids,
            vocabulary.special_texts,
            vocabulary.chat_template,
        )
    return Tokenizer.from_folder(folder.root, folder.config_data)


def companion_files(folder: ModelFolder) -> Iterator[tuple[str, bytes]]:
    """The files that a copy of the model needs beside config.json and weights.

    Yields:
        Name, with its folder where it lies in one, and content.

    Raises:
        TokenizerError, CheckpointError: as `load_tokenizer`; or a file cannot be read.
    """
    if folder.kind == "gguf":
        for name, text in tokenizer_files(read_gguf(folder.weight_files)).items():
            yield name, text.encode("utf-8")
        return
    for name in folder.companions:
        yield name, checked_file(folder.root, name).read_bytes()
