"""Fine-tunes a model on a person's own text: a LoRA adapter, or all weights.

    examples ─► finetune ─► save

Stopped in any way, the same call goes on where it was. Of the states at the ends of the epochs the
one that predicts the text held out best is saved: few texts are soon learnt by heart.
"""

from __future__ import annotations

import contextlib
import json
import math
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from gptdesk import atomic
from gptdesk.cancel import CancelFlag
from gptdesk.checkpoints.adapter_saver import save_adapter
from gptdesk.checkpoints.companions import load_tokenizer
from gptdesk.checkpoints.folder import ModelFolder, resolve_folder
from gptdesk.checkpoints.inspection import inspect_model
from gptdesk.checkpoints.loader import load_gpt
from gptdesk.checkpoints.saver import save_gpt
from gptdesk.errors import Cancelled, GptDeskError, OptionError, TrainingError
from gptdesk.model.gpt import GPT
from gptdesk.model.lora import add_lora
from gptdesk.text.file_lock import FileLock
from gptdesk.text.tokenizer import Tokenizer
from gptdesk.training.destination import mark_of, refuse_foreign, replace_folder
from gptdesk.training.events import (
    Evaluated,
    StageStarted,
    TrainingEvent,
    TrainingFinished,
    TrainingWarning,
)
from gptdesk.training.finetune_lengths import row_tokens, step_rows, trainer_settings
from gptdesk.training.finetune_rows import TuningRows
from gptdesk.training.finetune_settings import FinetuneSettings
from gptdesk.training.finetune_text import TuningText
from gptdesk.training.instruction import Renderer, TemplateRenderer
from gptdesk.training.release import PROFILE_FILE
from gptdesk.training.run_settings import resolve_device, resolve_precision
from gptdesk.training.settings import TrainerSettings
from gptdesk.training.shards import unwritable
from gptdesk.training.task_templates import end_text, templates_for
from gptdesk.training.trainer import CHECKPOINTS, Trainer
from gptdesk.training.work_folder import WorkFolder, digest_of, read_json, write_json

RendererMaker = Callable[[ModelFolder, Tokenizer, int], Renderer]
"""Makes what puts questions to a model in so many tokens; whoever knows the tasks brings one."""

_STAGE = "finetune"
_ORIGIN, _FINISHED, _BEST = "origin.json", "finished.json", "best.safetensors"


def finetune(
    settings: FinetuneSettings,
    cancel: CancelFlag | None = None,
    make_renderer: RendererMaker | None = None,
) -> Iterator[TrainingEvent]:
    """Train and save; a run that is finished and unchanged is passed over.

    Args:
        settings: what to do.
        cancel: polled all the time; the same call goes on later.
        make_renderer: None puts questions through the templates of gptdesk's own models.

    Yields:
        Events; the last is one `TrainingFinished`, whose path is `settings.out`.

    Raises:
        TrainingError: there is no text, the place is taken, or the disk is full.
        OptionError: the model cannot be trained, or the adapter does not fit it.
        CheckpointError: there is no model, or it is damaged.
    """
    folder = resolve_folder(settings.model)
    if folder.kind == "onnx":
        raise OptionError(
            f"{folder.path} is an exported model, which cannot be trained.",
            "Fine-tune the model that it was exported from.",
        )
    work = WorkFolder(settings.work_folder)
    refuse_foreign(settings.out, read_json(work.released).get("mark", []))
    try:
        run = _Run(settings, folder, work, cancel, make_renderer or _by_templates(settings))
        with _alone_in(work):
            yield from run.events()
    except Cancelled:
        yield TrainingFinished("cancelled", 0, math.nan, "")


@contextlib.contextmanager
def _alone_in(work: WorkFolder) -> Iterator[None]:
    """Make the folder, and keep others out of it."""
    work.create()
    lock = FileLock(work.lock)
    if not lock.acquire():
        raise TrainingError(
            f"Another training is at work in {work.root}.", "Wait for it, or choose another place."
        )
    try:
        yield
    finally:
        lock.release()


@dataclass(slots=True)
class _Best:
    """The state that predicted the text held out best."""

    loss: float = math.inf
    step: int = -1


class _Run:
    """One fine-tune in its work folder."""

    def __init__(
        self,
        settings: FinetuneSettings,
        folder: ModelFolder,
        work: WorkFolder,
        cancel: CancelFlag | None,
        make_renderer: RendererMaker,
    ) -> None:
        self._settings = settings
        self._folder = folder
        self._work = work
        self._cancel = cancel
        self._place = work.run(_STAGE)
        tokenizer = load_tokenizer(folder)
        self._context = row_tokens(settings, folder.config)
        text = TuningText(settings, cancel)
        render = make_renderer(folder, tokenizer, self._context)
        self._rows = TuningRows(text, tokenizer, render, self._context, work)
        self._device = _device(settings.device)

    def events(self) -> Iterator[TrainingEvent]:
        yield from self._rows.write(self._cancel)
        settings = self._settings
        rows_per_epoch = self._rows.count("train")
        plan = trainer_settings(
            settings,
            self._folder.config,
            self._context,
            rows_per_epoch,
            precision=resolve_precision(settings.precision, self._device),
            device=self._device,
        )
        origin = self._origin()
        goal = digest_of(origin, plan)
        done = read_json(self._place / _FINISHED)
        if done.get("goal") == goal and mark_of(settings.out) == done.get("mark"):
            yield StageStarted(_STAGE, "unchanged")
            yield TrainingFinished(done["reason"], done["step"], done["loss"], str(settings.out))
            return
        self._claim(origin)
        yield from self._train(plan, step_rows(settings, self._context, rows_per_epoch), goal)

    def _origin(self) -> str:
        """Fingerprint of what checkpoints must agree in."""
        stats = [path.stat() for path in self._folder.weight_files]
        weights = [[str(self._folder.path), stat.st_size, stat.st_mtime_ns] for stat in stats]
        settings = self._settings
        shape = settings.lora if settings.method == "lora" else None
        return digest_of(weights, self._rows.origin, settings.method, repr(shape), settings.seed)

    def _claim(self, origin: str) -> None:
        """Note what the checkpoints are of, or refuse to go on with others.

        Raises:
            TrainingError: the checkpoints there were made from something else.
        """
        known = read_json(self._place / _ORIGIN).get("origin")
        if known not in (None, origin) and any((self._place / CHECKPOINTS).glob("step-*")):
            raise TrainingError(
                f"{self._work.root} holds an unfinished run with other text or settings.",
                "Repeat the command as it was to go on, or remove that folder to begin anew.",
            )
        if known != origin:
            shutil.rmtree(self._place / CHECKPOINTS, ignore_errors=True)
            for name in (_BEST, f"{_BEST}.json", _FINISHED, "metrics.jsonl"):
                (self._place / name).unlink(missing_ok=True)
        write_json(self._place / _ORIGIN, {"origin": origin})

    def _train(self, plan: TrainerSettings, rows: int, goal: str) -> Iterator[TrainingEvent]:
        batches = self._rows.batches("train", rows, plan.seed)
        if batches is None:  # `TuningRows.write` refuses to leave none
            return
        gpt, warnings = self._model(plan)
        yield from (TrainingWarning(warning) for warning in warnings)
        trained = sum(p.numel() for p in gpt.parameters() if p.requires_grad)
        yield StageStarted(_STAGE, f"{trained:,} of {gpt.config.num_parameters:,} parameters")
        held_out = self._rows.batches("validation", rows, plan.seed)
        trainer = Trainer(gpt, batches, plan, self._place, self._cancel, held_out=held_out)
        best, latest = self._known_best(), math.inf
        for event in trainer.run():
            if isinstance(event, Evaluated):
                latest = event.loss
                if event.loss < best.loss:
                    best = _Best(event.loss, event.step)
                    self._keep(trainer, best)
            if not isinstance(event, TrainingFinished):
                yield event
                continue
            if event.reason in ("done", "time"):
                if best.loss < latest:
                    yield from self._go_back(gpt, best)
                yield StageStarted("save", str(self._settings.out))
                event = self._save(gpt, event, goal)
            yield event

    def _model(self, plan: TrainerSettings) -> tuple[GPT, list[str]]:
        """The model, ready to be trained; what is not trained takes the precision of the run."""
        is_lora = self._settings.method == "lora"
        dtype = torch.bfloat16 if is_lora and plan.precision != "fp32" else torch.float32
        gpt, warnings = load_gpt(self._folder, dtype=dtype, cancel=self._cancel)
        if is_lora:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(self._settings.seed)
                add_lora(gpt, self._settings.lora)
        else:
            gpt.requires_grad_(True)
        return gpt, warnings

    def _keep(self, trainer: Trainer, best: _Best) -> None:
        """Write the weights of the best state, and then which it is."""
        path, temporary = self._place / _BEST, self._place / f".{_BEST}.tmp"
        try:
            save_file({n: w.contiguous() for n, w in trainer.weights().items()}, temporary)
            temporary.replace(path)
        except (OSError, SafetensorError) as error:
            raise unwritable(self._place, OSError(str(error))) from error
        write_json(path.with_name(f"{_BEST}.json"), {"loss": best.loss, "step": best.step})

    def _known_best(self) -> _Best:
        """The best state of the part of this run that went before."""
        note = read_json(self._place / f"{_BEST}.json")
        return _Best(**note) if (self._place / _BEST).is_file() and note else _Best()

    def _go_back(self, gpt: GPT, best: _Best) -> Iterator[TrainingEvent]:
        gpt.load_state_dict(load_file(self._place / _BEST), strict=False)
        yield TrainingWarning(
            f"What is saved is the state of step {best.step}: from then on the text held out was "
            "predicted worse."
        )

    def _save(self, gpt: GPT, event: TrainingFinished, goal: str) -> TrainingFinished:
        """Put the result in its place; checkpoints are of no further use."""
        out = self._settings.out
        fresh = out.with_name(f".{out.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        if self._settings.method == "lora":
            save_adapter(gpt, fresh, base_name=str(self._folder.path))
        else:
            stored = inspect_model(self._folder.path).precision
            save_gpt(gpt.to(_stored_type(stored)), self._folder.path, fresh)
            _rename(fresh, out.name)
        replace_folder(out, fresh)
        mark = mark_of(out)
        write_json(self._work.released, {"mark": mark})
        done = {"reason": event.reason, "step": event.step, "loss": event.loss}
        write_json(self._place / _FINISHED, {"goal": goal, "mark": mark, **done})
        shutil.rmtree(self._place / CHECKPOINTS, ignore_errors=True)
        for name in (_BEST, f"{_BEST}.json"):
            (self._place / name).unlink(missing_ok=True)
        return TrainingFinished(event.reason, event.step, event.loss, str(out))


def _by_templates(settings: FinetuneSettings) -> RendererMaker:
    def make(_folder: ModelFolder, tokenizer: Tokenizer, _context: int) -> Renderer:
        return TemplateRenderer(
            templates_for(tokenizer),
            end_text(tokenizer),
            tokenizer,
            both_directions=settings.both_directions,
            labelling=settings.labelling,
        )

    return make


def _device(name: str) -> str:
    try:
        return resolve_device(name)
    except GptDeskError as error:
        raise OptionError(
            f'This machine has no device "{name}".', 'Leave it at "auto".', error.details
        ) from error


def _stored_type(precision: str) -> torch.dtype:
    """The precision to write weights in that were stored so: 16 bits unless they had 32."""
    return torch.float32 if precision == "fp32" else torch.bfloat16


def _rename(folder: Path, name: str) -> None:
    """Two models of one name could not be told apart."""
    path = folder / PROFILE_FILE
    data = read_json(path)
    if data:
        text = json.dumps(data | {"name": name}, indent=2, ensure_ascii=False) + "\n"
        atomic.write_bytes(path, text.encode("utf-8"))
