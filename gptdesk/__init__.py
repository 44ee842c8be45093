"""gptdesk: a writing assistant whose language model runs on the writer's own machine.

The map of the code, from the window down; an import may only point down:

    ui/            the window; the only place that knows Qt
    cli/           the command line; the other thin reader of events
    evaluation/    bench: measures through sessions and engines
    session.py     loads a model, runs tasks on it, keeps its cached prefix;  jobs.py: the same
                   as plain requests and events, for a worker;  api.py: the functions below
    tasks/         continue, summarize, translate, rewrite: text in, events out
    generation/    sampling, the decoding loop, stop strings, streaming, events
    engines/       torch · ONNX Runtime · fake, behind one protocol
    export/        checkpoint to ONNX;  training/: text to tokens to a checkpoint
    checkpoints/   folders on disk to configuration, tensors and catalogue
    model/         the GPT itself
    text/          tokenizer, chat templates, segmentation, language guess, documents
    settings/ paths.py logs.py atomic.py inert_pickle.py cancel.py errors.py

A key press travels: ui/ → jobs.py → session.py → tasks/ → generation/loop.py → engines/ and back
as events. Public names are loaded on first use, so that importing this package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from gptdesk.api import (
        classify,
        continue_text,
        export_onnx,
        inspect,
        load,
        rewrite,
        save,
        summarize,
        translate,
    )
    from gptdesk.errors import GptDeskError
    from gptdesk.generation.events import Token
    from gptdesk.generation.sampling import Sampling
    from gptdesk.text.document import read_document

_HOMES = {
    "GptDeskError": "gptdesk.errors",
    "Sampling": "gptdesk.generation.sampling",
    "Token": "gptdesk.generation.events",
    "classify": "gptdesk.api",
    "continue_text": "gptdesk.api",
    "export_onnx": "gptdesk.api",
    "inspect": "gptdesk.api",
    "load": "gptdesk.api",
    "read_document": "gptdesk.text.document",
    "rewrite": "gptdesk.api",
    "save": "gptdesk.api",
    "summarize": "gptdesk.api",
    "translate": "gptdesk.api",
}

__all__ = [
    "GptDeskError",
    "Sampling",
    "Token",
    "classify",
    "continue_text",
    "export_onnx",
    "inspect",
    "load",
    "read_document",
    "rewrite",
    "save",
    "summarize",
    "translate",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'gptdesk' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
