"""The PyTorch engine: runs a GPT from safetensors on CPU, CUDA or Apple's GPU."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import torch

from gptdesk.cancel import CancelFlag
from gptdesk.checkpoints.adapter import load_adapter
from gptdesk.checkpoints.adapter_folder import AdapterFolder
from gptdesk.checkpoints.folder import ModelFolder
from gptdesk.checkpoints.inspection import estimated_bytes
from gptdesk.checkpoints.loader import load_gpt
from gptdesk.checkpoints.memory import available_bytes, give_back_freed, refuse_if_too_large
from gptdesk.engines.base import EngineInfo, check_input
from gptdesk.errors import EngineError, OptionError
from gptdesk.generation.events import Progress
from gptdesk.model.cache import KVCache
from gptdesk.model.gpt import GPT
from gptdesk.model.lora import remove_adapter, set_adapter_enabled
from gptdesk.model.memory import memory_errors

if TYPE_CHECKING:
    from gptdesk.engines.base import Logits

REREAD_CHUNK = 256
PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class TorchEngine:
    """A GPT with the KV cache of one sequence; implements `Engine`.

    Attributes:
        gpt: the model itself, for saving; None once closed.
    """

    def __init__(self, gpt: GPT) -> None:
        weight = gpt.model.embed_tokens.weight
        precision = next(name for name, dtype in PRECISIONS.items() if dtype == weight.dtype)
        plain = gpt.config.plain_context
        self.gpt: GPT | None = gpt
        self._device = weight.device
        self._cache: KVCache | None = KVCache(gpt.config, weight.dtype, weight.device)
        self._ids: list[int] = []  # all that is held; the cache may have to read some again
        self._kind_of_keys = 0  # of those in the cache
        self._info = EngineInfo(
            name="torch",
            device=str(weight.device),
            precision=precision,
            context_length=gpt.config.context_length,
            vocab_size=gpt.config.vocab_size,
            weight_bytes=sum(p.numel() * p.element_size() for p in gpt.parameters()),
            plain_context=plain if plain < gpt.config.context_length else None,
            rereads_long_texts=gpt.config.rereads_long_texts,
        )

    @property
    def info(self) -> EngineInfo:
        """What runs, where, and how large it is."""
        return self._info

    @property
    def length(self) -> int:
        """Tokens held, in the KV cache or to be read into it again."""
        return len(self._ids)

    def extend(self, ids: Sequence[int], *, last: int = 1, whole: int = 0) -> Logits:
        """Feed tokens; see `Engine.extend`."""
        gpt, cache = self._open()
        before = self.length
        check_input(self._info, before, ids, last)
        whole = max(whole, before + len(ids))
        self._forget_other_keys(cache, whole)
        growth = cache.growth_bytes(before + len(ids))
        if growth and self._device.type == "cpu":
            refuse_if_too_large(growth, f"A context of {before + len(ids):,} tokens")
        try:
            with torch.inference_mode(), memory_errors("for a context of this length"):
                while cache.length < before:
                    again = self._ids[cache.length : cache.length + REREAD_CHUNK]
                    gpt(self._tensor(again), cache, 1, whole)
                logits = gpt(self._tensor(ids), cache, last, whole)[0]  # (last, vocab_size)
                result: Logits = logits.float().cpu().numpy()
        except EngineError:
            cache.truncate(before)
            raise
        except RuntimeError as error:
            cache.truncate(before)
            raise EngineError(
                "PyTorch could not compute the next token.",
                "Try another device or precision in the model's settings.",
                str(error)[:2000],
            ) from error
        self._ids.extend(ids)
        return result

    def truncate(self, length: int) -> None:
        """Forget every token after the first `length`."""
        length = max(0, length)
        self._open()[1].truncate(length)
        del self._ids[length:]

    def _forget_other_keys(self, cache: KVCache, whole: int) -> None:
        """Empty the cache if its keys are not those of a text of `whole` tokens.

        Only where that text is to be read again: else, old keys stay as they are.
        """
        kind = self._info.kind_of_keys(whole) if self._info.rereads_long_texts else 0
        if kind != self._kind_of_keys:
            cache.truncate(0)
            self._kind_of_keys = kind

    def _tensor(self, ids: Sequence[int]) -> torch.Tensor:
        return torch.tensor([ids], dtype=torch.long, device=self._device)  # (1, T)

    def load_adapter(
        self,
        folder: AdapterFolder,
        progress: Callable[[Progress], None] | None = None,
        cancel: CancelFlag | None = None,
    ) -> list[str]:
        """Put a LoRA adapter on; see `Adaptable.load_adapter`."""
        with self._changed_model() as gpt, memory_errors("to load the adapter"):
            return load_adapter(gpt, folder, progress=progress, cancel=cancel)

    def set_adapter_enabled(self, enabled: bool) -> None:
        """Switch the adapter on or off."""
        with self._changed_model() as gpt:
            set_adapter_enabled(gpt, enabled)

    def remove_adapter(self) -> None:
        """Take the adapter out and free it."""
        with self._changed_model() as gpt:
            remove_adapter(gpt)

    @contextlib.contextmanager
    def _changed_model(self) -> Iterator[GPT]:
        """The model, to be changed: keys and values that it computed before are forgotten."""
        gpt, _ = self._open()
        self.truncate(0)
        with torch.inference_mode(False):
            yield gpt

    def close(self) -> None:
        """Free the weights and the cache."""
        self.gpt = self._cache = None
        self._ids.clear()
        give_back_freed()
        if self._device.type == "cuda":
            torch.cuda.empty_cache()

    def _open(self) -> tuple[GPT, KVCache]:
        if self.gpt is None or self._cache is None:
            raise EngineError("The model is closed.", "Load it again.")
        return self.gpt, self._cache


def open_torch(
    folder: ModelFolder,
    *,
    device: str = "auto",
    dtype: str = "auto",
    threads: int | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancel: CancelFlag | None = None,
) -> tuple[TorchEngine, list[str]]:
    """Load a model folder into a `TorchEngine`.

    Args:
        folder: of kind "huggingface".
        device: "auto" (CUDA, else Apple's GPU, else CPU), "cpu", "cuda", "cuda:1", "mps".
        dtype: "auto" (on a CPU fp32, or bf16 where the memory has room for that alone; bf16 or
            fp16 elsewhere), "fp32", "bf16", "fp16".
        threads: CPU threads of all of torch in this process; None leaves torch's choice, one
            per physical core.
        progress, cancel: as in `load_gpt`.

    Returns:
        The engine, and warnings about the checkpoint.

    Raises:
        OptionError: the device or precision does not exist here.
        CheckpointError: the folder cannot be loaded.
        OutOfMemoryError: it does not fit.
        Cancelled: the person stopped it.
    """
    place = _device(device)
    number_type = _dtype(dtype, place)
    told: list[str] = []
    if dtype == "auto" and place.type == "cpu":
        number_type, told = _fitting(folder)
    if threads is not None:
        torch.set_num_threads(max(1, threads))
    with memory_errors("to load the model"):
        gpt, warnings = load_gpt(
            folder, dtype=number_type, device=place, progress=progress, cancel=cancel
        )
        return TorchEngine(gpt), [*told, *warnings]


def devices() -> list[str]:
    """What PyTorch can compute on here, for the person."""
    gpus = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    apple = ["Apple GPU (mps)"] if torch.backends.mps.is_available() else []
    return ["CPU", *gpus, *apple]


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device(
            "cuda"
            if torch.cuda.is_available()
            else "mps"
            if torch.backends.mps.is_available()
            else "cpu"
        )
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise OptionError(
            f"The device {name!r} is not available to PyTorch on this machine.",
            "Choose auto or cpu.",
            str(error)[:2000],
        ) from error
    return device


def _fitting(folder: ModelFolder) -> tuple[torch.dtype, list[str]]:
    """The precision that a model is run in on a CPU, and what the person is to know of it."""
    free = available_bytes()
    full, half = (estimated_bytes(folder.config, name) for name in ("fp32", "bf16"))
    if free is None or not half <= free < full:
        return torch.float32, []
    needed, left = f"{full / 1e9:.1f} GB", f"{free / 1e9:.1f} GB"
    return torch.bfloat16, [f"The model runs in bf16: fp32 needs {needed}, and {left} are free."]


def _dtype(name: str, device: torch.device) -> torch.dtype:
    if name == "auto":
        if device.type == "cpu":
            return torch.float32
        # bf16 arithmetic begins with compute capability 8 (Ampere), on Apple's with macOS 14.
        modern = device.type == "cuda" and torch.cuda.get_device_capability(device)[0] >= 8
        return torch.bfloat16 if modern else torch.float16
    if name not in PRECISIONS:
        raise OptionError(
            f"The precision {name!r} does not exist.", f"Choose auto, {', '.join(PRECISIONS)}."
        )
    return PRECISIONS[name]
