"""A loaded model: engine, tokenizer, profile and the cached prefix, and the tasks that run on them."""

from __future__ import annotations

import contextlib
import operator
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gptdesk.cancel import NEVER, AnyCancelFlag, CancelFlag, raise_if_cancelled
from gptdesk.checkpoints.folder import ModelFolder, resolve_folder
from gptdesk.engines.registry import open_engine
from gptdesk.errors import EngineError, NotBuiltError, OptionError
from gptdesk.generation import scoring
from gptdesk.generation.context import CachedContext
from gptdesk.generation.events import Event, GenerationEnd, Progress, Token
from gptdesk.generation.loop import generate
from gptdesk.generation.sampling import Sampling
from gptdesk.tasks.options import make_options
from gptdesk.tasks.profile import ModelProfile, read_profile
from gptdesk.tasks.prompts import Message, chat_prompt
from gptdesk.tasks.registry import get_task
from gptdesk.text.prompt import Prompt
from gptdesk.text.tokenizer import Tokenizer

if TYPE_CHECKING:
    from gptdesk.engines.base import Engine, EngineInfo, Logits
    from gptdesk.model.config import ModelConfig


class Model:
    """One loaded model. Does one thing at a time; a second run meanwhile is refused.

    Runs are generators: closing one early, or letting go of it, ends the run and leaves the
    model usable. What was read stays in the KV cache, so a prompt that begins like the last one
    is read from where they part.

    Attributes:
        path: the model's folder.
        config: its shape; `architecture`, `vocab_size`, `context_length`, `num_parameters`, ….
        engine: what computes; owned by the model, to be used by nobody else meanwhile.
        tokenizer: text to ids and back.
        profile: task templates and decoding advice of the model's maker.
        warnings: what is wrong with the model but not fatal.
        closed: whether it was closed and is of no further use.
    """

    def __init__(
        self,
        folder: ModelFolder,
        engine: Engine,
        tokenizer: Tokenizer,
        profile: ModelProfile,
        warnings: Sequence[str] = (),
    ) -> None:
        self.path: Path = folder.root
        self.config: ModelConfig = folder.config
        self.engine = engine
        self.tokenizer = tokenizer
        self.profile = profile
        self.warnings = [*warnings, *_tokenizer_warnings(tokenizer)]
        self._context = CachedContext(engine)
        self._busy = threading.Lock()
        self.closed = False

    @property
    def info(self) -> EngineInfo:
        """The engine, its device and precision."""
        return self.engine.info

    def logits(self, ids: Sequence[int]) -> Logits:
        """float32 logits [len(ids), vocab_size] after each token of `ids`.

        Raises:
            OptionError: an id does not exist.
            ContextOverflowError: more ids than the model can attend to.
        """
        wanted = self._checked_ids(ids)
        with self._alone():
            return scoring.token_logits(self._context, wanted)

    def generate(
        self,
        prompt: str | Sequence[int],
        sampling: Sampling | None = None,
        cancel: CancelFlag | None = None,
    ) -> Iterator[Token]:
        """Generate after a text, whose special tokens count as such, or after token ids.

        Raises:
            OptionError: an id does not exist.
            ContextOverflowError: the prompt leaves no room for a single token.
        """
        ids = self.tokenizer.encode(prompt) if isinstance(prompt, str) else prompt
        return self._tokens(self._checked_ids(ids), sampling or Sampling(), cancel)

    def chat(
        self,
        messages: Sequence[Message],
        sampling: Sampling | None = None,
        cancel: CancelFlag | None = None,
    ) -> Iterator[Token]:
        """Generate the answer to messages of the form {"role": ..., "content": ...}.

        Raises:
            OptionError: a message has another form.
            TokenizerError: the model has no chat template, or it refuses the messages.
        """
        for message in messages:
            if not _is_message(message):
                raise OptionError(
                    "A chat message needs the texts 'role' and 'content'.",
                    'Write {"role": "user", "content": "…"}.',
                )
        ids = self.tokenizer.encode_prompt(chat_prompt(self.tokenizer, messages))
        return self._tokens(self._checked_ids(ids), sampling or Sampling(), cancel)

    def run(
        self,
        task_id: str,
        text: str,
        options: Mapping[str, Any] | None = None,
        sampling: Mapping[str, Any] | Sampling | None = None,
        cancel: CancelFlag | None = None,
    ) -> Iterator[Event]:
        """Run a task: `Started`, then `Progress` and `Text`, then one `Finished`.

        Args:
            task_id: "continue", "summarize" or "translate".
            text: what the person wrote.
            options: values of the task's options; the rest keeps its defaults.
            sampling: values laid over the task's defaults and the model maker's advice, or a
                `Sampling`, which replaces them all.
            cancel: stops it within one token; the last event then says "cancelled".

        Raises:
            NotBuiltError: the task belongs to a later version.
            OptionError: an option or sampling value does not exist or is out of range.
        """
        task = get_task(task_id)
        chosen = make_options(task.options_type, options or {})
        settings = (
            sampling
            if isinstance(sampling, Sampling)
            else task.default_sampling(chosen, self.profile).with_values(sampling or {})
        )
        operations = _Operations(self, cancel or NEVER)
        return self._guarded(task.run(text, chosen, settings, operations))

    def close(self) -> None:
        """Free the model; further use is an error. Closing twice is fine."""
        self.closed = True
        self.engine.close()

    def _guarded(self, events: Iterator[Event]) -> Iterator[Event]:
        with self._alone():
            yield from events

    def _tokens(
        self, ids: list[int], sampling: Sampling, cancel: CancelFlag | None
    ) -> Iterator[Token]:
        with self._alone():
            for item in generate(self._context, self.tokenizer, ids, sampling, cancel):
                if isinstance(item, Token):
                    yield item

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        if self.closed:
            raise EngineError("The model is closed.", "Load it again.")
        if not self._busy.acquire(blocking=False):
            raise EngineError(
                "The model is busy with another run.", "Wait until it ends, or stop it."
            )
        try:
            yield
        finally:
            self._busy.release()

    def _checked_ids(self, ids: Sequence[int]) -> list[int]:
        try:
            checked = [operator.index(token) for token in ids]  # numpy's and torch's integers too
        except TypeError as error:
            raise OptionError("Token ids must be whole numbers.", details=str(error)) from error
        if not checked:
            raise OptionError(
                "There is no token to begin with.", "Give a prompt that is not empty."
            )
        wrong = next((token for token in checked if not 0 <= token < self.info.vocab_size), None)
        if wrong is not None:
            raise OptionError(f"Token id {wrong} is outside 0 … {self.info.vocab_size - 1}.")
        return checked


class _Operations:
    """What a running task may ask of the model; implements `tasks.base.Operations`."""

    def __init__(self, model: Model, cancel: CancelFlag) -> None:
        self._model = model
        self.tokenizer = model.tokenizer
        self.profile = model.profile
        self.context_length = model.info.context_length
        self.cancel = cancel

    def generate(
        self, prompt: Prompt, sampling: Sampling, enough: CancelFlag = NEVER
    ) -> Iterator[Progress | Token | GenerationEnd]:
        """See `Operations.generate`."""
        ids = self.tokenizer.encode_prompt(prompt)
        stop = AnyCancelFlag(self.cancel, enough)
        for item in generate(self._model._context, self.tokenizer, ids, sampling, stop):
            if isinstance(item, GenerationEnd) and not self.cancel.is_set():
                # Stopped by the task, which has enough: to the person that is an end, no cancel.
                item = replace(item, reason="stop" if item.reason == "cancelled" else item.reason)
            yield item

    def score(self, prompt: Prompt, continuations: Sequence[str]) -> list[float]:
        """See `Operations.score`."""
        ids = self.tokenizer.encode_prompt(prompt)
        return [
            scoring.score(self._model._context, ids, self.tokenizer.encode_plain(text), self.cancel)
            for text in continuations
        ]


def load_model(
    path: str | Path,
    engine: str = "auto",
    device: str = "auto",
    dtype: str = "auto",
    threads: int | None = None,
    adapter: str | Path | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancel: CancelFlag | None = None,
) -> Model:
    """Load a model folder, or the folder of a file in it.

    What is quick to judge comes first: names, config.json, profile and tokenizer are checked
    before a weight is read.

    Raises:
        CheckpointError, TokenizerError: the folder is missing, damaged or of another kind.
        OptionError: engine, device or precision does not exist here.
        OutOfMemoryError: the model does not fit.
        Cancelled: `cancel` was set.
    """
    if adapter is not None:
        raise NotBuiltError(
            "Adapters are not built yet in this version of gptdesk.", "Load the model without one."
        )
    folder = resolve_folder(path)
    profile = read_profile(folder.root)
    tokenizer = Tokenizer.from_folder(folder.root, folder.config_data)
    raise_if_cancelled(cancel)
    opened, warnings = open_engine(
        folder,
        engine=engine,
        device=device,
        dtype=dtype,
        threads=threads,
        progress=progress,
        cancel=cancel,
    )
    return Model(folder, opened, tokenizer, profile, warnings)


def _is_message(message: Any) -> bool:
    return isinstance(message, Mapping) and all(
        isinstance(message.get(key), str) for key in ("role", "content")
    )


def _tokenizer_warnings(tokenizer: Tokenizer) -> list[str]:
    if tokenizer.end_ids:
        return []
    return ["The model names no token that ends a text: it writes until a limit is reached."]
