"""Writes a trained model as a folder that gptdesk, transformers and others load."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from gptdesk.checkpoints.experimental import KEY, Experimental
from gptdesk.checkpoints.families import FAMILIES
from gptdesk.checkpoints.saver import write_gpt
from gptdesk.model.gpt import GPT
from gptdesk.text.tokenizer import Tokenizer
from gptdesk.training.destination import replace_folder
from gptdesk.training.task_templates import templates_for
from gptdesk.training.tokenizer_training import TURN_END

PROFILE_FILE = "gptdesk.json"

# A small model runs in circles when the likeliest word is always taken; the window is short, so
# that names and numbers can still be copied from the text.
_CAREFUL = {
    "temperature": 0.0,
    "repetition_window": 40,
    "repetition_penalty": 1.05,
    "dry_multiplier": 1.0,
    "dry_allowed_length": 2,
}
_SAMPLING: dict[str, dict[str, Any]] = {
    "continue": {
        "temperature": 0.75,
        "top_k": 40,
        "top_p": 0.9,
        "min_p": 0.03,
        "repetition_penalty": 1.1,
        "repetition_window": 96,
        "dry_multiplier": 0.8,
    },
    "summarize": _CAREFUL,
    "translate": _CAREFUL,
    "rewrite": {"temperature": 0.0},  # most of it is copied, repetitions included
}


@dataclass(frozen=True, slots=True)
class Card:
    """What the folder says about the model.

    Attributes:
        name, description: for the person.
        languages: codes; empty when unknown.
        tasks: what it has learnt beyond continuing a text: "summarize", "translate", "rewrite", "chat".
        experimental: what it is weak at.
        sampling: by task, decoding values over the usual ones.
        certainty: how probable a correction must be to be made; 0 for any.
    """

    name: str
    description: str
    languages: tuple[str, ...]
    tasks: tuple[str, ...]
    experimental: Experimental = field(default_factory=Experimental)
    sampling: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    certainty: float = 0.0


def write_release(gpt: GPT, tokenizer_folder: Path, card: Card, out: Path, *, bf16: bool) -> None:
    """Write the model folder; an older one at `out` is replaced in one step.

    Args:
        gpt: the trained model; stays as it is.
        tokenizer_folder: with tokenizer.json.
        card: for gptdesk.json.
        out: the folder.
        bf16: whether weights are rounded to 16 bits, which halves the folder.

    Raises:
        CheckpointError: the folder cannot be written or the disk is full.
        TrainingError: the older folder cannot be replaced.
    """
    tokenizer = Tokenizer.from_folder(tokenizer_folder)
    fresh = out.with_name(f".{out.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    written = GPT(gpt.config).to(torch.bfloat16 if bf16 else torch.float32)
    written.load_state_dict(gpt.state_dict())
    companions = _companions(tokenizer, tokenizer_folder, card, gpt)
    write_gpt(written, _config_data(gpt, tokenizer), companions, fresh)
    replace_folder(out, fresh)


def _config_data(gpt: GPT, tokenizer: Tokenizer) -> dict[str, object]:
    family = FAMILIES[gpt.config.architecture]
    end = min(tokenizer.end_ids, default=0)
    return {
        "architectures": [family.architecture],
        "model_type": family.model_type,
        **family.write(gpt.config),
        "bos_token_id": end,
        "eos_token_id": end,
    }


def _companions(
    tokenizer: Tokenizer, folder: Path, card: Card, gpt: GPT
) -> Iterator[tuple[str, bytes]]:
    """The files beside the weights."""
    yield "tokenizer.json", (folder / "tokenizer.json").read_bytes()
    settings = json.loads((folder / "tokenizer_config.json").read_text("utf-8"))
    settings["model_max_length"] = gpt.config.context_length
    if "chat" not in card.tasks:
        # A template promises that the model can hold a conversation.
        settings.pop("chat_template", None)
    yield "tokenizer_config.json", _json(settings)
    yield "generation_config.json", _json(_generation(tokenizer, card.tasks))
    yield PROFILE_FILE, _json(_profile(tokenizer, card))


def _generation(tokenizer: Tokenizer, tasks: Iterable[str]) -> dict[str, Any]:
    end = min(tokenizer.end_ids, default=0)
    ends = [end]
    if "chat" in tasks:
        ends += [i for i in tokenizer.special_ids if _is_token(tokenizer, i, TURN_END)]
    return {"bos_token_id": end, "eos_token_id": ends if len(ends) > 1 else end}


def _is_token(tokenizer: Tokenizer, token: int, text: str) -> bool:
    return tokenizer.decode([token], skip_special=False) == text


def _profile(tokenizer: Tokenizer, card: Card) -> dict[str, Any]:
    templates = templates_for(tokenizer)
    tasks = ["continue", *(task for task in card.tasks if task in templates)]
    return {
        "format_version": 1,
        "name": card.name,
        "description": card.description,
        "languages": list(card.languages),
        **({KEY: asdict(card.experimental)} if card.experimental else {}),
        "tasks": {
            task: {
                "template": templates[task],
                "sampling": {**_SAMPLING[task], **card.sampling.get(task, {})},
                **({"certainty": card.certainty} if task == "rewrite" and card.certainty else {}),
            }
            for task in tasks
        },
    }


def _json(data: object) -> bytes:
    return (json.dumps(data, indent=2, ensure_ascii=False) + "\n").encode("utf-8")
