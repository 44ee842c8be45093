"""Time and memory that loading takes, per format: `python -m tests.benchmarks.loading`.

Checkpoints of 500 MB are written in the shape of a Llama, with random numbers, and each is loaded by a process of its
own, which takes turns at reading the same files plainly, into fresh memory. Shown are the shortest times, as other
programs only ever add to them. The budgets:

    load / read     at most 1.3, in wall and in processor time; where numbers are converted, that is on top
    peak            at most 1.15 times the weights in the working precision, and 350 MB
    cancelled       within 0.2 s of the flag, all memory given back
    unloaded        all but 50 MB given back
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

CONFIG = {
    "model_type": "llama",
    "hidden_size": 768,
    "num_attention_heads": 12,
    "num_key_value_heads": 12,
    "vocab_size": 32000,
    "max_position_embeddings": 1024,
    "rms_norm_eps": 1e-5,
    "tie_word_embeddings": False,
}
LAYERS = {"fp32": 11, "bf16": 29}  # 500 MB each
SHARDS = 4
TURNS = 5
FIGURES = ("MB", "load s", "load/read", "load/read CPU", "peak MB", "budget", "cancel s", "left MB")


def main(argv: Sequence[str] | None = None) -> None:
    """Write each checkpoint, load it some times, print a table."""
    parser = argparse.ArgumentParser(description="Measure loading against reading the files.")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--load", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    if arguments.load:
        print(json.dumps(measure(Path(arguments.load[0]), arguments.load[1])))
        return
    print("| weights, working precision |", " | ".join(FIGURES), "|")
    print("|---" * (len(FIGURES) + 1) + "|")
    for precision in LAYERS:
        for pickled in (False, True):
            for shards in (1, SHARDS):
                with tempfile.TemporaryDirectory() as scratch:
                    folder = Path(scratch)
                    write(folder, precision, pickled=pickled, shards=shards)
                    name = "pickle" if pickled else "safetensors"
                    for dtype in dict.fromkeys((precision, "fp32")):
                        label = f"{name} {precision} x{shards}, {dtype}"
                        print_row(label, folder, dtype, arguments.rounds)


def print_row(label: str, folder: Path, dtype: str, rounds: int) -> None:
    """Medians of some processes that load the folder."""
    command = [sys.executable, "-m", "tests.benchmarks.loading", "--load", str(folder), dtype]
    runs = [
        json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        for _ in range(rounds)
    ]
    medians = (statistics.median(run[figure] for run in runs) for figure in FIGURES)
    print(f"| {label} |", " | ".join(f"{value:.2f}" for value in medians), "|", flush=True)


def write(folder: Path, precision: str, *, pickled: bool, shards: int) -> None:
    """A checkpoint of random numbers, its tensors dealt out to the files in order."""
    import torch
    from safetensors.torch import save_file

    from gptdesk.checkpoints.families import read_config
    from gptdesk.checkpoints.layout import parameter_shapes

    data = {**CONFIG, "num_hidden_layers": LAYERS[precision], "intermediate_size": 2048}
    (folder / "config.json").write_text(json.dumps(data), "utf-8")
    shapes = list(parameter_shapes(read_config(data)).items())
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[precision]
    single, suffix = ("pytorch_model", ".bin") if pickled else ("model", ".safetensors")
    weight_map: dict[str, str] = {}
    for number in range(shards):
        part = shapes[len(shapes) * number // shards : len(shapes) * (number + 1) // shards]
        tensors = {name: torch.randn(shape).to(dtype) for name, shape in part}
        middle = f"-{number + 1:05}-of-{shards:05}" if shards > 1 else ""
        path = folder / f"{single}{middle}{suffix}"
        if pickled:
            torch.save(tensors, path)
        else:
            save_file(tensors, path, {"format": "pt"})
        weight_map |= dict.fromkeys(tensors, path.name)
    if shards > 1:
        index = {"metadata": {}, "weight_map": weight_map}
        (folder / f"{single}{suffix}.index.json").write_text(json.dumps(index), "utf-8")


def measure(folder: Path, dtype: str) -> dict[str, float]:
    """What one process finds: a plain read, a load, an unload, a cancelled load."""
    from gptdesk.checkpoints.folder import resolve_folder
    from gptdesk.engines.torch_engine import TorchEngine, open_torch

    def load(cancel: threading.Event | None = None) -> TorchEngine:
        return open_torch(resolve_folder(folder), device="cpu", dtype=dtype, cancel=cancel)[0]

    files = resolve_folder(folder).weight_files
    read_plainly(files)  # from the disk, this once
    start = resident("VmRSS")
    plain, taken, peak, left, weights = [], [], 0.0, 0.0, 0.0
    for _ in range(TURNS):
        plain.append(clocked(lambda: read_plainly(files))[0])
        Path("/proc/self/clear_refs").write_text("5", "ascii")  # the peak begins anew
        seconds, engine = clocked(load)
        taken.append(seconds)
        peak, weights = max(peak, resident("VmHWM")), engine.info.weight_bytes / 1e6
        engine.close()
        left = max(left, resident("VmRSS") - start)
    wall, processor = (min(pair) for pair in zip(*taken, strict=True))
    plain_wall, plain_processor = (min(pair) for pair in zip(*plain, strict=True))
    late = seconds_to_cancel(load, after=wall / 2)
    values = (
        sum(path.stat().st_size for path in files) / 1e6,
        wall,
        wall / plain_wall,
        processor / plain_processor,
        peak,
        1.15 * weights + 350,
        late,
        max(left, resident("VmRSS") - start),
    )
    return dict(zip(FIGURES, values, strict=True))


def read_plainly(files: Sequence[Path]) -> None:
    """Read whole files into fresh memory, all of it held at the end."""
    import torch

    held = [torch.empty(path.stat().st_size, dtype=torch.uint8) for path in files]
    for path, buffer in zip(files, held, strict=True):
        with path.open("rb", buffering=0) as file:
            view = memoryview(buffer.numpy())
            while view:
                view = view[file.readinto(view[: 16 << 20]) :]


def clocked(work: Callable[[], T]) -> tuple[tuple[float, float], T]:
    """Seconds on the wall and of processor time, and the result."""
    wall, processor = time.perf_counter(), time.process_time()
    result = work()
    return (time.perf_counter() - wall, time.process_time() - processor), result


def seconds_to_cancel(load: Callable[[threading.Event], object], after: float) -> float:
    """How long loading goes on when its flag is set in the middle; 0 where it was done before."""
    from gptdesk.errors import Cancelled

    flag, moment = threading.Event(), 0.0

    def stop() -> None:
        nonlocal moment
        moment = time.perf_counter()
        flag.set()

    timer = threading.Timer(after, stop)
    timer.start()
    try:
        load(flag)
    except Cancelled:
        return time.perf_counter() - moment
    finally:
        timer.cancel()
    return 0.0


def resident(name: str) -> float:
    """Memory of this process in MB: "VmRSS" for now, "VmHWM" for its peak (Linux)."""
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024 / 1e6
    return float("nan")


if __name__ == "__main__":
    main()
