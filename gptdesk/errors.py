"""Every error that gptdesk shows to a person, as one tree.

    GptDeskError                 .title  what happened, and where
    │                            .hint   what to do about it
    │                            .details  technical text for a bug report
    ├── DocumentError            a text file that cannot be read or written
    ├── OptionError              an option, setting or sampling value out of range
    ├── CheckpointError          a model folder that is missing, broken or hostile
    │   ├── UnsupportedModelError   well-formed, but of a kind gptdesk does not run
    │   └── TokenizerError          its tokenizer or chat template is unusable
    ├── EngineError              a loaded model that cannot go on
    │   ├── OutOfMemoryError        not enough memory on the device
    │   └── ContextOverflowError    more tokens than the model can attend to
    ├── ExportError              an ONNX export that cannot be made or written
    ├── TrainingError            a training run that cannot start or go on
    ├── NotBuiltError            a documented capability that this version lacks
    └── Cancelled                the person stopped it; never shown as a failure

Bad input raises one of these and nothing else; any other exception is a bug in gptdesk.
"""

from __future__ import annotations


class GptDeskError(Exception):
    """Base of all errors meant for a person.

    Args:
        title: one sentence: what happened, naming the file, key or value.
        hint: one sentence: what the person can do.
        details: technical text, shown on request.
    """

    def __init__(self, title: str, hint: str = "", details: str = "") -> None:
        super().__init__(title)
        self.title = title
        self.hint = hint
        self.details = details

    def __str__(self) -> str:
        return "\n".join(part for part in (self.title, self.hint) if part)

    def __reduce__(self) -> tuple[type[GptDeskError], tuple[str, str, str]]:
        return type(self), (self.title, self.hint, self.details)


class DocumentError(GptDeskError):
    """A text file that cannot be read or written."""


class OptionError(GptDeskError):
    """An option, setting or sampling value that is out of range or of the wrong type."""


class CheckpointError(GptDeskError):
    """A model folder that is missing, broken or hostile."""


class UnsupportedModelError(CheckpointError):
    """A well-formed model of a kind that gptdesk does not run."""


class TokenizerError(CheckpointError):
    """A tokenizer or chat template that is missing, broken or hostile."""


class EngineError(GptDeskError):
    """A loaded model that cannot go on computing."""


class OutOfMemoryError(EngineError):
    """Not enough memory on the device for the model or for its context."""


class ContextOverflowError(EngineError):
    """More tokens than the model can attend to."""


class ExportError(GptDeskError):
    """An ONNX export that cannot be made or written."""


class TrainingError(GptDeskError):
    """A training run that cannot start or go on."""


class NotBuiltError(GptDeskError):
    """A documented capability that this version does not have yet."""


class Cancelled(GptDeskError):
    """The person stopped the operation; carriers of this never report a failure."""

    def __init__(self, title: str = "Cancelled", hint: str = "", details: str = "") -> None:
        super().__init__(title, hint, details)
