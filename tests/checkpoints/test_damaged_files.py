"""Every file of every format, cut short, with bits flipped and bytes put in or taken out.

Whatever comes of it is the one error, which says in words which file it is about, or the model that
was there before: headers are redundant enough. Of config.json and the keys of GGUF files, which are
not, only another shape may come.
"""

from __future__ import annotations

import pickle
import shutil
import string
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gptdesk.checkpoints.companions import load_tokenizer
from gptdesk.checkpoints.folder import resolve_folder
from gptdesk.checkpoints.gguf_header import read_gguf_header
from gptdesk.checkpoints.inspection import inspect_model
from gptdesk.checkpoints.loader import load_gpt
from gptdesk.errors import GptDeskError
from gptdesk.model.gpt import GPT
from tests.helpers import nanogpt
from tests.helpers.damage import INDEX, WEIGHTS, refused
from tests.helpers.gguf_files import write_gguf
from tests.helpers.pickles import PICKLE, PICKLE_INDEX, pickled_twin
from tests.text.chat_templates_for_tests import QWEN25

MEMORY = 512 << 20  # more than this no damage to a file of 1 MB may cost
EXAMPLES = 20
LETTERS = "\n !,.?" + string.ascii_letters + "é灯塔"
Damage = list[tuple[float, str, int]]


@pytest.fixture(scope="module")
def models(
    tiny_llama_dir: Path, tiny_llama_sharded_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """A model in every format."""
    root = tmp_path_factory.mktemp("whole")
    (root / "nano").mkdir()
    letters = {"itos": dict(enumerate(LETTERS)), "stoi": {c: i for i, c in enumerate(LETTERS)}}
    (root / "nano" / "meta.pkl").write_bytes(pickle.dumps({"vocab_size": len(LETTERS), **letters}))
    nanogpt.NanoGPT().save(root / "nano" / "ckpt.pt", masks=True)
    (root / "gguf").mkdir()
    whole = Path(shutil.copytree(tiny_llama_dir, root / "whole"))
    settings_text = '{"eos_token_id": [0, 2], "bos_token_id": 0, "temperature": 0.7}'
    (whole / "generation_config.json").write_text(settings_text, "utf-8")
    (whole / "chat_template.jinja").write_text(QWEN25, "utf-8")
    return {
        "safetensors": whole,
        "shards": tiny_llama_sharded_dir,
        "pickle": pickled_twin(tiny_llama_dir, root / "pickle"),
        "pickled shards": pickled_twin(tiny_llama_dir, root / "pickles", shards=3),
        "nanogpt": root / "nano",
        "gguf": write_gguf(tiny_llama_dir, root / "gguf" / "model.gguf").parent,
    }


def header_bytes(path: Path) -> tuple[int, int]:
    """How long the part of a file in front of its numbers is, and the part behind them."""
    data = path.read_bytes()
    if path.suffix == ".safetensors":
        return 8 + int.from_bytes(data[:8], "little"), 0
    if path.suffix == ".gguf":
        return min(entry.offset for entry in read_gguf_header(path).tensors.values()), 0
    if path.suffix in (".bin", ".pt"):
        return data.index(b"/byteorder"), len(data) - data.index(b"PK\1\2")
    return len(data), 0


def damaged(data: bytes, spans: tuple[int, int], damage: Damage) -> bytes:
    """`data` with each piece of damage, in what stands in front of the numbers or behind them."""
    for place, how, bit in damage:
        at = int(place * sum(spans))
        at = min(at if at < spans[0] else len(data) - sum(spans) + at, len(data))
        if how == "flip":
            data = data[:at] + bytes(byte ^ 1 << bit for byte in data[at : at + 1]) + data[at + 1 :]
        elif how == "out":
            data = data[:at] + data[at + 1 + bit :]
        elif how == "in":
            data = data[:at] + bytes([255, 0, 57])[: 1 + bit % 3] * (1 + bit) + data[at:]
        else:
            data = data[: int(place * len(data))]
    return data


DAMAGE = st.lists(
    st.tuples(
        st.floats(0, 1, exclude_max=True),
        st.sampled_from(["flip", "flip", "flip", "out", "in", "end"]),
        st.integers(0, 7),
    ),
    min_size=1,
    max_size=4,
)


def outcome(folder: Path) -> GPT | GptDeskError:
    try:
        inspect_model(folder)
        resolved = resolve_folder(folder)
        gpt, _ = load_gpt(resolved)
        tokenizer = load_tokenizer(resolved)
        tokenizer.decode(tokenizer.encode("A café, 灯塔."))
        if tokenizer.chat_template is not None:
            tokenizer.encode_prompt(tokenizer.chat_prompt([{"role": "user", "content": "Hello."}]))
    except GptDeskError as error:
        return error
    return gpt


def peak_bytes() -> int:
    """The most memory that this process ever had; 0 where the system counts otherwise or not."""
    if sys.platform != "linux":
        return 0
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def same(one: GPT, other: GPT) -> bool:
    theirs = other.state_dict()
    return all(torch.equal(value, theirs[name]) for name, value in one.state_dict().items())


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("safetensors", WEIGHTS),
        ("safetensors", "config.json"),
        ("safetensors", "generation_config.json"),
        ("safetensors", "tokenizer.json"),
        ("safetensors", "tokenizer_config.json"),
        ("safetensors", "chat_template.jinja"),
        ("nanogpt", "meta.pkl"),
        ("shards", INDEX),
        ("pickle", PICKLE),
        ("pickled shards", PICKLE_INDEX),
        ("nanogpt", "ckpt.pt"),
        ("gguf", "model.gguf"),
    ],
)
def test_the_model_that_was_there_or_an_error(
    models: dict[str, Path], kind: str, name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    source = models[kind]
    whole = outcome(source)
    assert isinstance(whole, GPT)
    spans = header_bytes(source / name)
    folder = Path(shutil.copytree(source, tmp_path_factory.mktemp("damaged") / "model"))

    @settings(max_examples=EXAMPLES)
    @given(damage=DAMAGE)
    def judge(damage: Damage) -> None:
        (folder / name).write_bytes(damaged((source / name).read_bytes(), spans, damage))
        found = outcome(folder)
        if isinstance(found, GPT):
            assert found.config != whole.config or same(found, whole)
        else:
            assert found.hint
            assert name in found.title or str(folder) in found.title, found.title

    before = peak_bytes()
    judge()
    assert peak_bytes() - before < MEMORY


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("safetensors", WEIGHTS),
        ("safetensors", "config.json"),
        ("pickle", PICKLE),
        ("gguf", "model.gguf"),
    ],
)
def test_what_is_downloaded_in_place_of_a_file(
    models: dict[str, Path], kind: str, name: str, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(models[kind], tmp_path / "model"))
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 267\n"
    for content, told in ((pointer, "Git LFS"), ("\n<!DOCTYPE html><html>", "web page")):
        (folder / name).write_text(content, "ascii")
        message = refused(folder)
        assert name in message
        assert told in message
