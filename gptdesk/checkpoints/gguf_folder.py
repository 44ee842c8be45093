"""From a path to the GGUF file it stands for, its parts, and what their headers say together.

A model may be split over name-00001-of-00003.gguf and so on; the first part has the metadata. A
folder often offers one model at several precisions: then a person must choose.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from pathlib import Path

from gptdesk.checkpoints.families.base import few
from gptdesk.checkpoints.files import checked_file
from gptdesk.checkpoints.gguf_header import MAGIC, GgufHeader, read_gguf_header
from gptdesk.checkpoints.stored_tensor import StoredTensor
from gptdesk.errors import CheckpointError

SUFFIX = ".gguf"
_PART = re.compile(r"(?P<name>.*)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf", re.DOTALL)
_MAX_PARTS = 1000
_OTHER_WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".onnx")
_PROJECTOR = "mmproj"  # files that turn images into tokens, offered beside the model's own


def find_gguf(root: Path, chosen: str) -> Path | None:
    """The GGUF file, or its first part, that stands for a model; None where there is another kind.

    Args:
        root: a folder.
        chosen: name of the file in it that the person chose, "" for none.

    Raises:
        CheckpointError: several models lie there and none was chosen, or a part is missing.
    """
    if chosen:
        return _first_part(root, chosen) if _is_gguf(root / chosen) else None
    try:
        names = sorted(file.name for file in root.iterdir())
    except OSError:  # said better by whoever looks for config.json next
        return None
    if any(name.endswith(_OTHER_WEIGHTS) for name in names):
        return None
    models = [name for name in names if name.lower().endswith(SUFFIX) and _starts_a_model(name)]
    if len(models) > 1:
        raise CheckpointError(
            f"{root} holds several GGUF files: {few(models)}.",
            "Open one of them: they are different models, or one at different precisions.",
        )
    return _first_part(root, models[0]) if models else None


def gguf_parts(first: Path) -> tuple[Path, ...]:
    """All files of a model, in order, by the name of the first.

    Raises:
        CheckpointError: one is missing, no regular file, or outside the folder.
    """
    split = _PART.fullmatch(first.name)
    if split is None:
        return (first,)
    count = int(split["count"])
    if not 1 <= count <= _MAX_PARTS:
        raise CheckpointError(
            f"{first} says that it is one of {count} files.", "Download the model again."
        )
    parts = []
    for number in range(1, count + 1):
        name = f"{split['name']}-{number:05}-of-{split['count']}{SUFFIX}"
        checked_file(first.parent, name)
        parts.append(first.parent / name)
    return tuple(parts)


def read_gguf(parts: Sequence[Path]) -> GgufHeader:
    """The metadata of the first part, and the tensors of all.

    Raises:
        CheckpointError: a part is damaged or belongs to another model.
        UnsupportedModelError: as `read_gguf_header`.
    """
    headers = [_header(part) for part in parts]
    first = headers[0]
    tensors: dict[str, StoredTensor] = {}
    for number, header in enumerate(headers):
        where = header.metadata.get("split.no", 0), header.metadata.get("split.count", 1)
        if where not in ((number, len(parts)), (0, 0)) or tensors.keys() & header.tensors.keys():
            raise CheckpointError(
                f"{header.path} is not part {number + 1} of the {len(parts)} files of this model.",
                "Download the model again: its files do not belong together.",
                f"it says part {where[0]!r} (from 0) of {where[1]!r}",
            )
        tensors |= header.tensors
    return GgufHeader(first.path, first.metadata, tensors)


def read_gguf_tensors(path: Path) -> dict[str, StoredTensor]:
    """The tensors of one file; see `weight_formats`.

    Raises:
        CheckpointError, UnsupportedModelError: as `read_gguf_header`.
    """
    return dict(_header(path).tensors)


def _header(path: Path) -> GgufHeader:
    """The header, read once for as long as the file stays as it is."""
    try:
        now = path.stat()
    except OSError as error:
        raise CheckpointError(
            f"{path} cannot be read.", "Check that you may read it.", str(error)
        ) from error
    return _cached_header(path, now.st_ino, now.st_size, now.st_mtime_ns)


@functools.lru_cache(maxsize=4)
def _cached_header(path: Path, *_version: int) -> GgufHeader:
    return read_gguf_header(path)


def _first_part(root: Path, name: str) -> Path:
    """The file of that name, or the first of the files that it is one of."""
    split = _PART.fullmatch(name)
    if split is not None:
        name = f"{split['name']}-00001-of-{split['count']}{SUFFIX}"
    checked_file(root, name)
    return root / name


def _starts_a_model(name: str) -> bool:
    split = _PART.fullmatch(name)
    return not name.startswith(_PROJECTOR) and (split is None or int(split["number"]) == 1)


def _is_gguf(path: Path) -> bool:
    if path.suffix.lower() == SUFFIX:
        return True
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False
