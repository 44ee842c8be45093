"""Writing a GPT back as a Hugging Face folder that `transformers` loads to the same logits."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from gptdesk.atomic import new_folder
from gptdesk.checkpoints.companions import companion_files
from gptdesk.checkpoints.families import FAMILIES, read_config
from gptdesk.checkpoints.families.base import CONFIG_NAME, Family, Rule
from gptdesk.checkpoints.folder import resolve_folder
from gptdesk.checkpoints.layout import HEAD, parameter_shapes
from gptdesk.checkpoints.row_order import RowOrder
from gptdesk.checkpoints.weight_files import INDEX_FILE, SINGLE_FILE
from gptdesk.errors import CheckpointError
from gptdesk.model.gpt import GPT
from gptdesk.model.lora import merged_config, merged_parameter

SHARD_BYTES = 2 << 30
_DTYPE_NAMES = {torch.float32: "float32", torch.bfloat16: "bfloat16", torch.float16: "float16"}
_STALE_KEYS = ("torch_dtype", "quantization_config", "gptdesk_onnx")


def save_gpt(gpt: GPT, source_root: Path, out_dir: Path, shard_bytes: int = SHARD_BYTES) -> None:
    """Write config.json, safetensors and copies of the tokenizer's files.

    Args:
        gpt: the model; its weights are written in the precision they have. An adapter that is
            switched on is merged into what is written, one that is off is left out.
        source_root: the folder or file it came from: keys of config.json that do not describe
            the shape and the tokenizer's files are taken over.
        out_dir: must not exist, or be empty. Appears whole or not at all.
        shard_bytes: largest size of one safetensors file.

    Raises:
        CheckpointError: `out_dir` is not empty or cannot be written, or the disk is full.
    """
    source = resolve_folder(source_root)
    write_gpt(gpt, source.config_data, companion_files(source), out_dir, shard_bytes)


def write_gpt(
    gpt: GPT,
    config_data: Mapping[str, object],
    companions: Iterable[tuple[str, bytes]],
    out_dir: Path,
    shard_bytes: int = SHARD_BYTES,
) -> None:
    """Write a model folder from its parts; for a model that comes from no folder.

    Args:
        gpt: as for `save_gpt`.
        config_data: config.json; what it says of the shape is corrected.
        companions: names and contents of further files.
        out_dir: must not exist, or be empty. Appears whole or not at all.
        shard_bytes: largest size of one safetensors file.

    Raises:
        CheckpointError: `out_dir` is not empty or cannot be written, or the disk is full.
    """
    family = FAMILIES[gpt.config.architecture]
    try:
        with new_folder(out_dir) as folder:
            _write_weights(gpt, family, folder, shard_bytes)
            _write_json(folder / CONFIG_NAME, _config_data(gpt, family, config_data))
            for path in folder.glob("*.safetensors"):
                # Written for the owner alone; give it the mode of any other new file.
                path.chmod((folder / CONFIG_NAME).stat().st_mode & 0o777)
            for name, content in companions:
                (folder / name).parent.mkdir(exist_ok=True)
                (folder / name).write_bytes(content)
    except FileExistsError as error:
        raise CheckpointError(
            f"{out_dir} already holds files.", "Choose a new or an empty folder."
        ) from error
    except (OSError, SafetensorError) as error:  # the latter hides what the system said
        raise CheckpointError(
            f"The model cannot be written to {out_dir}.",
            "Check that the disk has room and that you may write there.",
            str(error),
        ) from error


def _config_data(gpt: GPT, family: Family, base: Mapping[str, object]) -> dict[str, object]:
    data = dict(base) if base.get("model_type") == family.model_type else {}
    for key in _STALE_KEYS:
        data.pop(key, None)
    config = family.saved_config(merged_config(gpt))
    if not data or read_config(data) != config:
        # Only then: several names of one activation differ in the last bit of the reference.
        data |= family.write(config)
    data["model_type"] = family.model_type
    data["architectures"] = [family.architecture]
    data["dtype"] = _DTYPE_NAMES[gpt.lm_head.weight.dtype]
    return data


def _write_weights(gpt: GPT, family: Family, folder: Path, shard_bytes: int) -> None:
    shards = _shards(gpt, family, shard_bytes)
    metadata = {"format": "pt"}
    if len(shards) == 1:
        save_file(_tensors(shards[0]), folder / SINGLE_FILE, metadata)
        return
    weight_map: dict[str, str] = {}
    total = 0
    for number, shard in enumerate(shards, 1):
        name = f"model-{number:05}-of-{len(shards):05}.safetensors"
        tensors = _tensors(shard)
        save_file(tensors, folder / name, metadata)
        weight_map |= dict.fromkeys(tensors, name)
        total += sum(tensor.nbytes for tensor in tensors.values())
    index = {"metadata": {"total_size": total}, "weight_map": weight_map}
    _write_json(folder / INDEX_FILE, index)


_Shard = list[tuple[str, Callable[[], Tensor]]]


def _tensors(shard: _Shard) -> dict[str, Tensor]:
    return {name: make() for name, make in shard}


def _shards(gpt: GPT, family: Family, shard_bytes: int) -> list[_Shard]:
    """Group stored tensors by size; each is put together only when its shard is written."""
    shards: list[_Shard] = [[]]
    filled = 0
    for name, nbytes, make in _stored(gpt, family):
        if shards[-1] and filled + nbytes > shard_bytes:
            shards.append([])
            filled = 0
        shards[-1].append((name, make))
        filled += nbytes
    return shards


def _stored(gpt: GPT, family: Family) -> Iterator[tuple[str, int, Callable[[], Tensor]]]:
    config = family.saved_config(merged_config(gpt))
    shapes = {HEAD: (config.vocab_size, config.hidden_size), **parameter_shapes(config)}
    absent = shapes.keys() - parameter_shapes(gpt.config).keys() - {HEAD}
    for rule in family.sources(config):
        parts = [shapes[name] for name in rule.ours]
        nbytes = sum(map(math.prod, parts)) * gpt.lm_head.weight.itemsize
        order = rule.row_order(config, tuple(shape[0] for shape in parts))
        zeros = {name: shapes[name] for name in rule.ours if name in absent}
        yield rule.theirs, nbytes, partial(_merged, gpt, rule, order, zeros)


def _merged(
    gpt: GPT, rule: Rule, order: RowOrder | None, zeros: Mapping[str, tuple[int, ...]]
) -> Tensor:
    dtype = gpt.lm_head.weight.dtype
    parts = [
        torch.zeros(zeros[name], dtype=dtype) if name in zeros else merged_parameter(gpt, name)
        for name in rule.ours
    ]
    return join_parts(rule, order, parts)


def join_parts(rule: Rule, order: RowOrder | None, parts: list[Tensor]) -> Tensor:
    """Undo what loading did to one stored tensor."""
    whole = torch.cat(parts) if len(parts) > 1 else parts[0]
    if order is not None:
        ours, whole = whole, torch.empty_like(whole)
        whole[torch.tensor(order.stored_rows(), device=ours.device)] = ours
    return (whole.t() if rule.transpose else whole).cpu().contiguous()


def _write_json(path: Path, data: dict[str, object]) -> None:
    path.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
