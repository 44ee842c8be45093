"""Operations whose model is a function from prompt to answer, and the tokenizer they run on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from gptdesk.cancel import NEVER, CancelFlag
from gptdesk.errors import ContextOverflowError
from gptdesk.generation.events import (
    Finished,
    GenerationEnd,
    Progress,
    Started,
    Stats,
    Text,
    Token,
)
from gptdesk.generation.sampling import Sampling
from gptdesk.tasks.options import make_options
from gptdesk.tasks.profile import ModelProfile, TaskProfile
from gptdesk.tasks.registry import TASKS
from gptdesk.text.prompt import Prompt
from gptdesk.text.tokenizer import Tokenizer
from tests.helpers.checkpoints import write_tokenizer

TEMPLATES = ModelProfile(
    name="Templates",
    languages=("en", "zh"),
    tasks={
        "continue": TaskProfile("<|endoftext|>{text}"),
        "summarize": TaskProfile("<|im_start|>{form} {language}\n{text}<|im_end|>"),
        "translate": TaskProfile("<|im_start|>{source} {target}\n{text}<|im_end|>"),
        "rewrite": TaskProfile("<|im_start|>rewrite {style}\n{text}<|im_end|>"),
    },
)


def make_tokenizer(folder: Path, *, chat: bool) -> Tokenizer:
    """The tiny checkpoints' tokenizer."""
    folder.mkdir(exist_ok=True)
    write_tokenizer(folder, chat=chat)
    return Tokenizer.from_folder(folder, {})


class AnsweringOperations:
    """A model that answers what `answer` makes of the prompt's text.

    `logprob` is that of a token, by its text, and that of the end by "".

    Attributes:
        prompts: every prompt's text, in order.
        samplings: the settings of each.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        answer: Callable[[str], str],
        *,
        profile: ModelProfile | None = None,
        context_length: int = 1024,
        cancel: CancelFlag = NEVER,
        logprob: Callable[[str], float] = lambda text: 0.0,  # noqa: ARG005  all the same
    ) -> None:
        self.tokenizer = tokenizer
        self.profile = profile or ModelProfile()
        self.context_length = context_length
        self.cancel = cancel
        self.prompts: list[str] = []
        self.samplings: list[Sampling] = []
        self._answer = answer
        self._logprob = logprob

    def generate(
        self, prompt: Prompt, sampling: Sampling, enough: CancelFlag = NEVER
    ) -> Iterator[Progress | Token | GenerationEnd]:
        """The answer's tokens, under the limits that the real loop keeps."""
        text = "".join(piece.text for piece in prompt)
        used = len(self.tokenizer.encode_prompt(prompt))
        if used >= self.context_length:
            raise ContextOverflowError(f"{used} tokens do not fit {self.context_length}.")
        self.prompts.append(text)
        self.samplings.append(sampling)
        yield Progress(stage="reading", done=used, total=used)
        stream, count, reason = self.tokenizer.stream(), 0, "stop"
        end = self._logprob("") if sampling.top_logprobs else None
        ids = self.tokenizer.encode_plain(self._answer(text))
        for token in ids:
            if enough.is_set() or self.cancel.is_set():
                reason = "stop" if enough.is_set() else "cancelled"
                break
            if count == sampling.max_new_tokens or used + count == self.context_length:
                reason = "length" if count == sampling.max_new_tokens else "context"
                break
            count += 1
            new, logprob = stream.push(token), None
            if sampling.top_logprobs:
                logprob = self._logprob(new)
            yield Token(token, new, logprob)
        rest = stream.flush()
        if rest:
            yield Token(0, rest)
        stats = Stats(prompt_tokens=used, new_tokens=count, seed=1)
        yield GenerationEnd(reason, stats, end if count == len(ids) else None)

    def score(self, prompt: Prompt, continuations: Sequence[str]) -> list[float]:
        """No task asks for this yet."""
        return [0.0] * len(continuations)


def run_task(
    task_id: str,
    text: str,
    ops: AnsweringOperations,
    sampling: dict[str, Any] | None = None,
    **options: Any,
) -> tuple[str, Finished]:
    """The joined text of a run and its last event; checks the order of the events."""
    task = TASKS[task_id]
    chosen = make_options(task.options_type, options)
    settings = task.default_sampling(chosen, ops.profile).with_values(sampling or {})
    events = list(task.run(text, chosen, settings, ops))
    assert isinstance(events[0], Started)
    assert events[0].task == task_id
    assert all(isinstance(event, Progress | Text) for event in events[1:-1])
    assert isinstance(events[-1], Finished)
    return "".join(event.text for event in events), events[-1]
