"""From raw text to a saved model, in stages that resume and pass over what is done.

    collect ─► tokenizer ─► shards ─► examples ─► pretrain ─► instruct ─► evaluate ─► save

Stopped in any way, the same call goes on where it was. Under `torchrun` the first process prepares
the text while the others wait for it; all of them train.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gptdesk.cancel import CancelFlag, raise_if_cancelled
from gptdesk.errors import Cancelled, GptDeskError, OptionError, TrainingError
from gptdesk.text.file_lock import FileLock
from gptdesk.training.config import TrainingConfig
from gptdesk.training.destination import refuse_foreign
from gptdesk.training.events import TrainingEvent, TrainingFinished
from gptdesk.training.examples_stage import examples_ready, make_examples
from gptdesk.training.preparation import collect, make_tokenizer
from gptdesk.training.sharding import make_shards, open_shards
from gptdesk.training.torchrun import process_number
from gptdesk.training.work_folder import WorkFolder, read_json

if TYPE_CHECKING:
    from gptdesk.training.model_stages import ModelStages

STAGES = ("collect", "tokenizer", "shards", "examples", "pretrain", "instruct", "evaluate", "save")
_PREPARING: dict[
    str, Callable[[TrainingConfig, WorkFolder, CancelFlag | None], Iterator[TrainingEvent]]
] = {
    "collect": collect,
    "tokenizer": make_tokenizer,
    "shards": make_shards,
    "examples": make_examples,
}
_WAIT_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class StageRange:
    """The stages to run, both ends included.

    Raises:
        OptionError: a name is no stage, or the first comes after the last.
    """

    first: str = STAGES[0]
    last: str = STAGES[-1]

    def __post_init__(self) -> None:
        for name in (self.first, self.last):
            if name not in STAGES:
                raise OptionError(f'"{name}" is no stage.', f"There are: {', '.join(STAGES)}.")
        if STAGES.index(self.first) > STAGES.index(self.last):
            raise OptionError(
                f'The stage "{self.first}" comes after "{self.last}".',
                f"Their order is: {', '.join(STAGES)}.",
            )

    @property
    def stages(self) -> Sequence[str]:
        """Their names in order."""
        return STAGES[STAGES.index(self.first) : STAGES.index(self.last) + 1]


def train_pipeline(
    config: TrainingConfig,
    cancel: CancelFlag | None = None,
    stages: StageRange | None = None,
) -> Iterator[TrainingEvent]:
    """Run the stages of a configuration.

    Args:
        config: from `load_config`.
        cancel: polled all the time; what is done by then is kept.
        stages: None for all.

    Yields:
        Events; the last is one `TrainingFinished`, whose path is the saved model.

    Raises:
        TrainingError: something is missing, of another run, or cannot be written.
        OptionError: the configuration asks for what is not possible.
    """
    names = [
        stage
        for stage in (stages or StageRange()).stages
        if config.instruct.files or stage not in ("examples", "instruct")
    ]
    work = WorkFolder(config.run.work_folder)
    work.create()
    try:
        if process_number():
            if set(names) - _PREPARING.keys():
                _wait_for_tokens(config, work, cancel)
                yield from _train(config, work, names, cancel)
            return
        lock = _locked(work)
        try:
            if "save" in names:
                _refuse_occupied(config, work)
            for name in names:
                if name in _PREPARING:
                    yield from _PREPARING[name](config, work, cancel)
            yield from _train(config, work, names, cancel)
        finally:
            lock.release()
    except Cancelled:
        yield TrainingFinished("cancelled", 0, math.nan, "")


def _train(
    config: TrainingConfig, work: WorkFolder, names: Sequence[str], cancel: CancelFlag | None
) -> Iterator[TrainingEvent]:
    """The stages that need torch."""
    chosen = [name for name in names if name not in _PREPARING]
    if not chosen:
        yield TrainingFinished("done", 0, math.nan, str(work.root))
        return
    from gptdesk.training.model_stages import joined_stages  # imports torch

    with joined_stages(config, work, cancel) as stages:
        yield from _run_stages(stages, chosen)


def _run_stages(stages: ModelStages, names: Sequence[str]) -> Iterator[TrainingEvent]:
    """Run stages until one ends early; of their last events only one is handed on."""
    finished = TrainingFinished("done", 0, math.nan, "")
    for name in names:
        for event in stages.run(name):
            if not isinstance(event, TrainingFinished):
                yield event
                continue
            finished = event
        if finished.reason in ("cancelled", "diverged"):
            break
    yield finished


def _locked(work: WorkFolder) -> FileLock:
    lock = FileLock(work.lock)
    if not lock.acquire():
        raise TrainingError(
            f"Another training is at work in {work.root}.",
            "Wait for it, or choose another [run] work.",
        )
    return lock


def _refuse_occupied(config: TrainingConfig, work: WorkFolder) -> None:
    """Find out before hours of training that the model could not be saved."""
    refuse_foreign(config.run.out, read_json(work.released).get("mark", []))


def _wait_for_tokens(config: TrainingConfig, work: WorkFolder, cancel: CancelFlag | None) -> None:
    """Wait until the first process has prepared everything; torchrun ends this one if that fails."""
    while True:
        raise_if_cancelled(cancel)
        try:
            open_shards(config, work)
            if not config.instruct.files or examples_ready(config, work):
                return
        except (GptDeskError, OSError):
            pass  # not there yet, or half of it: a tokenizer, for instance
        time.sleep(_WAIT_SECONDS)
