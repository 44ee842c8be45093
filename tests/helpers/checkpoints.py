"""Tiny checkpoints with random weights, written by `transformers` in the layout users download.

They are small (three layers, 64 channels) but not degenerate: biases and norm weights are moved away from
their initial zeros and ones, and the weights are wide enough for greedy decoding to have clear winners, so that
a transposed matrix or a forgotten bias changes the text. All of it is seeded.

`transformers` belongs to the tests; the app never imports it.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

if TYPE_CHECKING:
    from transformers import PreTrainedModel

END_OF_TEXT = "<|endoftext|>"
TURN_START = "<|im_start|>"
TURN_END = "<|im_end|>"

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)

VOCAB_SIZE = 800

TOKENIZER_TEXT = [
    "The lighthouse keeper wrote a letter every evening, though no boat came to carry it away.",
    "When the storm was over, she walked along the harbour and counted the lamps that still burned.",
    "A good sentence is a small machine: it has few parts, and all of them move.",
    "Readers forgive a slow beginning; they do not forgive an ending that was never prepared.",
    "In 1962 the ferry carried 48,317 passengers; ten years later the bridge had taken nearly all of them.",
    "See https://example.org/notes?page=2 for the minutes of the meeting held on 14 March.",
    "It's what they'd have said, isn't it? \u201cPerhaps,\u201d he answered \u2014 caf\u00e9, na\u00efve, \u00fcber, 20 \u20ac.",
    "def count(words):\n    return len(words.split())\n",
    "灯塔看守人每天晚上都写一封信，虽然没有船来把它带走。",
    "暴风雨过后，她沿着港口散步，数着还亮着的灯。",
    "一个好句子是一台小机器：零件很少，但每个零件都在动。",
    "读者可以原谅缓慢的开头，却不会原谅没有准备的结尾。",
    "请把下面的文字翻译成中文，并用三句话概括文章的主要内容。",
    "Emoji and rare signs: 🙂🚢 ½ ∑ Ω ж ي",
]

_LLAMA_SHAPE = {
    "vocab_size": VOCAB_SIZE,
    "max_position_embeddings": 512,
    "hidden_size": 64,
    "intermediate_size": 176,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "initializer_range": 0.12,
    "rms_norm_eps": 1e-5,
    "bos_token_id": 0,
    "eos_token_id": 0,
}


def train_tokenizer(vocab_size: int = VOCAB_SIZE) -> Tokenizer:
    """Train a byte-level BPE of at most `vocab_size` ids; ids 0, 1, 2 are the special tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[END_OF_TEXT, TURN_START, TURN_END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TOKENIZER_TEXT, trainer)
    return tokenizer


def write_tokenizer(folder: Path, *, chat: bool = False, context_length: int = 256) -> Tokenizer:
    """Write tokenizer.json and tokenizer_config.json into `folder`; with `chat`, a ChatML template too."""
    tokenizer = train_tokenizer()
    tokenizer.save(str(folder / "tokenizer.json"))
    config: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": context_length,
        "bos_token": END_OF_TEXT,
        "eos_token": END_OF_TEXT,
        "unk_token": None,
        "clean_up_tokenization_spaces": False,
    }
    if chat:
        config["chat_template"] = CHAT_TEMPLATE
    text = json.dumps(config, indent=2, ensure_ascii=False)
    (folder / "tokenizer_config.json").write_text(text, encoding="utf-8")
    return tokenizer


def write_gpt2(folder: Path, *, seed: int = 1, max_shard_size: str = "5GB", **changes: Any) -> Path:
    """Write a GPT-2 checkpoint: learned positions, biases everywhere, tied output, context 256.

    `changes` override keys of `GPT2Config`. Returns `folder`, which is created.
    """
    from transformers import GPT2Config, GPT2LMHeadModel

    settings = {
        "vocab_size": VOCAB_SIZE,
        "n_positions": 256,
        "n_embd": 64,
        "n_layer": 3,
        "n_head": 4,
        "initializer_range": 0.12,
        "bos_token_id": 0,
        "eos_token_id": 0,
    }
    config = GPT2Config(**{**settings, **changes})
    return _write(folder, GPT2LMHeadModel, config, seed, max_shard_size, chat=False)


def write_llama(
    folder: Path,
    *,
    tied: bool = False,
    seed: int = 2,
    max_shard_size: str = "5GB",
    chat: bool = True,
    **changes: Any,
) -> Path:
    """Write a Llama checkpoint: rotary positions, 4 query heads on 2 key-value heads, context 512.

    `changes` override keys of `LlamaConfig`. Returns `folder`, which is created.
    """
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(**{**_LLAMA_SHAPE, "tie_word_embeddings": tied, **changes})
    return _write(folder, LlamaForCausalLM, config, seed, max_shard_size, chat=chat)


def write_like_llama(folder: Path, model_type: str, *, seed: int = 4, **changes: Any) -> Path:
    """Write a checkpoint of another family whose config has the keys of Llama's, in the same shape.

    `changes` override keys of its config class. Returns `folder`, which is created.
    """
    return write_family(folder, model_type, {**_LLAMA_SHAPE, **changes}, seed=seed)


def write_family(folder: Path, model_type: str, settings: dict[str, Any], *, seed: int = 4) -> Path:
    """Write a checkpoint of any family; `settings` are all the keys of its config that count."""
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.for_model(model_type, **settings)
    return _write(folder, AutoModelForCausalLM.from_config, config, seed, "5GB", chat=False)


def load_reference(folder: Path, dtype: str = "float32") -> PreTrainedModel:
    """Load `folder` with `transformers` in evaluation mode, to compare logits and greedy text."""
    from transformers import AutoModelForCausalLM

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = AutoModelForCausalLM.from_pretrained(str(folder), dtype=dtype)
    return model.eval()


def _write(
    folder: Path, make_model: Any, config: Any, seed: int, max_shard_size: str, *, chat: bool
) -> Path:
    """Build the model from `config` under `seed`, perturb its vectors and save it with its tokenizer."""
    import torch

    folder.mkdir(parents=True, exist_ok=True)
    context_length = int(config.max_position_embeddings)
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(seed)
        model = make_model(config).eval()
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.ndim == 1:  # biases and norm weights start as zeros and ones
                    parameter.add_(0.2 * torch.randn_like(parameter))
        model.save_pretrained(str(folder), max_shard_size=max_shard_size)
    write_tokenizer(folder, chat=chat, context_length=context_length)
    return folder
