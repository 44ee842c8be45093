"""The families that gptdesk runs, by the `model_type` of their config.json.

To add one: a module here with a `Family` (how its config reads, which tensors are named or
stored differently), a line in `FAMILIES`, and its shapes in `tests/helpers/families.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gptdesk.checkpoints.families.base import CONFIG_NAME, ConfigReader, Family, shown
from gptdesk.checkpoints.families.gemma import GEMMA
from gptdesk.checkpoints.families.gemma2 import GEMMA2
from gptdesk.checkpoints.families.gemma3 import GEMMA3_TEXT
from gptdesk.checkpoints.families.gpt2 import GPT2
from gptdesk.checkpoints.families.gpt_neo import GPT_NEO
from gptdesk.checkpoints.families.gpt_neox import GPT_NEOX
from gptdesk.checkpoints.families.gptj import GPTJ
from gptdesk.checkpoints.families.granite import GRANITE
from gptdesk.checkpoints.families.llama import LLAMA
from gptdesk.checkpoints.families.mistral import MISTRAL
from gptdesk.checkpoints.families.nanogpt import NANOGPT
from gptdesk.checkpoints.families.olmo2 import OLMO2
from gptdesk.checkpoints.families.phi import PHI
from gptdesk.checkpoints.families.phi3 import PHI3
from gptdesk.checkpoints.families.qwen2 import QWEN2
from gptdesk.checkpoints.families.qwen3 import QWEN3
from gptdesk.checkpoints.families.refusals import REASONS
from gptdesk.checkpoints.families.smollm3 import SMOLLM3
from gptdesk.errors import CheckpointError, UnsupportedModelError
from gptdesk.model.config import ModelConfig

FAMILIES: dict[str, Family] = {
    family.model_type: family
    for family in (
        GEMMA,
        GEMMA2,
        GEMMA3_TEXT,
        GPT2,
        GPTJ,
        GPT_NEO,
        GPT_NEOX,
        GRANITE,
        LLAMA,
        MISTRAL,
        NANOGPT,
        OLMO2,
        PHI,
        PHI3,
        QWEN2,
        QWEN3,
        SMOLLM3,
    )
}


def find_family(data: Mapping[str, Any], source: str = CONFIG_NAME) -> Family:
    """The family of a parsed config.json.

    Raises:
        CheckpointError: the file names no `model_type`.
        UnsupportedModelError: the type is not built; where it is well known, with the reason.
    """
    kind = data.get("model_type")
    if not isinstance(kind, str) or not kind:
        raise CheckpointError(
            f"{source} has no key model_type, so this is not a model that gptdesk can read.",
            "Open the folder of a language model in Hugging Face format.",
        )
    if kind in FAMILIES:
        return FAMILIES[kind]
    if kind in REASONS:
        raise UnsupportedModelError(
            f"{source}: model_type = {shown(kind)} is {REASONS[kind]}.",
            f"Models of these types run: {', '.join(sorted(FAMILIES))}.",
        )
    if data.get("auto_map"):
        raise UnsupportedModelError(
            f"{source}: model_type = {shown(kind)} is not known to this version of gptdesk, and "
            "auto_map says that the model needs Python code of its own.",
            "gptdesk never runs code that comes with a model. Look for a version without it.",
        )
    raise UnsupportedModelError(
        f"{source}: model_type = {shown(kind)} is not supported by this version of gptdesk.",
        f"Models of these types run: {', '.join(sorted(FAMILIES))}.",
    )


def read_config(data: Mapping[str, Any], source: str = CONFIG_NAME) -> ModelConfig:
    """The shape that a parsed config.json describes; `source` names the file in errors.

    Raises:
        CheckpointError: a key is missing, of the wrong type or out of range.
        UnsupportedModelError: it asks for something that is not built.
    """
    family = find_family(data, source)
    try:
        return family.read(ConfigReader(data, source))
    except CheckpointError as error:
        if source in error.title:
            raise
        title = f"{source} cannot be used: {error.title}"
        raise CheckpointError(title, error.hint, error.details) from error
