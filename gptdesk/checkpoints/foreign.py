"""Files of other programs that people try to open: recognised, named and answered with advice."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

from gptdesk.errors import CheckpointError, UnsupportedModelError

_PICKLES = (".pkl", ".pickle")
_OTHER_FORMATS = {
    ".h5": "TensorFlow",
    ".msgpack": "Flax",
    ".tflite": "TensorFlow Lite",
    ".mlpackage": "Core ML",
    ".npz": "NumPy",
}
_OWN_SUFFIXES = (
    *(".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".gguf"),
    *(".json", ".onnx", ".data", ".jinja"),
)
_ADVICE = (
    "Download the model's original folder in Hugging Face format: config.json, tokenizer.json "
    "and safetensors files."
)


def refuse_foreign_file(path: Path) -> None:
    """Raise if this regular file cannot be part of a model folder of ours.

    Raises:
        UnsupportedModelError: a model of a format that is not read.
        CheckpointError: no model at all.
    """
    if path.suffix in _PICKLES:
        _refuse_pickle(path)
    if path.suffix in _OTHER_FORMATS:
        raise UnsupportedModelError(
            f"{path} is a model in {_OTHER_FORMATS[path.suffix]} format, "
            "which gptdesk does not read.",
            _ADVICE,
        )
    # The name of a link into a download cache is a checksum without a suffix.
    if path.suffix and path.suffix.lower() not in _OWN_SUFFIXES:
        raise CheckpointError(
            f"{path} is not a model.", "Choose a model's folder, or its config.json."
        )


def refuse_foreign_folder(root: Path, chosen: str = "") -> NoReturn:
    """Say why a folder without config.json or without safetensors is no model of ours.

    Args:
        root: the folder.
        chosen: the file in it that the person chose, "" for none: its neighbours are not to blame.

    Raises:
        UnsupportedModelError: it holds a model of a format that is not read.
        CheckpointError: it holds no model.
    """
    try:
        names = sorted(file.name for file in root.iterdir())
    except OSError as error:
        raise CheckpointError(
            f"{root} cannot be read.", "Choose a folder that you may read.", str(error)
        ) from error
    if chosen.endswith(".safetensors") and "adapter_config.json" not in names:
        raise CheckpointError(
            f"{root / chosen} has no config.json beside it.",
            "Choose a folder that holds config.json, tokenizer.json and safetensors files.",
        )
    if not names:
        raise CheckpointError(
            f"{root} is empty.", "Choose a folder that holds a model: config.json and weights."
        )
    if "adapter_config.json" in names:
        raise UnsupportedModelError(
            f"{root} is an adapter and not a whole model.",
            "Open the model that it was trained on, then put the adapter on it.",
        )
    for name in names:
        path = root / name
        if path.suffix in _PICKLES and name != "meta.pkl":
            _refuse_pickle(path)
        if path.suffix in _OTHER_FORMATS:
            raise UnsupportedModelError(
                f"{path} is in {_OTHER_FORMATS[path.suffix]} format, which gptdesk does not read.",
                _ADVICE,
            )
    if any(name.endswith(".onnx") for name in names) or (root / "onnx").is_dir():
        raise UnsupportedModelError(
            f"{root} is an ONNX model that gptdesk did not write.",
            "Open the original model and use Model > Export to ONNX.",
        )
    raise CheckpointError(
        f"{root} holds no model: "
        + ("config.json" if "config.json" not in names else "a safetensors file")
        + " is missing.",
        "Choose a folder that holds config.json, tokenizer.json and safetensors files.",
        ", ".join(names[:10]),
    )


def _refuse_pickle(path: Path) -> NoReturn:
    raise UnsupportedModelError(
        f"{path} is a pickle, which can run code when it is opened; gptdesk reads those of "
        "PyTorch weights only, and without running anything.",
        "Look for model.safetensors or pytorch_model.bin of the same model.",
    )
