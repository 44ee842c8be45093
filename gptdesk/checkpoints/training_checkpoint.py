"""Checkpoints that a training script wrote: one pickle with the weights and `model_args`.

This is how nanoGPT saves (its `train.py`): there is no config.json, the state of the optimizer
lies in the same file, and the tokenizer has to be put beside it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gptdesk.checkpoints.families.nanogpt import MODEL_TYPE
from gptdesk.checkpoints.pickle_header import read_object, state_dict
from gptdesk.checkpoints.weight_files import PICKLE_SUFFIXES, checked_path, weight_names
from gptdesk.errors import CheckpointError

_ARGS = "model_args"
_USUAL = "ckpt.pt"


def find_checkpoint(root: Path, chosen: str) -> Path | None:
    """The checkpoint in a folder without config.json; None where there is none.

    Args:
        root: the folder.
        chosen: the file in it that the person chose, "" for none.

    Raises:
        CheckpointError: several files could be meant, or it leads outside the folder.
    """
    if chosen:
        return checked_path(root, chosen) if chosen.endswith(PICKLE_SUFFIXES) else None
    names = weight_names(root, PICKLE_SUFFIXES)
    if _USUAL in names:
        return checked_path(root, _USUAL)
    if len(names) > 1:
        raise CheckpointError(
            f"{root} holds several checkpoints and no config.json.",
            "Open one of the files, or add the config.json of the model.",
            ", ".join(names[:5]),
        )
    return checked_path(root, names[0]) if names else None


def read_model_args(path: Path) -> dict[str, Any]:
    """What stands for config.json: the arguments that the model was built with.

    Raises:
        CheckpointError: the file is damaged, holds no weights, or does not tell its shape.
        UnsupportedModelError: it cannot be read without running code.
    """
    content = read_object(path)
    state_dict(content, path)
    args = content.get(_ARGS)
    if not isinstance(args, dict) or not all(isinstance(key, str) for key in args):
        raise CheckpointError(
            f"{path} holds weights but does not say how the model is built: it has no {_ARGS}, and "
            "there is no config.json beside it.",
            "Put the config.json of this model into the same folder.",
        )
    return {**args, "model_type": MODEL_TYPE}
