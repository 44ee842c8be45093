"""The public functions on real tiny checkpoints."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import gptdesk
from gptdesk.cancel import ThreadCancelFlag
from gptdesk.errors import EngineError, ExportError, NotBuiltError, OptionError
from gptdesk.generation.events import Event, Finished, Text
from gptdesk.session import Model
from tests.helpers.checkpoints import load_reference


@pytest.fixture(scope="module")
def model(tiny_llama_dir: Path) -> Iterator[Model]:
    with contextlib.closing(gptdesk.load(tiny_llama_dir)) as loaded:
        yield loaded


def text_of(events: Iterator[Event]) -> tuple[str, Finished]:
    seen = list(events)
    assert isinstance(seen[-1], Finished)
    assert all(isinstance(event, Text) or not event.text for event in seen)
    return "".join(event.text for event in seen), seen[-1]


def test_a_file_in_the_folder_will_do(tiny_llama_dir: Path) -> None:
    with contextlib.closing(gptdesk.load(str(tiny_llama_dir / "config.json"))) as loaded:
        assert loaded.path == tiny_llama_dir


def test_inspect_reads_headers(tiny_gpt2_dir: Path, model: Model, tiny_llama_dir: Path) -> None:
    assert gptdesk.inspect(tiny_gpt2_dir).architecture == "gpt2"
    assert gptdesk.inspect(tiny_llama_dir).parameters == model.config.num_parameters


def test_a_saved_model_is_the_same_to_transformers(model: Model, tmp_path: Path) -> None:
    import torch

    gptdesk.save(model, tmp_path / "saved")
    ids = model.tokenizer.encode("The lighthouse keeper wrote a letter.")
    with torch.inference_mode():
        reference = load_reference(tmp_path / "saved")(torch.tensor([ids])).logits[0].numpy()
    difference = np.abs(reference - model.logits(ids)).max() / np.abs(reference).max()
    assert difference <= 2e-4


def test_an_engine_without_weights_cannot_be_saved(tiny_llama_dir: Path, tmp_path: Path) -> None:
    with (
        contextlib.closing(gptdesk.load(tiny_llama_dir, engine="fake")) as fake,
        pytest.raises(NotBuiltError, match="fake"),
    ):
        gptdesk.save(fake, tmp_path / "saved")


def test_a_closed_model_cannot_be_saved(tiny_llama_dir: Path, tmp_path: Path) -> None:
    closed = gptdesk.load(tiny_llama_dir)
    closed.close()
    with pytest.raises(EngineError, match="closed"):
        gptdesk.save(closed, tmp_path / "saved")


def test_an_export_writes_the_same_text(model: Model, tmp_path: Path) -> None:
    greedy = gptdesk.Sampling(temperature=0, max_new_tokens=40)
    report = gptdesk.export_onnx(model.path, tmp_path / "onnx")
    assert report.path == tmp_path / "onnx"
    with contextlib.closing(gptdesk.load(report.path)) as exported:
        assert exported.info.name == "onnx"
        assert exported.config == model.config
        for prompt in ("The keeper", "灯塔"):
            expected = [token.id for token in model.generate(prompt, greedy)]
            assert [token.id for token in exported.generate(prompt, greedy)] == expected
    with pytest.raises(NotBuiltError):
        gptdesk.export_onnx(model.path, tmp_path / "int8", precision="int8")
    with pytest.raises(ExportError):
        gptdesk.export_onnx(model.path, tmp_path / "onnx")


def test_continue(model: Model) -> None:
    options = {"length": "page", "max_new_tokens": 9, "seed": 4}
    text, last = text_of(gptdesk.continue_text(model, "The keeper", **options))
    assert last.stats.new_tokens <= 9
    assert text_of(gptdesk.continue_text(model, "The keeper", **options))[0] == text
    values = {"max_new_tokens": 9, "seed": 4}
    again = gptdesk.continue_text(model, "The keeper", length="page", sampling=values)
    assert text_of(again)[0] == text


def test_a_whole_sampling_replaces_the_defaults(model: Model) -> None:
    sampling = gptdesk.Sampling(temperature=0, max_new_tokens=6)
    text, _ = text_of(gptdesk.continue_text(model, "The keeper", length="page", sampling=sampling))
    plain = "".join(token.text for token in model.generate("The keeper", sampling))
    assert plain.startswith(text)
    shorter = gptdesk.continue_text(model, "The keeper", sampling=sampling, max_new_tokens=2)
    assert text_of(shorter)[1].stats.new_tokens <= 2


def test_summarize(model: Model) -> None:
    _, last = text_of(
        gptdesk.summarize(model, "The keeper wrote.", form="headline", max_new_tokens=5)
    )
    assert last.result["form"] == "headline"


def test_translate(model: Model) -> None:
    source = "The keeper wrote 3 letters.\n\n- See https://example.org/a\n"
    text, last = text_of(gptdesk.translate(model, source, target="zh", max_new_tokens=5))
    assert text.count("\n") == source.count("\n")
    assert "https://example.org/a" in text
    assert "3" in text
    assert len(last.result["alignment"]) == 2


def test_rewrite(model: Model) -> None:
    source = "The keeper wrote 3 letters.\n\n- See https://example.org/a\n"
    text, last = text_of(gptdesk.rewrite(model, source, style="simplify", max_new_tokens=5))
    assert text.count("\n") == source.count("\n")
    assert "https://example.org/a" in text
    assert last.result["style"] == "simplify"


def test_a_run_can_be_stopped(model: Model) -> None:
    flag = ThreadCancelFlag()
    flag.set()
    for run in (gptdesk.continue_text, gptdesk.summarize, gptdesk.translate, gptdesk.rewrite):
        assert (
            text_of(run(model, "The keeper wrote a letter.", cancel=flag))[1].reason == "cancelled"
        )


def test_unknown_options_are_named(model: Model) -> None:
    with pytest.raises(OptionError, match="colour"):
        gptdesk.continue_text(model, "The", colour="red")


def test_what_is_not_built_says_so(model: Model) -> None:
    with pytest.raises(NotBuiltError, match="not built yet"):
        gptdesk.classify(model, "The keeper")
