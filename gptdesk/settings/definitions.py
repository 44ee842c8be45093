"""Every setting there is: its key, type, default, permitted values and meaning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gptdesk.errors import OptionError


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    Attributes:
        key: dotted name in the file.
        default: its value on a fresh installation; its type is the setting's type.
        help: one sentence.
        choices: permitted values; empty for free ones.
        minimum, maximum: bounds of a number.
    """

    key: str
    default: Any
    help: str
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None

    def check(self, value: Any) -> None:
        """Raise `OptionError` unless `value` is permitted."""
        if type(value) is not type(self.default):
            wanted = type(self.default).__name__
            raise OptionError(f"Setting {self.key} must be of type {wanted}, not {value!r}.")
        if self.choices and value not in self.choices:
            raise OptionError(
                f"Setting {self.key} cannot be {value!r}.",
                f"Choose one of: {', '.join(self.choices)}.",
            )
        if isinstance(value, list) and not all(isinstance(item, str) for item in value):
            raise OptionError(f"Setting {self.key} must be a list of texts.")
        low, high = self.minimum, self.maximum
        if (low is not None and value < low) or (high is not None and value > high):
            raise OptionError(f"Setting {self.key} = {value} is outside {low} … {high}.")


_ALL = (
    Setting("ui.language", "auto", "Language of the window.", ("auto", "en", "zh_CN")),
    Setting("ui.theme", "auto", "Colours of the window.", ("auto", "light", "dark")),
    Setting("ui.window", "", "Geometry of the window, as Qt saves it, in hexadecimal."),
    Setting("ui.splitter", "", "Split of editor and panel, as Qt saves it, in hexadecimal."),
    Setting("ui.panel_visible", True, "Whether the assistant panel is shown."),
    Setting("editor.font_family", "", "Typeface of the text; empty for the default serif."),
    Setting("editor.font_size", 17, "Size of the text in pixels.", minimum=8, maximum=72),
    Setting("editor.line_width", 68, "Characters per line.", minimum=30, maximum=200),
    Setting("assistant.mode", "continue", "Mode of the assistant panel."),
    Setting("assistant.preset", "balanced", "Sampling preset."),
    Setting("assistant.sampling", {}, "Values of the sampling settings, by name."),
    Setting("assistant.options", {}, "Options of each task, by task."),
    Setting("model.path", "", "Model to open at start; empty for the bundled one."),
    Setting("model.engine", "auto", "Engine.", ("auto", "torch", "onnx", "fake")),
    Setting("model.device", "auto", "Device the model runs on."),
    Setting("model.dtype", "auto", "Precision.", ("auto", "fp32", "bf16", "fp16")),
    Setting("model.recent", [], "Models opened lately, newest first."),
    Setting("model.adapter", "", "LoRA adapter to put on that model; empty for none."),
    Setting("model.adapter_on", True, "Whether the adapter is switched on."),
    Setting("model.folders", [], "Further folders to look for models in."),
    Setting("model.loading", "", "Model whose loading has not ended: a crash left it here."),
    Setting("training.unfinished", {}, "Teaching of a model that was stopped and can go on."),
    Setting("files.recent", [], "Documents opened lately, newest first."),
    Setting("files.open", [], "Documents open when the window was closed."),
    Setting("files.last_dir", "", "Folder of the last file dialog."),
)

SETTINGS: Mapping[str, Setting] = {setting.key: setting for setting in _ALL}
