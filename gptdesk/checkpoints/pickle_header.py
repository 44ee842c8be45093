"""Reading what a file of `torch.save` holds without unpickling it: names, types, shapes and places.

The file is a zip: `data.pkl` describes the object, and every storage that it refers to is a member
of its own (torch/serialization.py). The description is followed by `inert_pickle` with stand-ins
for the few names that weights consist of; whatever else it names is refused by that name. Needs no
torch, and reads no weights.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from gptdesk.checkpoints.placeholders import placeholder_error
from gptdesk.checkpoints.stored_tensor import ITEM_BYTES, StoredTensor
from gptdesk.checkpoints.zip_directory import Member, ZipError, read_directory
from gptdesk.errors import CheckpointError, UnsupportedModelError
from gptdesk.inert_pickle import DamagedPickleError, Function, UnknownNameError, read_pickle

_T = TypeVar("_T")

STATE_KEYS = ("model", "state_dict", "model_state_dict", "module")
"""Where training scripts put the weights in a dictionary that holds other things, too."""

_WRAPPERS = ("_orig_mod.", "module.")  # in front of names, of torch.compile and DataParallel
_DATA = "data.pkl"
_MAX_DATA_BYTES = 16 << 20
_MAX_NAME = 500
_MAX_DIMENSIONS = 8
_MAX_DIMENSION = 1 << 48
_LEGACY_START = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # a pickled magic number
_STORAGES = {
    "DoubleStorage": "F64",
    "FloatStorage": "F32",
    "HalfStorage": "F16",
    "BFloat16Storage": "BF16",
    "LongStorage": "I64",
    "IntStorage": "I32",
    "ShortStorage": "I16",
    "CharStorage": "I8",
    "ByteStorage": "U8",
    "BoolStorage": "BOOL",
}
_PLAIN = ("float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8")


@dataclass(frozen=True, slots=True)
class _Storage:
    dtype: str
    member: Member


def read_header(path: Path) -> dict[str, StoredTensor]:
    """The tensors of a pickled state dict, or of the one inside a pickled checkpoint.

    Raises:
        CheckpointError: the file is damaged, or holds no state dict.
        UnsupportedModelError: it is of a kind that cannot be read without running code.
    """
    return state_dict(read_object(path), path)


def state_dict(content: Any, path: Path) -> dict[str, StoredTensor]:
    """The tensors in what `read_object` returned.

    Raises:
        CheckpointError: there are none, or two of the same name.
    """
    tensors: dict[str, StoredTensor] = {}
    for name, tensor in named_tensors(content, StoredTensor):
        if not name.isprintable() or len(name) > _MAX_NAME or name in tensors:
            raise _damaged(path, f"it holds a tensor of the name {name[:40]!r}, or two")
        tensors[name] = replace(tensor, name=name)
    if not tensors:
        raise CheckpointError(
            f"{path} holds no weights: no dictionary from names to tensors.",
            "Choose the file that holds the model, such as pytorch_model.bin or ckpt.pt.",
        )
    return tensors


def read_object(path: Path) -> Any:
    """The pickled object, with a `StoredTensor` without a name in place of each tensor.

    Raises:
        CheckpointError, UnsupportedModelError: as `read_header`.
    """
    try:
        members = read_directory(path)
        prefix = _prefix(members)
        _check_byte_order(path, members.get(f"{prefix}byteorder"))
        data = _read_member(path, members[f"{prefix}{_DATA}"], _MAX_DATA_BYTES)
        return read_pickle(data, _names(path), _Storages(members, f"{prefix}data/"))
    except ZipError as error:
        raise _no_zip(path, str(error)) from error
    except DamagedPickleError as error:
        raise _damaged(path, str(error)) from error
    except UnknownNameError as error:
        raise UnsupportedModelError(
            f"{path} holds more than weights: it refers to {error.name[:80]!r}, "
            "which would have to be run to be opened.",
            "gptdesk never runs code that comes with a model. Look for model.safetensors, or for "
            "a file with the state dict alone.",
        ) from error
    except OSError as error:
        raise CheckpointError(
            f"{path} cannot be read.", "Check that you may read it.", str(error)
        ) from error


def named_tensors(content: Any, kind: type[_T]) -> Iterator[tuple[str, _T]]:
    """The tensors, objects of type `kind`, in a state dict or a checkpoint around one.

    Yields:
        Their names without what `torch.compile` and DataParallel put in front, and themselves.
    """
    if not isinstance(content, dict):
        return
    inner = (content[key] for key in STATE_KEYS if isinstance(content.get(key), dict))
    for name, value in next(inner, content).items():
        if isinstance(name, str) and isinstance(value, kind):
            for wrapper in _WRAPPERS * 2:
                name = name.removeprefix(wrapper)
            yield name, value


class _Storages:
    """Finds the member of the zip file that a persistent id stands for."""

    def __init__(self, members: Mapping[str, Member], prefix: str) -> None:
        self._members = members
        self._prefix = prefix

    def __call__(self, reference: Any) -> _Storage:
        kind, dtype, key, _device, numbers = reference
        # Types first: what a message shows must not be an object that grows when it is printed.
        if kind != "storage" or not (isinstance(dtype, str) and isinstance(key, str)):
            raise DamagedPickleError("it refers to something that is no storage")
        member = self._members.get(self._prefix + key)
        if member is None:
            raise DamagedPickleError(f"it refers to a storage {key[:40]!r} that is not there")
        if type(numbers) is not int or numbers * ITEM_BYTES[dtype] != member.nbytes:
            raise DamagedPickleError(f"storage {key[:40]!r} has another size than it should")
        return _Storage(dtype, member)


def _names(path: Path) -> dict[str, object]:
    """Every name that a file of weights has a use for, and what stands for it here."""

    def tensor(
        storage: _Storage, first: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any
    ) -> StoredTensor:
        return _describe(path, storage, first, shape, strides)

    first = Function(lambda value, *_: value)
    names: dict[str, object] = {
        "collections.OrderedDict": Function(_empty_dict),
        "torch._utils._rebuild_tensor_v2": Function(tensor),
        "torch._utils._rebuild_parameter": first,
        "torch._utils._rebuild_parameter_with_state": first,
        "torch.Size": Function(lambda sizes=(): sizes),
        "torch.device": Function(lambda *_: None),
    }
    names |= dict.fromkeys(f"torch.{name}" for name in _PLAIN)
    return names | {f"torch.{name}": dtype for name, dtype in _STORAGES.items()}


def _empty_dict() -> dict[str, Any]:
    """No `dict`: that would take items from the file, unchecked."""
    return {}


def _describe(
    path: Path, storage: _Storage, first: int, shape: tuple[int, ...], strides: tuple[int, ...]
) -> StoredTensor:
    """One tensor, after checking that it lies inside its storage and is no larger."""
    if not (_naturals(shape) and _naturals(strides) and _naturals((first,))):
        raise DamagedPickleError("the shape, strides or place of a tensor are no sane numbers")
    item = ITEM_BYTES[storage.dtype]
    count = math.prod(shape)
    span = 1 + sum((n - 1) * s for n, s in zip(shape, strides, strict=True)) if count else 0
    if max(count, first + span) * item > storage.member.nbytes:
        raise DamagedPickleError(f"a tensor of shape {list(shape)} is larger than its storage")
    return StoredTensor(
        name="",
        path=path,
        dtype=storage.dtype,
        shape=shape,
        offset=storage.member.offset + first * item,
        nbytes=span * item,
        strides=None if _row_by_row(shape, strides) else strides,
    )


def _naturals(values: object) -> bool:
    return (
        type(values) is tuple
        and len(values) <= _MAX_DIMENSIONS
        and all(type(number) is int and 0 <= number < _MAX_DIMENSION for number in values)
    )


def _row_by_row(shape: tuple[int, ...], strides: tuple[int, ...]) -> bool:
    step = 1
    for size, stride in zip(reversed(shape), reversed(strides), strict=True):
        if size != 1 and stride != step:
            return False
        step *= size
    return True


def _prefix(members: Mapping[str, Member]) -> str:
    """The folder in the zip file that everything lies in, with a slash."""
    found = [name for name in members if name.split("/")[1:] == [_DATA]]
    if len(found) != 1:
        raise ZipError(f"it holds {len(found)} members {_DATA}, not one")
    prefix = found[0].removesuffix(_DATA)
    if f"{prefix}constants.pkl" in members:
        raise ZipError("it holds a program for TorchScript")
    return prefix


def _check_byte_order(path: Path, member: Member | None) -> None:
    if member is not None and _read_member(path, member, 16) != b"little":
        raise ZipError("its numbers do not begin with their lowest byte")


def _read_member(path: Path, member: Member, limit: int) -> bytes:
    if member.nbytes > limit:
        raise ZipError(f"a member has {member.nbytes} bytes, more than {limit}")
    with path.open("rb") as file:
        file.seek(member.offset)
        return file.read(member.nbytes)


def _no_zip(path: Path, why: str) -> CheckpointError:
    with path.open("rb") as file:
        start = file.read(len(_LEGACY_START))
    if start == _LEGACY_START:
        return UnsupportedModelError(
            f"{path} was written by PyTorch before version 1.6, in a format that gptdesk does not "
            "read.",
            "Look for model.safetensors of the same model, or load the file with PyTorch and save "
            "it again.",
        )
    if start.startswith(b"\x80"):
        return UnsupportedModelError(
            f"{path} is a pickle that torch.save did not write, which can run code when it is "
            "opened.",
            "Look for model.safetensors or pytorch_model.bin of the same model.",
        )
    return _damaged(path, why)


def _damaged(path: Path, why: str) -> CheckpointError:
    return placeholder_error(path) or CheckpointError(
        f"{path} is damaged or not a file of PyTorch weights.",
        "Download the file again; an interrupted download leaves it incomplete.",
        why,
    )
