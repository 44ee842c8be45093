"""Files of other programs that people try to open: recognised, named and answered with advice."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

from gptdesk.errors import CheckpointError, UnsupportedModelError

_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
_OTHER_FORMATS = {
    ".h5": "TensorFlow",
    ".msgpack": "Flax",
    ".tflite": "TensorFlow Lite",
    ".mlpackage": "Core ML",
    ".npz": "NumPy",
}
_OWN_SUFFIXES = (".safetensors", ".json", ".onnx", ".data", ".jinja")
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
    try:
        with path.open("rb") as file:
            start = file.read(512)
    except OSError as error:
        raise CheckpointError(
            f"{path} cannot be read.", "Check that you may read it.", str(error)
        ) from error
    if start.startswith(b"GGUF") or path.suffix == ".gguf":
        _refuse_gguf(path)
    if path.suffix in _PICKLES:
        _refuse_pickle(path)
    if path.suffix in _OTHER_FORMATS:
        raise UnsupportedModelError(
            f"{path} is a model in {_OTHER_FORMATS[path.suffix]} format, "
            "which gptdesk does not read.",
            _ADVICE,
        )
    # The name of a link into a download cache is a checksum without a suffix.
    if path.suffix and path.suffix not in _OWN_SUFFIXES:
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
    for name in names:
        path = root / name
        if path.suffix == ".gguf":
            _refuse_gguf(path)
        if path.suffix in _PICKLES and name != "training_args.bin":
            _refuse_pickle(path)
        if path.suffix in _OTHER_FORMATS:
            raise UnsupportedModelError(
                f"{path} is in {_OTHER_FORMATS[path.suffix]} format, which gptdesk does not read.",
                _ADVICE,
            )
    if "adapter_config.json" in names:
        raise UnsupportedModelError(
            f"{root} is an adapter and not a whole model.",
            "Open the model that it was trained on.",
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


def _refuse_gguf(path: Path) -> NoReturn:
    raise UnsupportedModelError(
        f"{path} is a GGUF file, the format of llama.cpp, which gptdesk does not read.", _ADVICE
    )


def _refuse_pickle(path: Path) -> NoReturn:
    raise UnsupportedModelError(
        f"{path} holds weights as a pickle, which can run code when it is opened; "
        "gptdesk reads safetensors only.",
        "Look for model.safetensors of the same model; most publishers offer it.",
    )
