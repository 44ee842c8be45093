"""The formats that weights come in: each has a reader of headers, and nothing else of its own.

A header reader takes a file and returns its tensors as `StoredTensor`s, every size checked against
the file's; from there on, planning and reading are the same for all formats. To add one: a module
with such a reader, and a line in `HEADER_READERS`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gptdesk.checkpoints.folder import ModelFolder
from gptdesk.checkpoints.gguf_folder import read_gguf_tensors
from gptdesk.checkpoints.pickle_header import read_header as read_pickled
from gptdesk.checkpoints.safetensors_header import read_header as read_safetensors
from gptdesk.checkpoints.stored_tensor import StoredTensor
from gptdesk.errors import CheckpointError

HEADER_READERS: dict[str, Callable[[Path], dict[str, StoredTensor]]] = {
    "gguf": read_gguf_tensors,
    "pickle": read_pickled,
    "safetensors": read_safetensors,
}


def read_headers(folder: ModelFolder) -> dict[str, StoredTensor]:
    """The tensors of all weight files of a folder, by name.

    Raises:
        CheckpointError: a file is damaged, or two files hold a tensor of the same name.
    """
    tensors: dict[str, StoredTensor] = {}
    for path in folder.weight_files:
        header = HEADER_READERS[folder.weights](path)
        twice = tensors.keys() & header.keys()
        if twice:
            raise CheckpointError(
                f"{path}: tensor {min(twice)} is also in {tensors[min(twice)].path.name}.",
                "Download the model again: its files do not belong together.",
            )
        tensors |= header
    return tensors
