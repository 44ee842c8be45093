"""A loaded model with a LoRA adapter: put on, switched, exchanged, saved, exported."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import gptdesk
from gptdesk.cancel import ThreadCancelFlag
from gptdesk.errors import Cancelled, CheckpointError, EngineError, OptionError
from gptdesk.generation.events import Progress
from gptdesk.generation.sampling import Sampling
from gptdesk.session import Model, load_model
from tests.helpers import adapters, checkpoints

GREEDY = Sampling(temperature=0, max_new_tokens=12)
IDS = [(7 * n + 3) % 800 for n in range(40)]


@pytest.fixture(scope="module")
def adapter_dir(tiny_llama_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("adapters") / "letters"
    return adapters.write(tiny_llama_dir, folder, r=4, target_modules="all-linear")


@pytest.fixture(scope="module")
def gpt2_adapter_dir(tiny_gpt2_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("adapters") / "gpt2-letters"
    return adapters.write(tiny_gpt2_dir, folder, r=4, target_modules=["c_attn", "wte"])


@pytest.fixture
def adapted(tiny_llama_dir: Path, adapter_dir: Path) -> Iterator[Model]:
    with contextlib.closing(load_model(tiny_llama_dir, adapter=adapter_dir)) as model:
        yield model


@pytest.fixture(scope="module")
def plain(tiny_llama_dir: Path) -> Iterator[Model]:
    with contextlib.closing(load_model(tiny_llama_dir)) as model:
        yield model


def tokens(model: Model) -> list[int]:
    return [token.id for token in model.generate("The lighthouse keeper", GREEDY)]


def test_it_computes_what_peft_computes(
    adapted: Model, tiny_llama_dir: Path, adapter_dir: Path
) -> None:
    wanted = adapters.reference_logits(tiny_llama_dir, adapter_dir, IDS)
    assert adapters.difference(adapted.logits(IDS), wanted) <= 2e-4
    assert adapted.adapter is not None
    assert (adapted.adapter.name, adapted.adapter.ranks) == ("letters", (4,))
    assert adapted.adapter_enabled
    assert adapted.warnings == []


def test_off_is_the_model_bit_for_bit(adapted: Model, plain: Model) -> None:
    on = adapted.logits(IDS)
    adapted.adapter_enabled = False
    assert np.array_equal(adapted.logits(IDS), plain.logits(IDS))
    adapted.adapter_enabled = True
    assert np.array_equal(adapted.logits(IDS), on)
    adapted.remove_adapter()
    assert adapted.adapter is None
    assert not adapted.adapter_enabled
    assert np.array_equal(adapted.logits(IDS), plain.logits(IDS))
    adapted.remove_adapter()


def test_a_switch_forgets_what_was_read(adapted: Model, plain: Model) -> None:
    tokens(adapted)
    adapted.adapter_enabled = False
    assert adapted.engine.length == 0
    assert tokens(adapted) == tokens(plain)
    adapted.adapter_enabled = True
    on = tokens(adapted)
    assert on != tokens(plain)
    adapted.remove_adapter()
    assert tokens(adapted) == tokens(plain)


def test_another_adapter_takes_the_place_of_the_first(
    adapted: Model, tiny_llama_dir: Path, tmp_path: Path
) -> None:
    other = adapters.write(tiny_llama_dir, tmp_path / "other", r=2, target_modules=["q_proj"])
    adapted.load_adapter(other)
    wanted = adapters.reference_logits(tiny_llama_dir, other, IDS)
    assert adapters.difference(adapted.logits(IDS), wanted) <= 2e-4
    assert adapted.adapter is not None
    assert adapted.adapter.name == "other"


def test_a_wrong_adapter_changes_nothing(
    adapted: Model, gpt2_adapter_dir: Path, tmp_path: Path
) -> None:
    before, on = tokens(adapted), adapted.adapter
    with pytest.raises(CheckpointError, match="does not fit this model"):
        adapted.load_adapter(gpt2_adapter_dir)
    with pytest.raises(CheckpointError, match="no adapter at"):
        adapted.load_adapter(tmp_path / "nothing")
    flag = ThreadCancelFlag()
    flag.set()
    assert on is not None
    with pytest.raises(Cancelled):
        adapted.load_adapter(on.path, cancel=flag)
    assert adapted.adapter is on
    assert tokens(adapted) == before


def test_a_wrong_adapter_is_told_before_weights_are_read(
    tiny_llama_dir: Path, gpt2_adapter_dir: Path
) -> None:
    with pytest.raises(CheckpointError, match="does not fit this model"):
        load_model(
            tiny_llama_dir,
            adapter=gpt2_adapter_dir,
            progress=lambda progress: pytest.fail(f"read {progress}"),
        )


def test_only_the_torch_engine_takes_one(
    tiny_llama_dir: Path, adapter_dir: Path, tmp_path: Path
) -> None:
    with pytest.raises(OptionError, match="fake engine puts no adapter"):
        load_model(tiny_llama_dir, engine="fake", adapter=adapter_dir)
    with (
        contextlib.closing(load_model(tiny_llama_dir, engine="fake")) as fake,
        pytest.raises(OptionError, match="fake engine"),
    ):
        fake.load_adapter(adapter_dir)


def test_nothing_can_be_switched_without_one(plain: Model) -> None:
    with pytest.raises(EngineError, match="no adapter"):
        plain.adapter_enabled = True


def test_a_model_that_writes_is_not_switched(adapted: Model) -> None:
    running = adapted.generate("The keeper", GREEDY)
    next(running)
    with pytest.raises(EngineError, match="busy"):
        adapted.adapter_enabled = False
    with pytest.raises(EngineError, match="busy"):
        adapted.remove_adapter()
    running.close()
    adapted.adapter_enabled = False


def test_saving_merges_what_is_switched_on(adapted: Model, plain: Model, tmp_path: Path) -> None:
    on = adapted.logits(IDS)
    gptdesk.save(adapted, tmp_path / "merged")
    adapted.adapter_enabled = False
    gptdesk.save(adapted, tmp_path / "base")
    for folder, wanted in (("merged", on), ("base", plain.logits(IDS))):
        assert difference_from_reference(tmp_path / folder, wanted) <= 2e-4
    adapted.adapter_enabled = True
    assert np.array_equal(adapted.logits(IDS), on)


def test_a_tied_model_is_saved_untied_where_the_adapter_parts_the_two(
    tiny_gpt2_dir: Path, gpt2_adapter_dir: Path, tmp_path: Path
) -> None:
    with contextlib.closing(load_model(tiny_gpt2_dir, adapter=gpt2_adapter_dir)) as model:
        on = model.logits(IDS)
        gptdesk.save(model, tmp_path / "merged")
    assert difference_from_reference(tmp_path / "merged", on) <= 2e-4
    with contextlib.closing(load_model(tmp_path / "merged")) as merged:
        assert not merged.config.tied_embeddings
        assert adapters.difference(merged.logits(IDS), on) <= 1e-5


def test_an_export_has_the_adapter_in_its_weights(
    tiny_gpt2_dir: Path, gpt2_adapter_dir: Path, tmp_path: Path
) -> None:
    report = gptdesk.export_onnx(tiny_gpt2_dir, tmp_path / "onnx", adapter=gpt2_adapter_dir)
    assert report.greedy_equal
    wanted = adapters.reference_logits(tiny_gpt2_dir, gpt2_adapter_dir, IDS)
    with contextlib.closing(load_model(tmp_path / "onnx")) as model:
        assert adapters.difference(model.logits(IDS), wanted) <= 2e-4
        with pytest.raises(OptionError, match="onnx engine puts no adapter"):
            model.load_adapter(gpt2_adapter_dir)
    with pytest.raises(OptionError, match="onnx engine puts no adapter"):
        load_model(tmp_path / "onnx", adapter=gpt2_adapter_dir)


def test_progress_counts_the_bytes_of_the_adapter(
    plain: Model, tiny_llama_dir: Path, adapter_dir: Path
) -> None:
    seen: list[Progress] = []
    with contextlib.closing(
        load_model(tiny_llama_dir, adapter=adapter_dir, progress=seen.append)
    ) as model:
        assert model.adapter is not None
        assert (seen[-1].done, seen[-1].detail) == (model.adapter.bytes_on_disk, "letters")
        assert seen[-1].total == seen[-1].done


def test_a_base_of_another_name_is_warned_about(
    tiny_llama_dir: Path, adapter_dir: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(adapter_dir, tmp_path / "a")
    adapters.set_options(folder, base_model_name_or_path="someone/Other-7B")
    with contextlib.closing(load_model(tiny_llama_dir, adapter=folder)) as model:
        assert len(model.warnings) == 1
        assert "someone/Other-7B" in model.warnings[0]
        model.remove_adapter()
        assert model.warnings == []
    adapters.set_options(folder, base_model_name_or_path="someone/Tiny_Llama-v2")
    with contextlib.closing(load_model(tiny_llama_dir, adapter=folder)) as model:
        assert model.warnings == []


def difference_from_reference(folder: Path, wanted: np.ndarray) -> float:
    import torch

    with torch.no_grad():
        logits = checkpoints.load_reference(folder)(torch.tensor([IDS])).logits[0].numpy()
    return adapters.difference(logits, wanted)
