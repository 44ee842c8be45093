"""`gptdesk.json`: what a model's maker tells gptdesk about prompting it.

    {
        "format_version": 1, "name": "…", "description": "…", "languages": ["en", "zh", "de"],
        "experimental": {"languages": ["de"], "text_tokens": 700},
        "tasks": {
            "summarize": {
                "template": "<|summarize|><|{language}|>{text}<|answer|>",
                "sampling": {"temperature": 0.0}
            },
            "rewrite": {"template": "…", "certainty": 0.8}
        }
    }

Every key but the first may be missing, and unknown ones are passed over. A folder without the file
is prompted through its chat template, or as a plain language model.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gptdesk.checkpoints.experimental import KEY as EXPERIMENTAL
from gptdesk.checkpoints.experimental import Experimental, parse_experimental
from gptdesk.errors import CheckpointError, OptionError
from gptdesk.generation.sampling import Sampling
from gptdesk.text.task_template import placeholders

FILE_NAME = "gptdesk.json"
_MAX_BYTES = 1 << 20
_PLACEHOLDERS: Mapping[str, set[str]] = {
    "continue": {"text"},
    "summarize": {"text", "form", "language"},
    "translate": {"text", "source", "target"},
    "rewrite": {"text", "style"},
}


@dataclass(frozen=True, slots=True)
class TaskProfile:
    """Template and decoding advice for one task.

    Attributes:
        template: text with `{text}` for what the person wrote and the placeholders of its task:
            summarize `{form}` (headline or paragraph: points are made of several summaries) and
            `{language}`, translate `{source}` and `{target}`, rewrite `{style}` (proofread or
            simplify); languages are codes such as "en". The rest is read with control tokens.
        sampling: values for `Sampling` fields.
        certainty: of rewrite; a correction whose words the model finds less probable is not made.
    """

    template: str
    sampling: Mapping[str, Any] = field(default_factory=dict)
    certainty: float = 0.0


@dataclass(frozen=True, slots=True)
class ModelProfile:
    """Everything in `gptdesk.json`; empty for a model that has none.

    Attributes:
        name: for the person; "" when unknown.
        description: one sentence.
        languages: codes the model was trained for; empty when unknown.
        tasks: by task id.
        experimental: what the model is weak at, in its maker's opinion.
    """

    name: str = ""
    description: str = ""
    languages: tuple[str, ...] = ()
    tasks: Mapping[str, TaskProfile] = field(default_factory=dict)
    experimental: Experimental = field(default_factory=Experimental)

    def advice(self, task: str) -> Mapping[str, Any]:
        """The maker's values for `Sampling` fields of a task; empty where there is none."""
        return self.tasks[task].sampling if task in self.tasks else {}

    def certainty(self, task: str) -> float:
        """How probable a change must be to be made, 0 … 1; 0 where the maker says nothing."""
        return self.tasks[task].certainty if task in self.tasks else 0.0


def read_profile(folder: Path) -> ModelProfile:
    """Read `gptdesk.json` of a model folder; a folder without one has an empty profile.

    Raises:
        CheckpointError: the file is there and is not a valid profile.
    """
    path = folder / FILE_NAME
    if not path.is_file():
        return ModelProfile()
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise _invalid(path, f"it is larger than {_MAX_BYTES} bytes")
        data = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _invalid(path, str(error)) from error
    return _parse(path, data)


def _parse(path: Path, data: Any) -> ModelProfile:
    if not isinstance(data, dict) or data.get("format_version") != 1:
        raise _invalid(path, "format_version must be 1")
    tasks = data.get("tasks", {})
    languages = data.get("languages", [])
    texts = (data.get("name", ""), data.get("description", ""), *_as_list(path, languages))
    if not isinstance(tasks, dict) or not all(isinstance(text, str) for text in texts):
        raise _invalid(path, "name, description, languages or tasks has the wrong type")
    parsed = {str(task): _parse_task(path, task, entry) for task, entry in tasks.items()}
    try:
        experimental = parse_experimental(data.get(EXPERIMENTAL, {}))
    except ValueError as error:
        raise _invalid(path, str(error)) from error
    return ModelProfile(texts[0], texts[1], tuple(languages), parsed, experimental)


def _parse_task(path: Path, task: str, entry: Any) -> TaskProfile:
    template = entry.get("template") if isinstance(entry, dict) else None
    if not isinstance(template, str) or template.count("{text}") != 1:
        raise _invalid(path, f"tasks.{task}.template must contain {{text}} once")
    # Templates of tasks that only later versions have are kept unread, not refused.
    unknown = placeholders(template) - _PLACEHOLDERS.get(task, placeholders(template))
    if unknown:
        raise _invalid(path, f"tasks.{task}.template has an unknown {{{min(unknown)}}}")
    values = entry.get("sampling", {})
    try:
        Sampling().with_values(values)
    except (OptionError, TypeError, ValueError) as error:
        raise _invalid(path, f"tasks.{task}.sampling: {error}") from error
    return TaskProfile(template, values, _certainty(path, task, entry.get("certainty", 0.0)))


def _certainty(path: Path, task: str, value: Any) -> float:
    if type(value) not in (int, float) or not 0 <= value <= 1:
        raise _invalid(path, f"tasks.{task}.certainty must be a number from 0 to 1")
    return float(value)


def _as_list(path: Path, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise _invalid(path, "languages must be a list")
    return value


def _invalid(path: Path, what: str) -> CheckpointError:
    return CheckpointError(
        f"{path.name} in {path.parent} is not valid: {what}.",
        "Correct the file, or delete it to use the model without task templates.",
    )
