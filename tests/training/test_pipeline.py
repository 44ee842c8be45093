"""From a folder of text to a model that gptdesk and transformers load alike."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

import gptdesk
from gptdesk.errors import OptionError, TrainingError
from gptdesk.training.config import (
    DataSettings,
    InstructSettings,
    ModelSettings,
    RunSettings,
    ScheduleSettings,
    TokenizerSettings,
    TrainingConfig,
)
from gptdesk.training.events import (
    Evaluated,
    StageProgress,
    StageStarted,
    StepDone,
    TrainingEvent,
    TrainingFinished,
    TrainingWarning,
)
from gptdesk.training.pipeline import STAGES, StageRange, train_pipeline
from gptdesk.training.sharding import open_shards
from gptdesk.training.work_folder import WorkFolder
from tests.training import corpus

STEPS = 8


def config_in(folder: Path) -> TrainingConfig:
    """A run of seconds over texts and questions written into `folder`."""
    corpus.write_folder(folder / "texts", 30)
    pair = {"src": "the ship", "tgt": "船", "src_lang": "en", "tgt_lang": "zh"}
    rows = [
        {"document": corpus.document(number), "summary": f"Rain fell {number} times."}
        for number in range(30)
    ]
    lines = "".join(json.dumps(row) + "\n" for row in (*rows, pair))
    (folder / "pairs.jsonl").write_text(lines, "utf-8")
    return TrainingConfig(
        data=DataSettings(train=(str(folder / "texts"),), validation_fraction=0.1),
        tokenizer=TokenizerSettings(vocab_size=400),
        model=ModelSettings(hidden_size=16, num_layers=2, head_dim=4, context_length=64),
        schedule=ScheduleSettings(max_steps=STEPS),
        run=RunSettings(
            out=folder / "model", batch_tokens=256, precision="fp32", threads=1, log_steps=1
        ),
        instruct=InstructSettings(files=(str(folder / "pairs.jsonl"),), validation_fraction=0.1),
    )


def stages_of(events: list[TrainingEvent]) -> dict[str, str]:
    return {event.stage: event.detail for event in events if isinstance(event, StageStarted)}


class CancelAfter:
    """A cancel flag that a test sets."""

    def __init__(self) -> None:
        self.now = False

    def is_set(self) -> bool:
        return self.now


@pytest.fixture(scope="module")
def finished(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[TrainingConfig, list[TrainingEvent]]]:
    folder = tmp_path_factory.mktemp("run")
    config = config_in(folder)
    yield config, list(train_pipeline(config))
    shutil.rmtree(folder)


Finished = tuple[TrainingConfig, list[TrainingEvent]]


def test_every_stage_runs_once_and_one_event_ends_it(finished: Finished) -> None:
    config, events = finished
    assert tuple(stages_of(events)) == STAGES
    ends = [event for event in events if isinstance(event, TrainingFinished)]
    assert ends == events[-1:]
    assert (ends[0].reason, ends[0].path) == ("done", str(config.run.out))
    steps = [event for event in events if isinstance(event, StepDone)]
    assert [event.step for event in steps][:STEPS] == list(range(1, STEPS + 1))
    assert steps[STEPS - 1].loss < steps[0].loss


def test_the_model_loads_everywhere_to_the_same_logits(finished: Finished) -> None:
    out = finished[0].run.out
    text = "The old keeper wrote 灯塔."
    model = gptdesk.load(out, engine="torch", dtype="fp32")
    assert model.warnings == []
    ids = model.tokenizer.encode(text)
    theirs = transformers.AutoModelForCausalLM.from_pretrained(out, dtype=torch.float32)
    assert transformers.AutoTokenizer.from_pretrained(out).encode(text) == ids
    with torch.no_grad():
        wanted = theirs(torch.tensor([ids])).logits[0].numpy()
    assert np.abs(model.logits(ids) - wanted).max() < 1e-5
    assert theirs.generation_config.eos_token_id == 0
    *_, last = gptdesk.summarize(model, text, max_new_tokens=4)
    assert last.reason
    model.close()


def test_the_folder_says_what_the_model_has_learnt(finished: Finished) -> None:
    data = json.loads((finished[0].run.out / "gptdesk.json").read_text("utf-8"))
    assert list(data["tasks"]) == ["continue", "summarize", "translate"]
    settings = json.loads((finished[0].run.out / "tokenizer_config.json").read_text("utf-8"))
    assert "chat_template" not in settings, "no conversation was learnt"
    figures = json.loads((finished[0].run.work_folder / "evaluation.json").read_text("utf-8"))
    assert 0 < figures["text"]["bits_per_byte"] < 8
    assert figures["answers"]["loss"] > 0


def test_a_second_run_finds_everything_done(finished: Finished) -> None:
    events = list(train_pipeline(finished[0]))
    done = stages_of(events)
    assert all(done[stage].endswith("unchanged") for stage in STAGES[:-1])
    assert not any(isinstance(event, StepDone | Evaluated) for event in events)
    assert isinstance(events[-1], TrainingFinished)
    assert events[-1].reason == "done"


def test_a_longer_run_goes_on_from_the_shorter(finished: Finished, tmp_path: Path) -> None:
    config = copied(finished[0], tmp_path)
    config = replace(config, schedule=ScheduleSettings(max_steps=STEPS + 2))
    events = list(train_pipeline(config, stages=StageRange("pretrain", "pretrain")))
    steps = [event.step for event in events if isinstance(event, StepDone)]
    assert steps == [STEPS + 1, STEPS + 2]


def test_a_second_training_starts_anew_when_the_first_went_on(
    finished: Finished, tmp_path: Path
) -> None:
    config = copied(finished[0], tmp_path)
    config = replace(config, schedule=ScheduleSettings(max_steps=STEPS + 1))
    events = list(train_pipeline(config, stages=StageRange("pretrain", "instruct")))
    (warning,) = (event for event in events if isinstance(event, TrainingWarning))
    assert "starts anew" in warning.message
    (aside,) = (tmp_path / "work" / "instruct").glob("checkpoints-*")
    assert list(aside.glob("step-*"))
    steps = [event.step for event in events if isinstance(event, StepDone)]
    assert steps[:2] == [STEPS + 1, 1]


def copied(config: TrainingConfig, folder: Path) -> TrainingConfig:
    """The same run with its work folder copied, so that it may be changed."""
    shutil.copytree(config.run.work_folder, folder / "work")
    return replace(config, run=replace(config.run, work=folder / "work", out=folder / "model"))


def test_another_shape_is_refused_beside_old_checkpoints(
    finished: Finished, tmp_path: Path
) -> None:
    config = copied(finished[0], tmp_path)
    config = replace(config, model=replace(config.model, num_layers=1))
    with pytest.raises(TrainingError, match="has changed since") as caught:
        list(train_pipeline(config, stages=StageRange("pretrain", "pretrain")))
    assert str(tmp_path / "work" / "pretrain") in caught.value.title


def test_a_folder_of_somebody_else_is_not_replaced(tmp_path: Path) -> None:
    config = config_in(tmp_path)
    config.run.out.mkdir()
    (config.run.out / "novel.txt").write_text("mine")
    with pytest.raises(TrainingError, match="was not made by this training"):
        list(train_pipeline(config))
    assert (config.run.out / "novel.txt").read_text() == "mine"
    assert not config.run.work_folder.joinpath("tokens").exists()


def test_a_stage_without_its_predecessors_says_so(tmp_path: Path) -> None:
    config = config_in(tmp_path)
    with pytest.raises(TrainingError, match='"collect" is missing') as caught:
        list(train_pipeline(config, stages=StageRange(first="shards")))
    assert "--from collect" in caught.value.hint


def test_cancelled_training_is_gone_on_with(finished: Finished, tmp_path: Path) -> None:
    config = copied(finished[0], tmp_path)
    shutil.rmtree(tmp_path / "work" / "pretrain")
    flag, events = CancelAfter(), []
    for event in train_pipeline(config, flag, StageRange("pretrain", "save")):
        events.append(event)
        flag.now = isinstance(event, StepDone) and event.step == 3
    assert isinstance(events[-1], TrainingFinished)
    assert events[-1].reason == "cancelled"
    assert not config.run.out.exists()
    rest = list(train_pipeline(config, stages=StageRange("pretrain", "pretrain")))
    steps = [event for event in rest if isinstance(event, StepDone)]
    assert steps[0].step == 4
    whole = [event for event in finished[1] if isinstance(event, StepDone)][STEPS - 1]
    assert steps[-1].loss == pytest.approx(whole.loss, abs=1e-6)


@pytest.mark.parametrize("stage", ["collect", "tokenizer", "shards"])
def test_preparation_stops_when_asked(
    tmp_path: Path, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gptdesk.training.preparation._REPORT_SECONDS", 0.0)
    config, flag = config_in(tmp_path), CancelAfter()
    events = []
    for event in train_pipeline(config, flag, StageRange(last="shards")):
        events.append(event)
        flag.now = isinstance(event, StageProgress) and event.stage == stage
    assert isinstance(events[-1], TrainingFinished)
    assert events[-1].reason == "cancelled"
    again = list(train_pipeline(config, stages=StageRange(last="shards")))
    assert isinstance(again[-1], TrainingFinished)
    assert again[-1].reason == "done"


def test_what_training_writes_is_no_text_to_learn(tmp_path: Path) -> None:
    config = config_in(tmp_path)
    config = replace(config, data=DataSettings(train=(str(tmp_path),)), instruct=InstructSettings())
    config = replace(config, data=replace(config.data, undecodable="skip"))
    until = StageRange(last="shards")
    list(train_pipeline(config, stages=until))
    (config.run.work_folder / "metrics.jsonl").write_text('{"text": "loss"}\n')
    again = list(train_pipeline(config, stages=until))
    assert stages_of(again)["shards"] == "unchanged"


def test_held_out_files_are_not_learnt(tmp_path: Path) -> None:
    config = config_in(tmp_path)
    texts = str(tmp_path / "texts")
    data = DataSettings(train=(texts,), validation=(f"{texts}/notes",))
    config = replace(config, data=data)
    list(train_pipeline(config, stages=StageRange(last="shards")))
    train, validation = open_shards(config, WorkFolder(config.run.work_folder))
    assert validation.index.documents == 10
    assert [shards.index.documents for shards, _ in train] == [20]


def test_an_empty_corpus_is_an_error(tmp_path: Path) -> None:
    config = config_in(tmp_path)
    shutil.rmtree(tmp_path / "texts")
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "empty.txt").write_text("\n \n")
    with pytest.raises(TrainingError, match="no document to train on"):
        list(train_pipeline(config))


def test_one_short_text_is_enough(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("Rain fell.")
    config = config_in(tmp_path / "rest")
    config = replace(
        config,
        data=DataSettings(train=(str(tmp_path / "note.txt"),)),
        instruct=InstructSettings(),
        schedule=ScheduleSettings(epochs=2),
    )
    events = list(train_pipeline(config))
    warnings = [event.message for event in events if isinstance(event, TrainingWarning)]
    assert "Nothing is held out: the figures of training will be too good." in warnings
    gptdesk.inspect(config.run.out)


def test_a_tokenizer_may_be_brought_along(finished: Finished, tmp_path: Path) -> None:
    config = config_in(tmp_path)
    brought = TokenizerSettings(path=str(finished[0].run.out))
    list(train_pipeline(replace(config, tokenizer=brought), stages=StageRange(last="shards")))
    ours = (config.run.work_folder / "tokenizer" / "tokenizer.json").read_bytes()
    assert ours == (finished[0].run.out / "tokenizer.json").read_bytes()
    absent = TokenizerSettings(path=str(tmp_path / "nowhere"))
    with pytest.raises(TrainingError, match=r"no tokenizer\.json"):
        list(train_pipeline(replace(config, tokenizer=absent)))


def test_stages_are_named_and_ordered() -> None:
    with pytest.raises(OptionError, match='"shard" is no stage'):
        StageRange(first="shard")
    with pytest.raises(OptionError, match="comes after"):
        StageRange("save", "collect")


def test_two_runs_do_not_share_a_folder(tmp_path: Path) -> None:
    config = config_in(tmp_path)
    running = train_pipeline(config)
    next(running)
    with pytest.raises(TrainingError, match="Another training"):
        list(train_pipeline(config))
    running.close()
