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
from gptdesk.checkpoints.adapter_folder import plan_adapter, resolve_adapter
from gptdesk.checkpoints.adapter_info import AdapterInfo, describe_adapter, doubt_about_base
from gptdesk.checkpoints.companions import load_tokenizer
from gptdesk.checkpoints.folder import ModelFolder, resolve_folder
from gptdesk.engines.base import Adaptable
from gptdesk.engines.registry import open_engine
from gptdesk.errors import EngineError, OptionError
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
    import numpy as np
    from numpy.typing import NDArray

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
        warnings: what is wrong with the model, or its adapter, but not fatal.
        adapter: the LoRA adapter that is on the model, switched on or off; None for none.
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
        self.path: Path = folder.path
        # The weights may contradict config.json, for instance about a tied output matrix.
        loaded = getattr(engine, "gpt", None)
        self.config: ModelConfig = folder.config if loaded is None else loaded.config
        self.engine = engine
        self.tokenizer = tokenizer
        self.profile = profile
        self.warnings = [*warnings, *_tokenizer_warnings(tokenizer)]
        self.adapter: AdapterInfo | None = None
        self._adapter_enabled = False
        self._own_warnings = list(self.warnings)
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

    def log_probabilities(
        self, ids: Sequence[int], cancel: CancelFlag | None = None
    ) -> NDArray[np.float64]:
        """Natural log-probability of every token of `ids` but the first: float64 [len(ids) - 1].

        Raises:
            OptionError, ContextOverflowError: as `logits`.
            Cancelled: `cancel` was set.
        """
        wanted = self._checked_ids(ids)
        with self._alone():
            return scoring.log_probabilities(self._context, wanted, cancel)

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
            task_id: "continue", "summarize", "translate" or "rewrite".
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

    @property
    def adapter_enabled(self) -> bool:
        """Whether an adapter is on the model and switched on.

        Switched off, the logits are bit for bit those of the model without it.

        Raises (when set):
            EngineError: there is no adapter to switch, or the model is busy.
        """
        return self._adapter_enabled

    @adapter_enabled.setter
    def adapter_enabled(self, enabled: bool) -> None:
        with self._alone():
            if self.adapter is None:
                raise EngineError("The model has no adapter.", "Load one first.")
            self._context.clear()
            self._adaptable().set_adapter_enabled(enabled)
            self._adapter_enabled = enabled

    def load_adapter(
        self,
        path: str | Path,
        progress: Callable[[Progress], None] | None = None,
        cancel: CancelFlag | None = None,
    ) -> None:
        """Put the LoRA adapter in a folder on the model, in place of the one before.

        Raises:
            CheckpointError: it is damaged, of another kind, or made for another model; the model
                stays as it was.
            OptionError: the engine takes no adapters.
            EngineError: the model is busy.
            Cancelled: `cancel` was set.
        """
        with self._alone():
            engine, folder = self._adaptable(), resolve_adapter(path)
            plan_adapter(folder, self.config)
            self._context.clear()
            warnings = engine.load_adapter(folder, progress, cancel)
            self.adapter, self._adapter_enabled = describe_adapter(folder), True
            doubts = doubt_about_base(folder, self.path)
            self.warnings = [*self._own_warnings, *warnings, *doubts]

    def remove_adapter(self) -> None:
        """Take the adapter out, if there is one.

        Raises:
            EngineError: the model is busy.
        """
        with self._alone():
            if self.adapter is not None:
                self._context.clear()
                self._adaptable().remove_adapter()
                self.adapter, self._adapter_enabled = None, False
                self.warnings = list(self._own_warnings)

    def close(self) -> None:
        """Free the model; further use is an error. Closing twice is fine."""
        self.closed = True
        self.engine.close()

    def _adaptable(self) -> Adaptable:
        if not isinstance(self.engine, Adaptable):
            raise _no_adapters(self.info.name)
        return self.engine

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

    What is quick to judge comes first: names, config.json, profile, tokenizer and the headers of
    the adapter are checked before a weight is read.

    Raises:
        CheckpointError, TokenizerError: the folder is missing, damaged or of another kind.
        OptionError: engine, device or precision does not exist here.
        OutOfMemoryError: the model does not fit.
        Cancelled: `cancel` was set.
    """
    folder = resolve_folder(path)
    if adapter is not None:
        _check_adapter(folder, engine, adapter)
    profile = ModelProfile() if folder.kind == "gguf" else read_profile(folder.root)
    tokenizer = load_tokenizer(folder)
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
    model = Model(folder, opened, tokenizer, profile, warnings)
    if adapter is not None:
        try:
            model.load_adapter(adapter, progress, cancel)
        except BaseException:
            model.close()
            raise
    return model


def _check_adapter(folder: ModelFolder, engine: str, adapter: str | Path) -> None:
    """Raise what `Model.load_adapter` would, before weights are read."""
    if folder.kind == "onnx" or engine in ("onnx", "fake"):
        raise _no_adapters("onnx" if engine == "auto" else engine)
    plan_adapter(resolve_adapter(adapter), folder.config)


def _no_adapters(engine: str) -> OptionError:
    return OptionError(
        f"The {engine} engine puts no adapter on a model.",
        "Open the original model with the torch engine, or export it together with the adapter.",
    )


def _is_message(message: Any) -> bool:
    return isinstance(message, Mapping) and all(
        isinstance(message.get(key), str) for key in ("role", "content")
    )


def _tokenizer_warnings(tokenizer: Tokenizer) -> list[str]:
    if tokenizer.end_ids:
        return []
    return ["The model names no token that ends a text: it writes until a limit is reached."]
