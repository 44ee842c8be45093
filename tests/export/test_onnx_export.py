"""`export_onnx`: the folder, its text, and every way in which an export ends early."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gptdesk.checkpoints.folder import resolve_folder
from gptdesk.engines.base import Engine
from gptdesk.engines.onnx_engine import open_onnx
from gptdesk.engines.torch_engine import open_torch
from gptdesk.errors import (
    Cancelled,
    CheckpointError,
    ExportError,
    NotBuiltError,
    OptionError,
)
from gptdesk.export.onnx_export import export_onnx
from gptdesk.export.onnx_format import VARIANTS
from gptdesk.generation.events import Progress
from tests.helpers import checkpoints

FAMILIES = ("tiny_gpt2_dir", "tiny_llama_dir", "tiny_llama_tied_dir", "tiny_llama_sharded_dir")
PROMPT = list(range(40, 70))


def _greedy(engine: Engine, count: int) -> list[int]:
    logits = engine.extend(PROMPT)
    chosen = []
    for _ in range(count):
        chosen.append(int(logits[-1].argmax()))
        logits = engine.extend([chosen[-1]])
    engine.close()
    return chosen


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("family", FAMILIES)
def test_200_tokens_of_greedy_text_equal_torchs(
    family: str, variant: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    source: Path = request.getfixturevalue(family)
    report = export_onnx(source, tmp_path / "out", variant=variant)
    onnx_engine, warnings = open_onnx(resolve_folder(tmp_path / "out"), device="cpu", threads=1)
    torch_engine, _ = open_torch(resolve_folder(source), device="cpu", dtype="fp32")
    assert _greedy(onnx_engine, 200) == _greedy(torch_engine, 200)
    assert (report.greedy_equal, report.variant, report.warnings, warnings) == (
        True,
        variant,
        (),
        [],
    )
    assert 0 < report.max_difference < 1e-5


def test_the_folder_is_complete_and_reported(tiny_llama_dir: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "folder"
    report = export_onnx(tiny_llama_dir, out)
    assert set(report.files) == {file.name for file in out.iterdir()}
    assert {"model.onnx", "model.onnx.data", "config.json", "tokenizer.json"} <= set(report.files)
    assert report.bytes == sum(file.stat().st_size for file in out.iterdir())
    assert (report.path, report.precision) == (out, "fp32")
    assert pickle.loads(pickle.dumps(report)) == report
    original = json.loads((tiny_llama_dir / "config.json").read_bytes())
    extra = {"gptdesk_onnx": {"format_version": 1, "precision": "fp32", "variant": "fast"}}
    assert json.loads((out / "config.json").read_bytes()) == original | extra
    for name in ("tokenizer.json", "tokenizer_config.json"):
        assert (out / name).read_bytes() == (tiny_llama_dir / name).read_bytes()


def test_progress_counts_bytes_up_to_all_of_them(tiny_gpt2_dir: Path, tmp_path: Path) -> None:
    events: list[Progress] = []
    export_onnx(tiny_gpt2_dir, tmp_path / "out", progress=events.append)
    assert [event.stage for event in events] == sorted(
        (event.stage for event in events), key=["loading", "exporting"].index
    )
    exporting = [event for event in events if event.stage == "exporting"]
    assert exporting[0].done == 0
    assert exporting[-1].done == exporting[-1].total > 800_000
    assert [event.done for event in exporting] == sorted(event.done for event in exporting)


def test_a_head_width_that_the_fused_operator_refuses_gives_the_portable_variant(
    tmp_path: Path,
) -> None:
    source = checkpoints.write_llama(tmp_path / "source", hidden_size=48)
    report = export_onnx(source, tmp_path / "out", variant="fast")
    assert report.variant == "portable"
    assert "width 12" in report.warnings[0]


def test_a_giant_context_gives_the_portable_variant(tmp_path: Path) -> None:
    """The fused operator wants the angles of every position in a table, here one of 1 GiB."""
    source = checkpoints.write_llama(tmp_path / "source", max_position_embeddings=1 << 24)
    report = export_onnx(source, tmp_path / "out", variant="fast")
    assert report.variant == "portable"
    assert report.bytes < 3_000_000


def test_an_output_matrix_that_differs_from_the_embedding_is_believed(
    tiny_llama_dir: Path, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    shutil.copytree(tiny_llama_dir, source)
    data = json.loads((source / "config.json").read_bytes()) | {"tie_word_embeddings": True}
    (source / "config.json").write_text(json.dumps(data), encoding="utf-8")
    report = export_onnx(source, tmp_path / "out")
    assert report.warnings
    assert json.loads((tmp_path / "out/config.json").read_bytes())["tie_word_embeddings"] is False


class CancelAt:
    """A cancel flag that is set from its n-th look on."""

    def __init__(self, looks: int) -> None:
        self.left = looks

    def is_set(self) -> bool:
        self.left -= 1
        return self.left < 0


def test_cancel_leaves_nothing_behind_wherever_it_comes(
    tiny_gpt2_dir: Path, tmp_path: Path
) -> None:
    count = CancelAt(10**9)
    export_onnx(tiny_gpt2_dir, tmp_path / "whole", cancel=count)
    looks = 10**9 - count.left
    assert looks > 50, "reading, writing and checking all look at the flag"
    for at in [*range(0, looks, 7), looks - 1]:
        with pytest.raises(Cancelled):
            export_onnx(tiny_gpt2_dir, tmp_path / "part", cancel=CancelAt(at))
        assert [entry.name for entry in tmp_path.iterdir()] == ["whole"]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"precision": "fp16"}, NotBuiltError),
        ({"precision": "int8"}, NotBuiltError),
        ({"precision": "int4"}, NotBuiltError),
        ({"precision": "fp64"}, OptionError),
        ({"variant": "quick"}, OptionError),
    ],
)
def test_options(
    options: dict[str, str], error: type[Exception], tiny_gpt2_dir: Path, tmp_path: Path
) -> None:
    with pytest.raises(error, match=next(iter(options.values()))):
        export_onnx(tiny_gpt2_dir, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_an_export_is_not_exported_again(tiny_gpt2_dir: Path, tmp_path: Path) -> None:
    export_onnx(tiny_gpt2_dir, tmp_path / "out")
    with pytest.raises(ExportError, match="already"):
        export_onnx(tmp_path / "out", tmp_path / "again")


def test_a_broken_source_is_an_error_of_the_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    with pytest.raises(CheckpointError):
        export_onnx(tmp_path / "source", tmp_path / "out")
    assert [entry.name for entry in tmp_path.iterdir()] == ["source"]


def _not_empty(out: Path) -> None:
    out.mkdir()
    (out / "novel.txt").write_text("precious", encoding="utf-8")


def _a_file(out: Path) -> None:
    out.write_text("precious", encoding="utf-8")


@pytest.mark.parametrize("occupy", [_not_empty, _a_file])
def test_an_occupied_destination_is_left_alone(
    occupy: Callable[[Path], None], tiny_gpt2_dir: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    occupy(out)
    with pytest.raises(ExportError, match="not an empty folder") as caught:
        export_onnx(tiny_gpt2_dir, out)
    assert caught.value.hint
    assert "precious" in (out / "novel.txt" if out.is_dir() else out).read_text(encoding="utf-8")
    assert len(list(tmp_path.iterdir())) == 1


def test_a_destination_below_a_file(tiny_gpt2_dir: Path, tmp_path: Path) -> None:
    _a_file(tmp_path / "file")
    with pytest.raises(ExportError, match="not a folder"):
        export_onnx(tiny_gpt2_dir, tmp_path / "file" / "out")


def test_an_empty_destination_is_used(tiny_gpt2_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert export_onnx(tiny_gpt2_dir, tmp_path / "out").files


def test_a_disk_that_refuses_to_grow_the_file(tiny_gpt2_dir: Path, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="only Unix limits the size of files")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, limits[1]))
    try:
        with pytest.raises(ExportError, match="file that large") as caught:
            export_onnx(tiny_gpt2_dir, tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.hint
    assert not list(tmp_path.iterdir())


def test_a_disk_without_room_is_noticed_before_anything_is_read(
    tiny_gpt2_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def usage(_: Any) -> Any:
        return shutil._ntuple_diskusage(10**9, 10**9, 1000)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    events: list[Progress] = []
    with pytest.raises(ExportError, match="MiB left"):
        export_onnx(tiny_gpt2_dir, tmp_path / "out", progress=events.append)
    assert not events
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs Linux's /proc")
def test_a_destination_that_may_not_be_written(tiny_gpt2_dir: Path) -> None:
    """The proc file system takes no folders, not even from the superuser."""
    with pytest.raises(ExportError, match="/proc/out") as caught:
        export_onnx(tiny_gpt2_dir, "/proc/out")
    assert caught.value.hint
