"""What `gptdesk train` reads: one TOML file as frozen dataclasses, torch-free.

    [data] [tokenizer] [model] [optimizer] [schedule] [run] [instruct] [evaluate]
    [experimental] [sampling.TASK] [proofreading]

Relative paths are relative to the file. Every key has a default except `[data] train`,
`[run] out` and a length in `[schedule]`. `example.py` holds a commented file.
"""

from __future__ import annotations

import dataclasses
import os
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from gptdesk.errors import OptionError
from gptdesk.training.result_settings import (
    EvaluateSettings,
    ExperimentalSettings,
    ProofreadingSettings,
    SamplingSettings,
)
from gptdesk.training.tables import Range, Table, read_table

Pattern = Literal["gpt2", "llama3", "qwen2"]
Preset = Literal["5m", "15m", "24m", "60m", "124m"]
Layout = Literal["llama", "gpt2"]
Precision = Literal["auto", "fp32", "bf16", "autocast"]

MAX_FILE_BYTES = 1 << 20
MAX_VOCAB = 1 << 20


@dataclass(frozen=True, kw_only=True)
class SourceSettings(Table):
    """One place that text comes from.

    Attributes:
        path: a file, a folder (read with everything below it) or a glob such as "books/**/*.txt".
        weight: how often its text is seen, compared with a source of weight 1.
        text_key: the key of a .jsonl line that holds the text.
    """

    TABLE: ClassVar[str] = "data.train"
    path: str
    weight: Annotated[float, Range(0.001, 1000)] = 1.0
    text_key: str = "text"


@dataclass(frozen=True, kw_only=True)
class DataSettings(Table):
    """The text to learn from.

    Attributes:
        train: paths, or tables with a path and more.
        validation: text held out, as paths; empty takes a share of `train`.
        validation_fraction: that share; which documents these are depends on their text alone.
        min_chars: shorter documents are left out.
        max_chars: longer ones are cut, at blank lines where there are any.
        separator: a line that stands between documents of one text file.
        undecodable: what to do with a file that is no text in any known encoding.
        deduplicate: leave out documents that were read before, character by character.
    """

    TABLE: ClassVar[str] = "data"
    train: tuple[str | SourceSettings, ...]
    validation: tuple[str | SourceSettings, ...] = ()
    validation_fraction: Annotated[float, Range(0, 0.5)] = 0.01
    min_chars: Annotated[int, Range(1)] = 1
    max_chars: Annotated[int, Range(1000, 16_000_000)] = 100_000
    separator: str = "<|endoftext|>"
    undecodable: Literal["refuse", "skip"] = "refuse"
    deduplicate: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.train:
            raise OptionError(
                "[data] train names no text.", 'Name a folder or files: train = ["my-texts"].'
            )

    @property
    def train_sources(self) -> tuple[SourceSettings, ...]:
        """`train`, bare paths made into tables."""
        return _as_sources(self.train)

    @property
    def validation_sources(self) -> tuple[SourceSettings, ...]:
        """`validation`, bare paths made into tables."""
        return _as_sources(self.validation)


@dataclass(frozen=True, kw_only=True)
class TokenizerSettings(Table):
    """Where the tokenizer comes from.

    Attributes:
        path: a folder with a tokenizer to use, or its tokenizer.json; "" trains one.
        vocab_size: ids of the new tokenizer, the special tokens included; None takes the usual
            number of the preset.
        pattern: how text is split before merging; the three are known to other software.
        special_tokens: further control tokens, after the ones that gptdesk's tasks need.
        sample_chars: text that it is trained on, an equal part of each source.
    """

    TABLE: ClassVar[str] = "tokenizer"
    path: str = ""
    vocab_size: Annotated[int, Range(300, MAX_VOCAB)] | None = None
    pattern: Pattern = "qwen2"
    special_tokens: tuple[str, ...] = ()
    sample_chars: Annotated[int, Range(1000)] = 12_000_000


@dataclass(frozen=True, kw_only=True)
class ModelSettings(Table):
    """The shape of the model: a preset, and keys that replace parts of it.

    Attributes:
        preset: about so many parameters at its usual vocabulary.
        layout: the family whose files the result looks like.
        context_length: tokens that the model can attend to.
        hidden_size, num_layers, num_heads, num_kv_heads, head_dim, intermediate_size: None
            takes the preset's.
        tied: one matrix for input and output embedding; None takes the preset's.
        rope_theta: base of the rotary frequencies of the llama layout.
        name: for the person, in gptdesk.json; "" takes the folder's.
        description: one sentence for the person.
        languages: codes of the languages of the text, for gptdesk.json; each gets a control token.
        dtype: of the weights that are written; training computes as `[run] precision` says.
    """

    TABLE: ClassVar[str] = "model"
    preset: Preset = "15m"
    layout: Layout = "llama"
    context_length: Annotated[int, Range(8, 1 << 20)] = 512
    hidden_size: Annotated[int, Range(8, 1 << 16)] | None = None
    num_layers: Annotated[int, Range(1, 512)] | None = None
    num_heads: Annotated[int, Range(1, 1024)] | None = None
    num_kv_heads: Annotated[int, Range(1, 1024)] | None = None
    head_dim: Annotated[int, Range(2, 1024)] | None = None
    intermediate_size: Annotated[int, Range(8, 1 << 18)] | None = None
    tied: bool | None = None
    rope_theta: Annotated[float, Range(2, 1e11)] = 10_000.0
    name: str = ""
    description: str = ""
    languages: tuple[str, ...] = ()
    dtype: Literal["bf16", "fp32"] = "bf16"


@dataclass(frozen=True, kw_only=True)
class OptimizerSettings(Table):
    """How the weights follow the gradient.

    Attributes:
        name: AdamW for everything, or Muon for the matrices of the blocks and AdamW for the rest.
        learning_rate: its peak; None takes one that suits the size of the model.
        muon_learning_rate: peak for the matrices under Muon; None likewise.
        betas: decay of AdamW's two averages.
        eps: added to AdamW's divisor.
        weight_decay: of matrices only.
        grad_clip: largest norm of the gradient; 0 for no limit.
    """

    TABLE: ClassVar[str] = "optimizer"
    name: Literal["adamw", "muon"] = "adamw"
    learning_rate: Annotated[float, Range(1e-9, 1)] | None = None
    muon_learning_rate: Annotated[float, Range(1e-9, 1)] | None = None
    betas: tuple[Annotated[float, Range(0, 0.99999)], ...] = (0.9, 0.95)
    eps: Annotated[float, Range(1e-20, 1e-2)] = 1e-8
    weight_decay: Annotated[float, Range(0, 1)] = 0.1
    grad_clip: Annotated[float, Range(0)] = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.betas) != 2:
            raise OptionError(
                f"[optimizer] betas has {len(self.betas)} entries.",
                "Give two: betas = [0.9, 0.95].",
            )


@dataclass(frozen=True, kw_only=True)
class ScheduleSettings(Table):
    """How long training takes and how the learning rate changes.

    Attributes:
        kind: a half cosine down from the peak, or warm-up, stable, decay ("wsd").
        warmup_steps: steps until the peak.
        decay_fraction: last share of a "wsd" run, in which the rate falls.
        min_lr_ratio: where the rate ends, as a share of the peak.
        max_steps, tokens, epochs: ways to say how long; the first that is given counts.
        max_minutes: training ends by then, decayed, whatever the others say.
    """

    TABLE: ClassVar[str] = "schedule"
    kind: Literal["cosine", "wsd"] = "wsd"
    warmup_steps: Annotated[int, Range(0)] = 100
    decay_fraction: Annotated[float, Range(0, 1)] = 0.3
    min_lr_ratio: Annotated[float, Range(0, 1)] = 0.0
    max_steps: Annotated[int, Range(1)] | None = None
    tokens: Annotated[int, Range(1)] | None = None
    epochs: Annotated[float, Range(0.001)] | None = None
    max_minutes: Annotated[float, Range(0.001)] | None = None

    @property
    def is_bounded(self) -> bool:
        """Whether any key says how long training takes."""
        return any((self.max_steps, self.tokens, self.epochs, self.max_minutes))


@dataclass(frozen=True, kw_only=True)
class RunSettings(Table):
    """Where and how training runs.

    Attributes:
        out: the folder of the finished model.
        work: where tokens, checkpoints and figures are kept; None is `out` with ".work" added.
        seed: of weights, order and dropout.
        batch_tokens: tokens of one step, all processes together.
        row_tokens: length of a row of the first training; None takes the context length. Shorter
            rows train faster; the second training still sees whole contexts.
        micro_batch: rows of one forward pass; None finds a number that suits.
        precision: "autocast" keeps weights in fp32 and computes in bf16; "bf16" keeps bf16
            weights with an fp32 copy.
        compile: translate the model with torch.compile; takes a minute at the start.
        threads: CPU threads; None leaves it to torch.
        device: "auto", "cpu", "cuda", "cuda:1", "mps".
        mask_documents: attention does not cross from one document to the next in a row.
        sharding: of several processes each has the whole model, or a part of it (FSDP2) where it
            would not fit.
        checkpoint_steps, checkpoint_minutes: a checkpoint whenever either has passed.
        keep: how many checkpoints stay.
        eval_steps: steps between measurements on held-out text.
        eval_rows: rows of held-out text that one measurement reads at most.
        log_steps: steps between lines of figures.
    """

    TABLE: ClassVar[str] = "run"
    out: Path
    work: Path | None = None
    seed: Annotated[int, Range(0, 2**32 - 1)] = 1
    batch_tokens: Annotated[int, Range(8)] = 16_384
    row_tokens: Annotated[int, Range(8)] | None = None
    micro_batch: Annotated[int, Range(1)] | None = None
    precision: Precision = "auto"
    compile: bool = False
    threads: Annotated[int, Range(1, 1024)] | None = None
    device: str = "auto"
    mask_documents: bool = True
    sharding: Literal["replicate", "shard"] = "replicate"
    checkpoint_steps: Annotated[int, Range(1)] | None = None
    checkpoint_minutes: Annotated[float, Range(0.001)] = 10.0
    keep: Annotated[int, Range(1)] = 2
    eval_steps: Annotated[int, Range(1)] = 250
    eval_rows: Annotated[int, Range(1)] = 256
    log_steps: Annotated[int, Range(1)] = 10

    @property
    def work_folder(self) -> Path:
        """Where everything is kept that is not the finished model."""
        return self.work or self.out.with_name(f"{self.out.name}.work")


@dataclass(frozen=True, kw_only=True)
class InstructSettings(Table):
    """The second training, on questions with answers; empty `files` leaves it out.

    Attributes:
        files: .jsonl files whose lines hold {"document", "summary"}, {"src", "tgt", "src_lang",
            "tgt_lang"}, {"text", "rewritten"}, {"messages"} or {"text"} alone; the loss counts the
            answers, and of a {"text"} everything.
        both_directions: translation pairs are learnt from target to source too.
        prompt_share: of the lines, whose questions the loss counts as well: a small model has
            still much to learn from them.
        validation_fraction: share of the lines that is held out.
        learning_rate: peak; None takes a third of the first training's.
        epochs, max_minutes: how long.
        decay_fraction: last share in which the rate falls; None takes that of `[schedule]`.
        batch_tokens: tokens of one step; None takes `[run] batch_tokens`.
    """

    TABLE: ClassVar[str] = "instruct"
    files: tuple[str, ...] = ()
    both_directions: bool = True
    prompt_share: Annotated[float, Range(0, 1)] = 0.0
    validation_fraction: Annotated[float, Range(0, 0.5)] = 0.02
    learning_rate: Annotated[float, Range(1e-9, 1)] | None = None
    epochs: Annotated[float, Range(0.001)] = 2.0
    max_minutes: Annotated[float, Range(0.001)] | None = None
    decay_fraction: Annotated[float, Range(0, 1)] | None = None
    batch_tokens: Annotated[int, Range(8)] | None = None


@dataclass(frozen=True, kw_only=True)
class TrainingConfig(Table):
    """Everything that decides what `gptdesk train` makes."""

    data: DataSettings
    tokenizer: TokenizerSettings = field(default_factory=TokenizerSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    optimizer: OptimizerSettings = field(default_factory=OptimizerSettings)
    schedule: ScheduleSettings = field(default_factory=ScheduleSettings)
    run: RunSettings
    instruct: InstructSettings = field(default_factory=InstructSettings)
    evaluate: EvaluateSettings = field(default_factory=EvaluateSettings)
    experimental: ExperimentalSettings = field(default_factory=ExperimentalSettings)
    sampling: SamplingSettings = field(default_factory=SamplingSettings)
    proofreading: ProofreadingSettings = field(default_factory=ProofreadingSettings)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.schedule.is_bounded:
            raise OptionError(
                "[schedule] does not say how long training takes.",
                "Add epochs, tokens, max_steps or max_minutes, for example `max_minutes = 60`.",
            )
        if (self.run.row_tokens or 0) > self.model.context_length:
            raise OptionError(
                f"[run] row_tokens = {self.run.row_tokens} is more than [model] context_length = "
                f"{self.model.context_length}.",
                "Make the rows shorter or the context longer.",
            )
        self.experimental.check(self.model.languages)

    @property
    def row_tokens(self) -> int:
        """Length of a row of the first training."""
        return self.run.row_tokens or self.model.context_length


def load_config(path: Path) -> TrainingConfig:
    """Read a configuration file; its relative paths are made absolute.

    Raises:
        OptionError: the file is missing or no TOML, or a key or value in it is wrong; the message
            names the file, the key, what was found, what was expected and the nearest valid key.
    """
    data = _parse(path)
    try:
        config = read_table(TrainingConfig, data)
    except OptionError as error:
        raise OptionError(f"{path}: {error.title}", error.hint, error.details) from error
    return _anchored(config, path.resolve().parent)


def _parse(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            text = file.read(MAX_FILE_BYTES + 1)
        if len(text) > MAX_FILE_BYTES:
            raise OptionError(f"{path} is too large for a configuration.", "Give a TOML file.")
        return tomllib.loads(text.decode("utf-8"))
    except OSError as error:
        raise OptionError(
            f"{path} cannot be read: {error.strerror or error}.",
            "`gptdesk train --example > train.toml` writes a file to start from.",
        ) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise OptionError(
            f"{path} is not valid TOML: {error}.", "Correct the line that the message names."
        ) from error


def _as_sources(entries: tuple[str | SourceSettings, ...]) -> tuple[SourceSettings, ...]:
    return tuple(
        entry if isinstance(entry, SourceSettings) else SourceSettings(path=entry)
        for entry in entries
    )


def _anchored(config: TrainingConfig, base: Path) -> TrainingConfig:
    """The same with every path absolute."""

    def at(path: str) -> str:
        return os.path.abspath(base / Path(path).expanduser())  # noqa: PTH100 - links stay links

    def sources(entries: tuple[SourceSettings, ...]) -> tuple[SourceSettings, ...]:
        return tuple(dataclasses.replace(entry, path=at(entry.path)) for entry in entries)

    run, replace = config.run, dataclasses.replace
    return replace(
        config,
        data=replace(
            config.data,
            train=sources(config.data.train_sources),
            validation=sources(config.data.validation_sources),
        ),
        tokenizer=replace(
            config.tokenizer, path=at(config.tokenizer.path) if config.tokenizer.path else ""
        ),
        run=replace(
            run, out=Path(at(str(run.out))), work=Path(at(str(run.work))) if run.work else None
        ),
        instruct=replace(config.instruct, files=tuple(map(at, config.instruct.files))),
    )
