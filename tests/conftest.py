"""Settings and fixtures of the whole suite: no network, no leftovers, a home folder of its own for each test."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

# Read by Qt, OpenMP, transformers and tqdm when they are first imported, hence before any other import.
for _name, _value in {
    "QT_QPA_PLATFORM": "offscreen",
    "OMP_NUM_THREADS": "1",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TQDM_DISABLE": "1",
    "TOKENIZERS_PARALLELISM": "false",
}.items():
    os.environ.setdefault(_name, _value)
os.environ.update({"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "LANGUAGE": "en"})

import pytest
from hypothesis import HealthCheck, settings

from gptdesk import paths
from tests.helpers import checkpoints, leaks, network, stray_logs

network.block_network()

settings.register_profile(
    "deterministic",
    derandomize=True,
    deadline=None,  # a shared machine makes any deadline a coin toss
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("deterministic")


@pytest.fixture(autouse=True)
def gptdesk_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the app's settings, data, cache and logs of this test in an empty folder of its own."""
    home = tmp_path_factory.mktemp("gptdesk-home")
    monkeypatch.setenv("GPTDESK_HOME", str(home))
    monkeypatch.setenv("HF_HUB_CACHE", str(home / "hub"))
    return home


@pytest.fixture(autouse=True)
def no_stray_errors(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test during which the app logged an error, unless its mark `logs_errors` announces one."""
    collector = stray_logs.ErrorCollector()
    logging.getLogger().addHandler(collector)
    yield
    logging.getLogger().removeHandler(collector)
    if collector.lines and request.node.get_closest_marker("logs_errors") is None:
        pytest.fail("errors were logged:\n" + "\n".join(collector.lines))


@pytest.fixture(autouse=True)
def clean_process() -> Iterator[None]:
    """Undo what running the app inside the test process leaves behind."""
    yield
    stray_logs.reset_app_logger()
    paths.set_profile(None)


@pytest.fixture(autouse=True)
def no_leftovers(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves a thread running or a window open."""
    before = leaks.living_threads()
    leaks.watch_qthreads()
    yield
    left = [f"thread {name}" for name in leaks.leaked_threads(before)]
    if "PySide6.QtWidgets" in sys.modules:
        left += [f"window {name}" for name in leaks.leaked_windows()]
        left += [f"QThread {name}" for name in leaks.leaked_qthreads()]
    if left:
        pytest.fail(f"{request.node.name} left behind: " + "; ".join(left))


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Compute with one thread: the same sums in the same order, whatever the machine."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def tiny_gpt2_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GPT-2 checkpoint with random weights. Shared by the session: copy it before you change it."""
    return checkpoints.write_gpt2(tmp_path_factory.mktemp("checkpoints") / "tiny-gpt2")


@pytest.fixture(scope="session")
def tiny_llama_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Llama checkpoint, grouped queries, own output matrix, chat template. Do not change it in place."""
    return checkpoints.write_llama(tmp_path_factory.mktemp("checkpoints") / "tiny-llama")


@pytest.fixture(scope="session")
def tiny_llama_tied_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Llama checkpoint whose output matrix is its embedding; no chat template. Do not change it in place."""
    folder = tmp_path_factory.mktemp("checkpoints") / "tiny-llama-tied"
    return checkpoints.write_llama(folder, tied=True, seed=3, chat=False)


@pytest.fixture(scope="session")
def tiny_llama_sharded_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights of `tiny_llama_dir` in eight safetensors shards with an index. Do not change it in place."""
    folder = tmp_path_factory.mktemp("checkpoints") / "tiny-llama-sharded"
    return checkpoints.write_llama(folder, max_shard_size="100KB")
