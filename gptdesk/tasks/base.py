"""What a task is, and what it may ask of a model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol

from gptdesk.cancel import NEVER, CancelFlag
from gptdesk.generation.events import Event, GenerationEnd, Progress, Token
from gptdesk.generation.sampling import Sampling
from gptdesk.tasks.profile import ModelProfile
from gptdesk.text.prompt import Prompt

if TYPE_CHECKING:
    from gptdesk.text.tokenizer import Tokenizer

Apply = Literal["insert", "replace", "beside"]
"""How a result meets the document: at the cursor, in place of the source, or shown beside it."""


class Operations(Protocol):
    """What a task may ask of the loaded model. Implemented by the session."""

    @property
    def tokenizer(self) -> Tokenizer:
        """The model's tokenizer, for counting and cutting."""
        ...

    @property
    def profile(self) -> ModelProfile:
        """Task templates and decoding defaults that came with the model."""
        ...

    @property
    def context_length(self) -> int:
        """Tokens the model can attend to, prompt and answer together."""
        ...

    @property
    def cancel(self) -> CancelFlag:
        """The person's wish to stop; long work between generations polls it."""
        ...

    def generate(
        self, prompt: Prompt, sampling: Sampling, enough: CancelFlag = NEVER
    ) -> Iterator[Progress | Token | GenerationEnd]:
        """Generate after `prompt`: reading progress, then tokens, then exactly one end.

        A cancel ends it with reason "cancelled", keeping what came. A task that has what it wants
        sets `enough`: no further token is computed and the end says "stop".

        Raises:
            ContextOverflowError: the prompt leaves no room for a single token.
        """
        ...

    def score(self, prompt: Prompt, continuations: Sequence[str]) -> list[float]:
        """Natural log-probability of each continuation after `prompt`, summed over its tokens."""
        ...


class Task(Protocol):
    """One thing the app can do with text.

    Attributes:
        id: stable name, the CLI's command and the key in `gptdesk.json`.
        label: for the person, in English; the UI translates it.
        help: what it does in a few words, for the command line.
        options_type: a frozen dataclass whose fields carry `option_metadata`; the window's form
            and the CLI's flags are generated from it.
        apply: how the result meets the document.
    """

    id: str
    label: str
    help: str
    options_type: type[Any]
    apply: Apply

    def default_sampling(self, options: Any, profile: ModelProfile) -> Sampling:
        """Settings for this task: the task's own, then the model maker's advice.

        What the person set comes last and is laid over this by the session.
        """
        ...

    def run(self, text: str, options: Any, sampling: Sampling, ops: Operations) -> Iterator[Event]:
        """Do it: `Started`, then `Progress` and `Text` in any order, then one `Finished`.

        Raises:
            OptionError: an option is out of range or text is missing.
            GptDeskError: whatever the operations raise.
        """
        ...
