"""Fine-tuning: what is learnt, what is held out, how it resumes, and what it leaves on the disk."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import gptdesk
from gptdesk.cancel import ThreadCancelFlag
from gptdesk.errors import CheckpointError, GptDeskError, OptionError, TrainingError
from gptdesk.model.lora_settings import LoraSettings
from gptdesk.training.batches import IGNORED
from gptdesk.training.events import (
    Evaluated,
    StageStarted,
    StepDone,
    TrainingEvent,
    TrainingFinished,
    TrainingWarning,
)
from gptdesk.training.example_rows import InstructBatches
from gptdesk.training.finetune import finetune
from gptdesk.training.finetune_settings import FinetuneSettings
from gptdesk.training.work_folder import WorkFolder
from tests.helpers import adapters, checkpoints
from tests.training import corpus

pytestmark = pytest.mark.usefixtures("one_thread")

PROBE = [17, 300, 42, 5, 611, 80]


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("texts")
    for number in range(3):
        (folder / f"{number}.txt").write_text(corpus.document(number, 40), "utf-8")
    return folder


def asked(model: Path, data: Path, out: Path, **changes: Any) -> FinetuneSettings:
    values: dict[str, Any] = {
        "epochs": 2.0,
        "context": 64,
        "batch_tokens": 256,
        "learning_rate": 5e-3,
        "precision": "fp32",
        "threads": 1,
        "lora": LoraSettings(rank=4, alpha=8.0),
    }
    return FinetuneSettings(model=model, data=(str(data),), out=out, **(values | changes))


def run(settings: FinetuneSettings, **options: Any) -> list[TrainingEvent]:
    events = list(finetune(settings, **options))
    assert [type(event) for event in events].count(TrainingFinished) == 1
    return events


def finished(events: list[TrainingEvent]) -> TrainingFinished:
    assert isinstance(events[-1], TrainingFinished)
    return events[-1]


def logits(path: Path, adapter: Path | None = None) -> Any:
    model = gptdesk.load(path, engine="torch", dtype="fp32", adapter=adapter)
    try:
        return model.logits(PROBE)
    finally:
        model.close()


def test_an_adapter_learns_and_peft_computes_the_same_with_it(
    tiny_llama_dir: Path, texts: Path, tmp_path: Path
) -> None:
    out = tmp_path / "style"
    events = run(asked(tiny_llama_dir, texts, out))
    losses = [event.loss for event in events if isinstance(event, Evaluated)]
    assert len(losses) == 2
    assert losses[-1] < losses[0] < math.log(checkpoints.VOCAB_SIZE) + 4
    assert finished(events).path == str(out)
    assert sorted(path.name for path in out.iterdir()) == [adapters.CONFIG, adapters.WEIGHTS]
    assert json.loads((out / adapters.CONFIG).read_text())["base_model_name_or_path"] == str(
        tiny_llama_dir
    )
    ours = logits(tiny_llama_dir, out)
    assert adapters.difference(ours, adapters.reference_logits(tiny_llama_dir, out, PROBE)) < 1e-5
    assert adapters.difference(ours, logits(tiny_llama_dir)) > 1e-2


def test_all_weights_make_a_model_that_transformers_loads(
    tiny_gpt2_dir: Path, texts: Path, tmp_path: Path
) -> None:
    out = tmp_path / "mine"
    events = run(asked(tiny_gpt2_dir, texts, out, method="full", learning_rate=1e-3))
    losses = [event.loss for event in events if isinstance(event, Evaluated)]
    assert losses[-1] < losses[0]
    with torch.no_grad():
        wanted = checkpoints.load_reference(out)(torch.tensor([PROBE])).logits[0].numpy()
    assert adapters.difference(logits(out), wanted) < 1e-4
    assert adapters.difference(logits(out), logits(tiny_gpt2_dir)) > 1e-3


def test_cancelled_and_resumed_it_becomes_what_it_would_have_become(
    tiny_llama_dir: Path, texts: Path, tmp_path: Path
) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    lora = LoraSettings(rank=4, alpha=8.0, dropout=0.1)
    run(asked(tiny_llama_dir, texts, whole, lora=lora))
    cancel = ThreadCancelFlag()
    events = []
    settings = asked(tiny_llama_dir, texts, parts, lora=lora)
    for event in finetune(settings, cancel):
        events.append(event)
        if isinstance(event, StepDone) and event.step == 3:
            cancel.set()
    assert finished(events).reason == "cancelled"
    assert not parts.exists()
    resumed = run(settings)
    steps = [event.step for event in resumed if isinstance(event, StepDone)]
    assert steps[0] == 4
    ours, wanted = (load_file(folder / adapters.WEIGHTS) for folder in (parts, whole))
    for name, tensor in wanted.items():
        torch.testing.assert_close(ours[name], tensor, rtol=0, atol=1e-6)


def test_a_finished_run_is_passed_over_and_other_settings_begin_anew(
    tiny_llama_dir: Path, texts: Path, tmp_path: Path
) -> None:
    out = tmp_path / "style"
    first = finished(run(asked(tiny_llama_dir, texts, out, epochs=0.3)))
    before = (out / adapters.WEIGHTS).read_bytes()
    again = run(asked(tiny_llama_dir, texts, out, epochs=0.3))
    assert [e.detail for e in again if isinstance(e, StageStarted)] == ["unchanged", "unchanged"]
    assert finished(again) == first
    run(asked(tiny_llama_dir, texts, out, epochs=0.3, lora=LoraSettings(rank=2, alpha=4.0)))
    assert (out / adapters.WEIGHTS).read_bytes() != before


def test_the_best_state_is_kept_when_the_held_out_text_gets_worse(
    tiny_llama_dir: Path, tmp_path: Path
) -> None:
    page, other = tmp_path / "page.txt", tmp_path / "other.txt"
    page.write_text(corpus.document(1, 30), "utf-8")
    other.write_text("".join(reversed(corpus.document(2, 30))), "utf-8")
    settings = asked(
        tiny_llama_dir, page, tmp_path / "out", validation=(str(other),), epochs=4.0, method="full"
    )
    events = run(settings)
    losses = [event.loss for event in events if isinstance(event, Evaluated)]
    assert min(losses) < losses[-1]
    told = [event.message for event in events if isinstance(event, TrainingWarning)]
    assert any("What is saved is the state of step" in message for message in told)


def test_a_loss_that_is_no_number_saves_nothing(
    tiny_llama_dir: Path, texts: Path, tmp_path: Path
) -> None:
    events = run(asked(tiny_llama_dir, texts, tmp_path / "out", learning_rate=1e30, method="full"))
    assert finished(events).reason == "diverged"
    assert not (tmp_path / "out").exists()


PAIR = {"src": "the calm sea", "tgt": "a harbour", "src_lang": "en", "tgt_lang": "de"}
SUMMARY = {"document": corpus.document(5), "summary": "Rain fell."}
CHAT = {
    "messages": [
        {"role": "user", "content": "Who wrote?"},
        {"role": "assistant", "content": "The keeper."},
        {"role": "user", "content": "When?"},
        {"role": "assistant", "content": "Every evening."},
    ]
}


@pytest.mark.parametrize(
    ("row", "answers"),
    [
        (PAIR, {"a harbour", "the calm sea"}),
        (SUMMARY, {"Rain fell."}),
        (CHAT, {"The keeper.", "Every evening."}),
    ],
)
def test_the_loss_counts_the_answers_only(
    tiny_llama_dir: Path, tmp_path: Path, row: dict[str, Any], answers: set[str]
) -> None:
    data = tmp_path / "rows.jsonl"
    data.write_text(json.dumps(row) + "\n", "utf-8")
    settings = asked(tiny_llama_dir, data, tmp_path / "out", epochs=1.0, context=256)
    run(settings)
    batch = InstructBatches(WorkFolder(settings.work_folder).example_rows("train"), 1, 1).batch(0)
    targets, segments = batch.targets[0], batch.segments[0]
    model = gptdesk.load(tiny_llama_dir, engine="torch")
    learnt = {
        model.tokenizer.decode(targets[(targets != IGNORED) & (segments == part)].tolist()).strip()
        for part in np.unique(segments[targets != IGNORED])
    }
    model.close()
    assert learnt == answers


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"data": ("absent",)}, TrainingError, "no file or folder absent"),
        ({"data": ("{empty}",)}, TrainingError, "no text to learn from"),
        ({"data": ("{binary}",)}, TrainingError, "no text to learn from"),
        ({"data": ("{pairs}",), "model": Path("{gpt2}")}, TrainingError, "nothing to learn from"),
        ({"out": Path("{taken}")}, TrainingError, "was not made by this training"),
        ({"model": Path("nowhere")}, CheckpointError, "no model at nowhere"),
        ({"lora": LoraSettings(target_modules=("c_attn",))}, OptionError, "c_attn"),
        ({"device": "cuda:77"}, OptionError, "cuda:77"),
    ],
)
def test_bad_input_is_named(
    tiny_llama_dir: Path,
    tiny_gpt2_dir: Path,
    texts: Path,
    tmp_path: Path,
    changes: dict[str, Any],
    error: type[GptDeskError],
    said: str,
) -> None:
    (tmp_path / "empty.txt").write_text(" \n", "utf-8")
    (tmp_path / "binary.txt").write_bytes(bytes(range(256)) * 9)
    (tmp_path / "chat.jsonl").write_text(json.dumps(CHAT) + "\n", "utf-8")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "novel.txt").write_text("mine", "utf-8")
    places = {
        "{empty}": tmp_path / "empty.txt",
        "{binary}": tmp_path / "binary.txt",
        "{pairs}": tmp_path / "chat.jsonl",
        "{taken}": tmp_path / "taken",
        "{gpt2}": tiny_gpt2_dir,
    }

    def placed(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(placed(item) for item in value)
        found = places.get(str(value))
        return value if found is None else type(value)(found)

    values: dict[str, Any] = {"model": tiny_llama_dir, "data": texts, "out": tmp_path / "out"}
    values |= {name: placed(value) for name, value in changes.items()}
    data = values.pop("data")
    paths = data if isinstance(data, tuple) else (str(data),)
    base = asked(values.pop("model"), Path(paths[0]), values.pop("out"), **values)
    with pytest.raises(error) as caught:
        list(finetune(base))
    assert said in caught.value.title
    assert "[" not in caught.value.hint.replace("[train]", ""), "hints of a file nobody has"
    assert not (tmp_path / "out").exists()
    if "{pairs}" not in str(changes) and "lora" not in changes:
        assert not (tmp_path / "out.work").exists(), "nothing was done, so nothing stays"


@pytest.mark.parametrize(
    "changes",
    [
        {"epochs": 0.0},
        {"learning_rate": math.inf},
        {"max_minutes": -1.0},
        {"context": 2},
        {"threads": 0},
        {"validation_fraction": 0.9},
        {"method": "prefix"},
        {"data": ()},
    ],
)
def test_values_out_of_range_are_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    values: dict[str, Any] = {"model": tmp_path, "data": ("x",), "out": tmp_path}
    with pytest.raises(OptionError):
        FinetuneSettings(**(values | changes))
