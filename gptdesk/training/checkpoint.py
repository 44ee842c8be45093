"""Checkpoints of a run: complete or absent, whatever kills the process in between.

    folder/step-00000120/state.json           step, clock, what else the run needs to go on
                         *.safetensors        weights and optimiser, by "weight/…", "exp_avg/…"

A checkpoint is written beside its place and renamed when it lies on the disk. What several
processes hold in parts is written by torch.distributed.checkpoint, in safetensors too, so that any
number of processes can read it again and nothing is unpickled.
"""

from __future__ import annotations

import json
import re
import shutil
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.distributed.checkpoint.api import CheckpointException
from torch.distributed.checkpoint.hf_storage import (
    HuggingFaceStorageReader,
    HuggingFaceStorageWriter,
)
from torch.distributed.checkpoint.state_dict_loader import load as load_parts
from torch.distributed.checkpoint.state_dict_saver import save as save_parts
from torch.distributed.tensor import DTensor

from gptdesk.atomic import sync_files, sync_folder
from gptdesk.errors import TrainingError
from gptdesk.training.distributed import Processes

STATE_FILE = "state.json"
TENSOR_FILE = "tensors.safetensors"
_NAME = re.compile(r"step-(\d{8,})")


class DamagedCheckpoint(Exception):
    """A checkpoint that cannot be used; whoever resumes tries the one before it."""


class CheckpointStore:
    """The checkpoints in one folder; every process of a run has one and calls it alike.

    Args:
        folder: made when it is needed.
        keep: newest checkpoints kept.
        processes: that train together.
    """

    def __init__(self, folder: Path, keep: int, processes: Processes) -> None:
        self.folder = folder
        self._keep = keep
        self._processes = processes

    def steps(self) -> list[int]:
        """Steps of the checkpoints, the oldest first."""
        if not self.folder.is_dir():
            return []
        found = (_NAME.fullmatch(path.name) for path in self.folder.iterdir())
        return sorted(int(match[1]) for match in found if match)

    def path(self, step: int) -> Path:
        """Where the checkpoint of a step lies, or would."""
        return self.folder / f"step-{step:08}"

    def newest(self) -> str:
        """Path of the newest checkpoint, "" for none."""
        steps = self.steps()
        return str(self.path(steps[-1])) if steps else ""

    def save(self, step: int, tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> Path:
        """Write a checkpoint and remove the oldest ones beyond `keep`.

        Args:
            step: it is named after.
            tensors: each whole, or a DTensor of which every process has a part.
            state: JSON values.

        Raises:
            TrainingError: it cannot be written. The ones before it are still there.
        """
        temporary, target = self.folder / f".{self.path(step).name}.tmp", self.path(step)
        in_parts = any(isinstance(tensor, DTensor) for tensor in tensors.values())
        try:
            self._do(lambda: _make_empty(temporary), all_of_them=False)
            if in_parts:
                self._do(lambda: _write_parts(temporary, tensors), all_of_them=True)
            else:
                self._do(lambda: _write_whole(temporary, tensors), all_of_them=False)
            self._do(lambda: self._publish(temporary, target, state), all_of_them=False)
        except OSError as error:
            if self._processes.is_first:
                shutil.rmtree(temporary, ignore_errors=True)
            raise TrainingError(
                f"The checkpoint of step {step} cannot be written to {self.folder}.",
                "Check that the disk has room and that you may write there.",
                str(error),
            ) from error
        return target

    def read_state(self, step: int) -> dict[str, Any]:
        """What `save` was given as `state`.

        Raises:
            DamagedCheckpoint: the file is missing or damaged.
        """
        try:
            data = json.loads((self.path(step) / STATE_FILE).read_bytes())
        except (OSError, ValueError) as error:
            raise DamagedCheckpoint(str(error)) from error
        if not isinstance(data, dict):
            raise DamagedCheckpoint(f"{STATE_FILE} holds no object")
        return data

    def read_tensors(self, step: int, into: Mapping[str, Tensor]) -> None:
        """Copy the tensors of a checkpoint into those of the run, whole or in parts.

        Raises:
            DamagedCheckpoint: one is missing or of another shape, or the file is damaged; none
                was copied, as far as can be known beforehand.
        """
        folder = self.path(step)
        in_parts = any(isinstance(tensor, DTensor) for tensor in into.values())
        try:
            if in_parts or not (folder / TENSOR_FILE).is_file():
                _read_parts(folder, into, alone=self._processes.world == 1)
            else:
                _read_whole(folder / TENSOR_FILE, into)
        except _READING_ERRORS as error:
            raise DamagedCheckpoint(str(error)[:2000]) from error

    def clean(self) -> None:
        """Remove what an interrupted save or removal left."""
        if self._processes.is_first and self.folder.is_dir():
            for path in self.folder.glob(".step-*"):
                shutil.rmtree(path, ignore_errors=True)
        self._processes.wait()

    def _do(self, work: Callable[[], None], *, all_of_them: bool) -> None:
        """Do one stage of a save, in the first process or in all; all learn whether one failed.

        Raises:
            OSError: in every process.
        """
        problem = None
        if all_of_them or self._processes.is_first:
            try:
                work()
            except _WRITING_ERRORS as error:
                problem = str(error) or type(error).__name__
        (failed,) = self._processes.sums([float(problem is not None)])
        if failed:
            raise OSError(problem or "another process failed")

    def _publish(self, temporary: Path, target: Path, state: Mapping[str, Any]) -> None:
        (temporary / STATE_FILE).write_text(json.dumps(state, indent=1), encoding="utf-8")
        sync_files(temporary)
        if target.exists():  # a damaged one, whose step the run has made again
            _remove(target)
        temporary.replace(target)
        sync_folder(self.folder)
        for step in self.steps()[: -self._keep]:
            _remove(self.path(step))


def _make_empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _remove(checkpoint: Path) -> None:
    """Remove a checkpoint; killed in between, it has lost its name already."""
    doomed = checkpoint.with_name(f".{checkpoint.name}.removed")
    shutil.rmtree(doomed, ignore_errors=True)
    checkpoint.replace(doomed)
    shutil.rmtree(doomed, ignore_errors=True)


def _write_whole(folder: Path, tensors: Mapping[str, Tensor]) -> None:
    save_file(
        {key: t.detach().cpu().contiguous() for key, t in tensors.items()}, folder / TENSOR_FILE
    )


def _write_parts(folder: Path, tensors: Mapping[str, Tensor]) -> None:
    state = {key: tensor.detach() for key, tensor in tensors.items()}
    writer = HuggingFaceStorageWriter(str(folder), save_distributed=True)
    save_parts(state, storage_writer=writer)


def _read_whole(file: Path, into: Mapping[str, Tensor]) -> None:
    with safe_open(file, framework="pt") as stored, torch.no_grad():
        for key, tensor in into.items():
            shape = stored.get_slice(key).get_shape()
            if shape != list(tensor.shape):
                raise ValueError(f"{key} has the shape {shape} instead of {list(tensor.shape)}")
        for key, tensor in into.items():
            tensor.copy_(stored.get_tensor(key))


def _read_parts(folder: Path, into: Mapping[str, Tensor], *, alone: bool) -> None:
    state = {key: tensor.detach() for key, tensor in into.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that one process loads alone, which is meant
        load_parts(state, storage_reader=HuggingFaceStorageReader(str(folder)), no_dist=alone)


_WRITING_ERRORS = (OSError, SafetensorError, CheckpointException)
_READING_ERRORS = (
    OSError,
    ValueError,
    RuntimeError,
    SafetensorError,
    CheckpointException,
)
