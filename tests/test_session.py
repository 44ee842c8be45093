"""A loaded model: one run at a time, and usable after whatever happens to it."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gptdesk.cancel import ThreadCancelFlag
from gptdesk.checkpoints.folder import resolve_folder
from gptdesk.engines.fake_engine import FakeEngine
from gptdesk.errors import (
    Cancelled,
    CheckpointError,
    ContextOverflowError,
    EngineError,
    NotBuiltError,
    OptionError,
    TokenizerError,
)
from gptdesk.generation.events import Event, Finished, Progress, Started, Text
from gptdesk.generation.sampling import Sampling
from gptdesk.session import Model, load_model
from gptdesk.tasks.profile import ModelProfile
from gptdesk.text.tokenizer import Tokenizer

GREEDY = Sampling(temperature=0, max_new_tokens=12)


@pytest.fixture(scope="module")
def model(tiny_llama_dir: Path) -> Iterator[Model]:
    with contextlib.closing(load_model(tiny_llama_dir)) as loaded:
        yield loaded


@pytest.fixture
def fake(tiny_llama_dir: Path) -> Iterator[Model]:
    """The tiny tokenizer on the engine without a model."""
    with contextlib.closing(fake_model(tiny_llama_dir)) as loaded:
        yield loaded


def fake_model(path: Path, says: str = "") -> Model:
    """The tokenizer of `path` on the engine without a model, which says a text if one is given."""
    folder = resolve_folder(path)
    tokenizer = Tokenizer.from_folder(folder.root, folder.config_data)
    script = tokenizer.encode_plain(says)
    engine = FakeEngine(folder.config.vocab_size, context_length=64, script=script)
    return Model(folder, engine, tokenizer, ModelProfile())


def finished(events: Iterator[Event]) -> Finished:
    *_, last = events
    assert isinstance(last, Finished)
    return last


def test_what_it_says_of_itself(model: Model, tiny_llama_dir: Path) -> None:
    assert model.path == tiny_llama_dir
    assert model.config.architecture == "llama"
    assert model.config.vocab_size == model.info.vocab_size == 800
    assert model.config.context_length == model.info.context_length == 512
    assert model.tokenizer.decode(model.tokenizer.encode("The keeper")) == "The keeper"
    assert model.warnings == []


@pytest.mark.parametrize("length", [1, 7, 300])
def test_logits_do_not_depend_on_chunks_or_history(model: Model, length: int) -> None:
    ids = [(7 * n) % 800 for n in range(length)]
    list(model.generate(ids[:1], GREEDY))
    logits = model.logits(ids)
    assert logits.shape == (length, 800)
    assert logits.dtype == np.float32
    step = model.engine
    step.truncate(0)
    np.testing.assert_allclose(step.extend([*ids], last=1)[0], logits[-1], atol=1e-4)
    np.testing.assert_allclose(model.logits(ids[:1])[0], logits[0], atol=1e-4)


def test_a_text_and_its_ids_give_the_same_tokens(model: Model) -> None:
    text = "The lighthouse keeper"
    from_text = [token.id for token in model.generate(text, GREEDY)]
    assert from_text == [t.id for t in model.generate(model.tokenizer.encode(text), GREEDY)]
    assert len(from_text) <= 12


def test_chat_is_the_template_and_then_generation(model: Model) -> None:
    messages = [{"role": "user", "content": "Hello."}]
    prompt = model.tokenizer.apply_chat_template(messages)
    expected = [token.id for token in model.generate(prompt, GREEDY)]
    assert [token.id for token in model.chat(messages, GREEDY)] == expected


@pytest.mark.parametrize("messages", [[{"role": "user"}], ["Hello."], [None]], ids=str)
def test_chat_messages_are_checked(model: Model, messages: Any) -> None:
    with pytest.raises(OptionError, match="role"):
        model.chat(messages)


@pytest.mark.parametrize("ids", [[1.5], ["a"], [None], 7, [-1], [10**9], []], ids=str)
def test_token_ids_are_checked(model: Model, ids: Any) -> None:
    for use in (model.logits, model.generate):
        with pytest.raises(OptionError, match=r"[Tt]oken"):
            use(ids)


def test_token_ids_may_come_out_of_numpy(model: Model) -> None:
    assert np.array_equal(model.logits(np.array([1, 2])), model.logits([1, 2]))


def test_chat_needs_a_template(tiny_gpt2_dir: Path) -> None:
    with (
        contextlib.closing(load_model(tiny_gpt2_dir, engine="fake")) as plain,
        pytest.raises(TokenizerError, match="chat template"),
    ):
        plain.chat([{"role": "user", "content": "Hello."}])


@pytest.mark.parametrize(
    "ids", [[], [800], [-1]], ids=["no ids", "beyond the vocabulary", "negative"]
)
def test_ids_are_checked(model: Model, ids: list[int]) -> None:
    with pytest.raises(OptionError):
        model.logits(ids)
    with pytest.raises(OptionError):
        model.generate(ids)


def test_a_prompt_longer_than_the_context(model: Model) -> None:
    with pytest.raises(ContextOverflowError):
        list(model.generate([5] * 512, GREEDY))
    with pytest.raises(ContextOverflowError):
        model.logits([5] * 513)
    assert list(model.generate([5] * 500, GREEDY))


def test_a_run_is_started_text_and_finished(model: Model) -> None:
    events = list(model.run("continue", "The keeper", {"length": "sentence"}, {"seed": 1}))
    assert isinstance(events[0], Started)
    assert isinstance(events[-1], Finished)
    assert any(isinstance(event, Text) for event in events)
    stats = events[-1].stats
    assert stats.seed == 1
    assert stats.new_tokens > 0
    assert stats.context_length == 512


def test_a_retry_reads_nothing_again(model: Model) -> None:
    text = "The lighthouse keeper wrote a letter every evening. " * 6
    first = finished(model.run("continue", text, {}, {"seed": 1}))
    retry = finished(model.run("continue", text, {}, {"seed": 2}))
    assert retry.stats.prompt_tokens == first.stats.prompt_tokens
    assert retry.stats.reused_tokens == retry.stats.prompt_tokens - 1
    longer = finished(model.run("continue", text + "She", {}, {"seed": 3}))
    assert longer.stats.reused_tokens >= first.stats.prompt_tokens - 2


def test_the_same_seed_gives_the_same_text(model: Model) -> None:
    def text(seed: int | None) -> tuple[str, int]:
        values = {"seed": seed, "max_new_tokens": 30}
        events = list(model.run("continue", "The keeper", {"length": "page"}, values))
        assert isinstance(events[-1], Finished)
        return "".join(event.text for event in events), events[-1].stats.seed

    drawn, seed = text(None)
    assert text(seed) == (drawn, seed)


def test_values_of_the_person_win(model: Model) -> None:
    last = finished(model.run("continue", "The keeper", {"length": "page"}, {"max_new_tokens": 3}))
    assert last.stats.new_tokens <= 3
    last = finished(model.run("continue", "The keeper", sampling=Sampling(max_new_tokens=2)))
    assert last.stats.new_tokens <= 2


@pytest.mark.parametrize(
    ("task", "options", "sampling", "error"),
    [
        ("continue", {"length": "novel"}, {}, OptionError),
        ("continue", {"size": 1}, {}, OptionError),
        ("continue", {}, {"heat": 1}, OptionError),
        ("continue", {}, {"top_p": 2}, OptionError),
        ("rewrite", {"style": "poem"}, {}, OptionError),
        ("chat", {}, {}, NotBuiltError),
        ("sing", {}, {}, OptionError),
    ],
)
def test_mistakes_are_told_before_anything_runs(
    model: Model,
    task: str,
    options: dict[str, object],
    sampling: dict[str, object],
    error: type[Exception],
) -> None:
    with pytest.raises(error):
        model.run(task, "The keeper", options, sampling)


def test_one_run_at_a_time(fake: Model) -> None:
    first = fake.generate("The keeper", GREEDY)
    next(first)
    with pytest.raises(EngineError, match="busy"):
        next(fake.generate("Another", GREEDY))
    with pytest.raises(EngineError, match="busy"):
        next(fake.run("continue", "Another"))
    with pytest.raises(EngineError, match="busy"):
        fake.logits([1])
    assert next(first)
    first.close()
    assert list(fake.generate("Another", GREEDY))


def test_a_run_that_is_let_go_leaves_the_model_usable(fake: Model) -> None:
    expected = [token.id for token in fake.generate("The keeper", GREEDY)]
    next(fake.run("continue", "Something else altogether"))
    tokens = fake.generate("The boat", GREEDY)
    next(tokens)
    del tokens
    assert [token.id for token in fake.generate("The keeper", GREEDY)] == expected


def test_a_failing_engine_leaves_the_model_usable(
    fake: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = [token.id for token in fake.generate("The keeper", GREEDY)]
    extend, calls = fake.engine.extend, iter(range(100))

    def fails_later(ids: list[int], *, last: int = 1, whole: int = 0) -> object:
        if next(calls) == 4:
            raise EngineError("The device went away.")
        return extend(ids, last=last, whole=whole)

    monkeypatch.setattr(fake.engine, "extend", fails_later)
    with pytest.raises(EngineError, match="went away"):
        list(fake.run("continue", "The boat", sampling={"max_new_tokens": 30}))
    monkeypatch.undo()
    assert [token.id for token in fake.generate("The keeper", GREEDY)] == expected


def test_a_cancel_keeps_what_came(fake: Model) -> None:
    flag = ThreadCancelFlag()
    events = []
    for event in fake.run("continue", "The keeper", {"length": "page"}, {"seed": 1}, flag):
        events.append(event)
        if isinstance(event, Text):
            flag.set()
    assert isinstance(events[-1], Finished)
    assert events[-1].reason == "cancelled"
    assert events[-1].stats.new_tokens <= 2
    flags = [ThreadCancelFlag()]
    flags[0].set()
    assert finished(fake.run("continue", "The keeper", cancel=flags[0])).reason == "cancelled"


def test_a_task_that_has_enough_stops_by_itself(tiny_llama_dir: Path) -> None:
    model = fake_model(tiny_llama_dir, says=" wrote a letter. She walked along the harbour.")
    events = list(model.run("continue", "The keeper", {"length": "sentence"}, {"temperature": 0}))
    assert "".join(event.text for event in events) == " wrote a letter."
    assert isinstance(events[-1], Finished)
    assert events[-1].reason == "stop"
    sentence, harbour = (len(model.tokenizer.encode_plain(t)) for t in (" wrote a letter.", " She"))
    assert sentence < events[-1].stats.new_tokens <= sentence + harbour


def test_a_closed_model(tiny_llama_dir: Path) -> None:
    closed = load_model(tiny_llama_dir, engine="fake")
    closed.close()
    closed.close()
    for use in (
        lambda: list(closed.generate("The", GREEDY)),
        lambda: list(closed.run("continue", "The")),
        lambda: closed.logits([1]),
    ):
        with pytest.raises(EngineError, match="closed"):
            use()


def test_loading_reports_bytes_and_can_be_stopped(tiny_llama_dir: Path) -> None:
    seen: list[Progress] = []
    load_model(tiny_llama_dir, progress=seen.append).close()
    assert seen[-1].done == seen[-1].total > 0
    flag = ThreadCancelFlag()
    flag.set()
    with pytest.raises(Cancelled):
        load_model(tiny_llama_dir, cancel=flag)


def test_a_model_without_an_end_is_warned_about(tiny_gpt2_dir: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_gpt2_dir, tmp_path / "endless")
    for name in ("config.json", "generation_config.json", "tokenizer_config.json"):
        data = json.loads((folder / name).read_text("utf-8"))
        for key in ("eos_token_id", "eos_token"):
            data.pop(key, None)
        (folder / name).write_text(json.dumps(data), encoding="utf-8")
    with contextlib.closing(load_model(folder)) as endless:
        assert any("ends a text" in warning for warning in endless.warnings)
        assert len(list(endless.generate("The", GREEDY))) == 12


def test_a_tokenizer_larger_than_the_embedding(tiny_gpt2_dir: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_gpt2_dir, tmp_path / "large-tokenizer")
    path = folder / "tokenizer.json"
    data = json.loads(path.read_text("utf-8"))
    token = {**data["added_tokens"][0], "id": 900, "content": "<|beyond|>"}
    data["added_tokens"].append(token)
    data["model"]["vocab"]["<|beyond|>"] = 900
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(TokenizerError):
        load_model(folder)


def test_a_broken_profile_is_told_before_weights_are_read(
    tiny_gpt2_dir: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(tiny_gpt2_dir, tmp_path / "broken-profile")
    (folder / "gptdesk.json").write_text("{", encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"gptdesk\.json"):
        load_model(folder, progress=lambda progress: pytest.fail(f"read {progress}"))
