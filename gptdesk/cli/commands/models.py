"""`gptdesk models` and `gptdesk info`: what models there are, from their headers alone."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gptdesk.checkpoints.adapter_info import AdapterInfo
    from gptdesk.checkpoints.experimental import Experimental
    from gptdesk.checkpoints.info import ModelInfo

_MEGA = 1_000_000


def list_all(options: argparse.Namespace) -> int:
    """Print the catalogue."""
    from gptdesk.checkpoints.catalogue import list_models
    from gptdesk.settings import Settings

    folders = [*Settings.load().get("model.folders"), *options.folder]
    found = list_models([Path(folder) for folder in folders])
    if options.json:
        print(json.dumps([_as_json(info) for info in found], ensure_ascii=False, indent=1))
        return 0
    for info in found:
        state = f"  cannot be loaded: {info.refusal}" if info.refusal else ""
        print(f"{info.name:<28} {_summary(info):<44} {info.path}{state}")
    if not found:
        print("No models found.")
    return 0


def info(options: argparse.Namespace) -> int:
    """Print what one model, or one adapter, is."""
    from gptdesk.checkpoints.adapter_folder import is_adapter
    from gptdesk.checkpoints.inspection import inspect_model

    if is_adapter(options.path):
        return _adapter_info(options)
    found = inspect_model(options.path)
    if options.json:
        print(json.dumps(_as_json(found), ensure_ascii=False, indent=1))
        return 0
    rows = {
        "name": found.name,
        "path": found.path,
        "kind": f"{found.kind}, {found.architecture}",
        "parameters": f"{found.parameters:,}",
        "context": f"{found.context_length:,} tokens",
        "vocabulary": f"{found.vocab_size:,}",
        "languages": ", ".join(found.languages),
        "experimental": _experimental(found.experimental),
        "precision": found.precision,
        "on disk": f"{found.bytes_on_disk / _MEGA:,.1f} MB in {len(found.files)} files",
        "memory": ", ".join(
            f"{name} {size / _MEGA:,.0f} MB" for name, size in found.memory_bytes.items()
        ),
        "loads": found.refusal or "yes",
    }
    for name, value in rows.items():
        if value:
            print(f"{name:<12} {value}")
    for warning in found.warnings:
        print(f"{'warning':<12} {warning}")
    return 0


def _adapter_info(options: argparse.Namespace) -> int:
    from gptdesk.checkpoints.adapter_info import inspect_adapter

    found = inspect_adapter(options.path)
    if options.json:
        print(json.dumps(_as_json(found), ensure_ascii=False, indent=1))
        return 0
    rows = {
        "name": found.name,
        "path": found.path,
        "kind": "LoRA adapter",
        "made for": found.base or "(it does not say)",
        "rank": ", ".join(str(rank) for rank in found.ranks),
        "alpha": f"{found.alpha:g}",
        "layers": ", ".join(found.modules),
        "held whole": ", ".join(found.replaced),
        "parameters": f"{found.parameters:,}",
        "precision": found.precision,
        "on disk": f"{found.bytes_on_disk / _MEGA:,.1f} MB",
    }
    for name, value in rows.items():
        if value:
            print(f"{name:<12} {value}")
    return 0


def _experimental(weak: Experimental) -> str:
    texts = f"texts of more than {weak.text_tokens:,} tokens" if weak.text_tokens else ""
    return ", ".join(part for part in (*weak.languages, texts) if part)


def _summary(info: ModelInfo) -> str:
    size = f"{info.parameters / _MEGA:,.1f}M parameters"
    return f"{info.architecture}, {size}, {info.context_length:,} tokens"


def _as_json(info: ModelInfo | AdapterInfo) -> dict[str, Any]:
    return {**dataclasses.asdict(info), "path": str(info.path)}
