"""From a model folder to a GPT in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import torch
from torch import Tensor

from gptdesk.cancel import CancelFlag
from gptdesk.checkpoints.families.base import few
from gptdesk.checkpoints.folder import ModelFolder
from gptdesk.checkpoints.layout import EMBEDDING, HEAD
from gptdesk.checkpoints.memory import give_back_freed, refuse_if_too_large
from gptdesk.checkpoints.pickle_agreement import check_agreement
from gptdesk.checkpoints.plan import WeightPlan, plan_folder, untied
from gptdesk.checkpoints.reading_ahead import read_ahead
from gptdesk.checkpoints.tensor_reader import same_values
from gptdesk.errors import UnsupportedModelError
from gptdesk.generation.events import Progress
from gptdesk.model.config import ModelConfig
from gptdesk.model.gpt import GPT

ProgressCallback = Callable[[Progress], None]


class WeightStream:
    """The weights of a model folder, one parameter after the other.

    The constructor judges the headers; `__iter__` reads. Used by loading, and by whoever passes
    weights on without keeping them.

    Attributes:
        config: the folder's, with `tied_embeddings` cleared if the output matrix in the file
            turns out to differ from the embedding.
        warnings: wrong but not fatal; complete once the iteration is.
    """

    def __init__(
        self,
        folder: ModelFolder,
        dtype: torch.dtype,
        *,
        progress: ProgressCallback | None = None,
        cancel: CancelFlag | None = None,
    ) -> None:
        if folder.kind == "onnx":
            raise UnsupportedModelError(
                f"The model in {folder.root} is an ONNX export, which has no weights for PyTorch.",
                "Open it with the ONNX engine, or open the original model.",
            )
        self.warnings: list[str] = [*folder.warnings]
        self._progress = progress
        self._done = 0
        self._folder = folder
        self._dtype, self._cancel = dtype, cancel
        self._counting = threading.Lock()
        if folder.weights == "pickle":
            check_agreement(folder.weight_files)
        self.config, self._plan = self._settle_tying(plan_folder(folder))

    def __iter__(self) -> Iterator[tuple[str, Tensor]]:
        """Yield (parameter name, contiguous CPU tensor), a tied output matrix not at all.

        Raises:
            CheckpointError: a file changed or cannot be read.
            Cancelled: between chunks of four million numbers.
        """
        steps, not_finite = self._plan.steps, set[str]()
        for parameters in read_ahead(steps, self._dtype, self._count, self._cancel, not_finite):
            yield from parameters.items()
        if not_finite:
            names = [step.stored.name for step in steps if step.stored.name in not_finite]
            self.warnings.append(
                f"The weights hold values that are not numbers (in {few(names, 1)}): the model's "
                "output will be useless. Download it again."
            )

    def _settle_tying(self, plan: WeightPlan) -> tuple[ModelConfig, WeightPlan]:
        """Believe the file where config.json ties an output matrix that differs."""
        config = self._folder.config
        if plan.head is None:
            return config, plan
        embedding = next(step for step in plan.steps if step.rule.ours == (EMBEDDING,))
        if same_values(plan.head, embedding.stored):
            return config, plan
        self.warnings.append(
            "config.json ties the output matrix to the embedding, but the weights hold two "
            "different ones; both are used."
        )
        return replace(config, tied_embeddings=False), untied(plan)

    def _count(self, nbytes: int) -> None:
        with self._counting:  # several threads read
            self._done += nbytes
            # The other thread may have been in the middle of a tensor when the person stopped.
            stopped = self._cancel is not None and self._cancel.is_set()
            if self._progress is not None and not stopped:
                name = self._folder.path.name
                self._progress(
                    Progress(stage="loading", done=self._done, total=self._plan.nbytes, detail=name)
                )


def load_gpt(
    folder: ModelFolder,
    *,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
    progress: ProgressCallback | None = None,
    cancel: CancelFlag | None = None,
) -> tuple[GPT, list[str]]:
    """Build the GPT and fill it, holding every weight once.

    Args:
        folder: from `resolve_folder`.
        dtype: of weights and arithmetic, whatever the file stores.
        device: where the weights go, tensor by tensor.
        progress: told the bytes read so far, stage "loading".
        cancel: polled every four million numbers; what was loaded is freed.

    Returns:
        The model in evaluation mode, without gradients, and what is wrong but not fatal.

    Raises:
        CheckpointError: files are damaged or do not fit config.json.
        OutOfMemoryError: the weights are larger than the memory that is free.
        Cancelled: the person stopped it.
    """
    weights = WeightStream(folder, dtype, progress=progress, cancel=cancel)
    place = torch.device(device)
    if place.type != "cuda":
        needed = weights.config.num_parameters * dtype.itemsize
        refuse_if_too_large(needed, f"The model in {folder.path}")
    gpt = GPT.skeleton(weights.config)
    state: dict[str, Tensor] = {}
    try:
        state.update((name, tensor.to(place)) for name, tensor in weights)
    except BaseException:
        state.clear()  # the traceback would keep it alive
        give_back_freed()
        raise
    if weights.config.tied_embeddings:
        state[HEAD] = state[EMBEDDING]
    gpt.load_state_dict(state, assign=True)
    gpt.tie_weights()
    return gpt.eval().requires_grad_(False), weights.warnings
