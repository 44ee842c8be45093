"""The stages of a training run that compute: "pretrain", "instruct", "evaluate" and "save"."""

from __future__ import annotations

import contextlib
import math
import shutil
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from gptdesk import atomic
from gptdesk.cancel import CancelFlag, raise_if_cancelled
from gptdesk.checkpoints.experimental import Experimental
from gptdesk.errors import TrainingError
from gptdesk.model.gpt import GPT
from gptdesk.text.tokenizer import Tokenizer
from gptdesk.training.batches import IGNORED, Batches, PackedBatches
from gptdesk.training.config import TrainingConfig
from gptdesk.training.destination import mark_of
from gptdesk.training.distributed import Processes, joined
from gptdesk.training.events import (
    Evaluated,
    StageProgress,
    StageStarted,
    TrainingEvent,
    TrainingFinished,
    TrainingWarning,
)
from gptdesk.training.example_rows import InstructBatches, read_rows_index
from gptdesk.training.examples_stage import examples_ready, learnt_tasks
from gptdesk.training.initialise import initialise
from gptdesk.training.micro_batches import cut
from gptdesk.training.precision import LossModule
from gptdesk.training.preparation import not_ready
from gptdesk.training.presets import build_model_config, training_bytes
from gptdesk.training.release import Card, write_release
from gptdesk.training.run_settings import (
    global_rows,
    instruct_settings,
    pretrain_settings,
    resolve_device,
)
from gptdesk.training.settings import TrainerSettings
from gptdesk.training.sharding import open_shards
from gptdesk.training.shards import unwritable
from gptdesk.training.trainer import CHECKPOINTS, Trainer
from gptdesk.training.work_folder import WorkFolder, digest_of, read_json, write_json


@contextlib.contextmanager
def joined_stages(
    config: TrainingConfig, work: WorkFolder, cancel: CancelFlag | None
) -> Iterator[ModelStages]:
    """The stages, run by all processes that `torchrun` started."""
    with joined(resolve_device(config.run.device)) as processes:
        yield ModelStages(config, work, cancel, processes)


class ModelStages:
    """Runs one stage after another; each finds what it needs in the work folder."""

    def __init__(
        self,
        config: TrainingConfig,
        work: WorkFolder,
        cancel: CancelFlag | None,
        processes: Processes,
    ) -> None:
        self._config = config
        self._work = work
        self._cancel = cancel
        self._processes = processes
        vocab_size = Tokenizer.from_folder(work.tokenizer).vocab_size
        self._shape = build_model_config(config.model, vocab_size)

    def run(self, stage: str) -> Iterator[TrainingEvent]:
        """Run the stage of this name.

        Raises:
            TrainingError: what it needs is missing, or of another run.
        """
        yield from {
            "pretrain": self._pretrain,
            "instruct": self._instruct,
            "evaluate": self._evaluate,
            "save": self._save,
        }[stage]()

    def _pretrain(self) -> Iterator[TrainingEvent]:
        sources, validation = open_shards(self._config, self._work)
        length, rows = self._config.row_tokens, global_rows(self._config)
        seed = self._config.run.seed
        batches = PackedBatches(sources, length, rows, seed)
        held_out = None
        if validation.index.tokens > 1:
            held_out = PackedBatches([(validation, 1.0)], length, rows, seed)
        settings = pretrain_settings(self._config, batches.rows_per_epoch)
        origin = digest_of(
            self._shape, [(shards.index, weight) for shards, weight in sources], seed
        )
        gpt = GPT(self._shape)
        initialise(gpt, seed)
        yield from self._train("pretrain", gpt, batches, held_out, settings, origin)

    def _instruct(self) -> Iterator[TrainingEvent]:
        if not examples_ready(self._config, self._work):
            raise not_ready("examples", self._work)
        rows, seed = global_rows(self._config, instruct=True), self._config.run.seed
        batches = InstructBatches(self._work.example_rows("train"), rows, seed)
        settings = instruct_settings(self._config, batches.rows_per_epoch)
        held_out = self._held_out_answers(rows)
        gpt = self._load("pretrain")
        pretrained = read_json(self._work.run("pretrain") / _ORIGIN)
        steps = read_json(self._work.run("pretrain") / _FINISHED).get("step")
        origin = digest_of(pretrained, steps, read_json(self._work.examples))
        yield from self._set_aside(origin)
        yield from self._train("instruct", gpt, batches, held_out, settings, origin)

    def _set_aside(self, origin: str) -> Iterator[TrainingEvent]:
        """Move checkpoints away whose first training has since gone on, or whose examples changed.

        Refusing, as the first training does, would stop a run that has just taken hours.
        """
        folder = self._work.run("instruct")
        known = read_json(folder / _ORIGIN).get("origin", origin)
        old = folder / CHECKPOINTS
        if known != origin and old.is_dir() and self._processes.is_first:
            aside = folder / f"{CHECKPOINTS}-{known[:8]}"
            try:
                shutil.rmtree(aside, ignore_errors=True)
                old.rename(aside)
            except OSError as error:
                raise unwritable(folder, error) from error
            yield TrainingWarning(
                "The first training or the examples have changed, so the second training starts "
                f"anew; its old checkpoints are in {aside}."
            )
        self._processes.wait()

    def _held_out_answers(self, rows: int) -> InstructBatches | None:
        folder = self._work.example_rows("validation")
        index = read_rows_index(folder)
        return (
            InstructBatches(folder, rows, self._config.run.seed) if index and index.rows else None
        )

    def _train(
        self,
        stage: str,
        gpt: GPT,
        batches: Batches,
        held_out: Batches | None,
        settings: TrainerSettings,
        origin: str,
    ) -> Iterator[TrainingEvent]:
        """Train unless these weights are there; leaves them to the next stage."""
        folder = self._work.run(stage)
        goal = digest_of(origin, settings)
        if _is_finished(folder, goal) and self._work.weights(stage).is_file():
            yield from self._told(StageStarted(stage, "unchanged"))
            return
        self._claim(folder, origin)
        tokens = settings.micro_rows * batches.context_length
        memory = f"about {training_bytes(gpt.config, tokens) / 1e9:.1f} GB of memory"
        yield from self._told(StageStarted(stage, f"{_size(gpt)}, {memory}"))
        trainer = Trainer(
            gpt,
            batches,
            settings,
            folder,
            self._cancel,
            processes=self._processes,
            held_out=held_out,
        )
        for event in trainer.run():
            if isinstance(event, TrainingFinished) and event.reason in ("done", "time"):
                self._leave(stage, trainer.weights(), goal, event)
            yield event

    def _claim(self, folder: Path, origin: str) -> None:
        """Note what the checkpoints in a folder are of, or refuse to go on with others.

        Raises:
            TrainingError: the checkpoints there were made from something else.
        """
        known = read_json(folder / _ORIGIN).get("origin", origin)
        if known != origin and any((folder / CHECKPOINTS).glob("step-*")):
            raise TrainingError(
                f"The text, the tokenizer or the shape of the model has changed since the "
                f"checkpoints in {folder} were made.",
                "Remove that folder to train anew, or choose another [run] work.",
            )
        if self._processes.is_first:
            write_json(folder / _ORIGIN, {"origin": origin})
        self._processes.wait()

    def _leave(
        self, stage: str, weights: Mapping[str, Tensor], goal: str, event: TrainingFinished
    ) -> None:
        """Write the weights and then the note that they are the final ones."""
        if self._processes.is_first:
            _save_weights(self._work.weights(stage), weights)
            note = {"goal": goal, "step": event.step, "loss": event.loss, "reason": event.reason}
            write_json(self._work.run(stage) / _FINISHED, note)
        self._processes.wait()

    def _load(self, stage: str) -> GPT:
        """The model with the weights that a stage left.

        Raises:
            TrainingError: there are none, or they are of another shape.
        """
        path = self._work.weights(stage)
        gpt = GPT(self._shape)
        try:
            # The output projection is absent where it is the embedding.
            gpt.load_state_dict(load_file(path), strict=False)
        except (OSError, SafetensorError, RuntimeError) as error:
            raise not_ready(stage, self._work) from error
        return gpt

    def _last_stage(self) -> str:
        return "instruct" if self._config.instruct.files else "pretrain"

    def _evaluate(self) -> Iterator[TrainingEvent]:
        if not self._processes.is_first:
            return
        note = read_json(self._work.run(self._last_stage()) / _FINISHED)
        goal = digest_of(note, self._config.evaluate)
        if read_json(self._work.evaluation).get("goal") == goal:
            yield StageStarted("evaluate", "unchanged")
            return
        yield StageStarted("evaluate")
        gpt = self._load(self._last_stage()).to(self._processes.device).eval()
        _, validation = open_shards(self._config, self._work)
        figures: dict[str, object] = {"goal": goal}
        if validation.index.tokens > 1:
            batches = PackedBatches([(validation, 1.0)], self._shape.context_length, 1, 0)
            loss = yield from self._measure(gpt, batches, "held-out text")
            bits = loss / math.log(2) / batches.bytes_per_token
            figures["text"] = {"loss": loss, "perplexity": math.exp(loss), "bits_per_byte": bits}
            yield Evaluated(note["step"], loss, bits)
        answers = self._held_out_answers(1) if self._config.instruct.files else None
        if answers is not None:
            loss = yield from self._measure(gpt, answers, "held-out answers")
            figures["answers"] = {"loss": loss, "perplexity": math.exp(loss)}
        write_json(self._work.evaluation, figures)

    @torch.no_grad()
    def _measure(
        self, gpt: GPT, batches: Batches, what: str
    ) -> Generator[TrainingEvent, None, float]:
        """Mean loss over the rows, in nats per target."""
        rows = min(batches.rows_per_epoch, self._config.evaluate.rows)
        module = LossModule(gpt, TrainerSettings(max_steps=1))
        masked, device = self._config.run.mask_documents, self._processes.device
        total, counted = 0.0, 0
        for row in range(rows):
            raise_if_cancelled(self._cancel)
            batch = batches.batch(row)
            (piece,) = cut(batch, 1, 1, segments=masked)
            segments = None if piece.segments is None else piece.segments.to(device)
            inputs, targets = piece.inputs.to(device), piece.targets.to(device)
            total += float(module(inputs, targets, segments))
            counted += int((batch.targets != IGNORED).sum())
            if row % 16 == 0:
                yield StageProgress("evaluate", row, rows, what)
        return total / max(counted, 1)

    def _save(self) -> Iterator[TrainingEvent]:
        if not self._processes.is_first:
            return
        out = self._config.run.out
        yield StageStarted("save", str(out))
        stage = self._last_stage()
        gpt = self._load(stage)
        note = read_json(self._work.run(stage) / _FINISHED)
        bf16 = self._config.model.dtype == "bf16"
        write_release(gpt, self._work.tokenizer, self._card(gpt), out, bf16=bf16)
        write_json(self._work.released, {"mark": mark_of(out)})
        yield TrainingFinished(note["reason"], note["step"], note["loss"], str(out))

    def _card(self, gpt: GPT) -> Card:
        settings, weak = self._config.model, self._config.experimental
        tasks = learnt_tasks(self._work) if self._config.instruct.files else ()
        return Card(
            name=settings.name or self._config.run.out.name,
            description=settings.description or f"A model of {_size(gpt)}, trained with gptdesk.",
            languages=settings.languages,
            tasks=tasks,
            experimental=Experimental(weak.languages, weak.text_tokens or 0),
            sampling=self._config.sampling.by_task(),
            certainty=self._config.proofreading.certainty,
        )

    def _told(self, event: TrainingEvent) -> Iterator[TrainingEvent]:
        if self._processes.is_first:
            yield event


_ORIGIN = "origin.json"
_FINISHED = "finished.json"


def _size(gpt: GPT) -> str:
    number = gpt.config.num_parameters
    return f"{number / 1e6:.1f} million parameters" if number >= 1e6 else f"{number:,} parameters"


def _is_finished(folder: Path, goal: str) -> bool:
    return read_json(folder / _FINISHED).get("goal") == goal


def _save_weights(path: Path, weights: Mapping[str, Tensor]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic.write_bytes(path, save({name: w.contiguous() for name, w in weights.items()}))
    except OSError as error:
        raise unwritable(path.parent, error) from error
