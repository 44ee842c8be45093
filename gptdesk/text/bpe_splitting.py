"""How byte-level BPE vocabularies cut text into words before merging, by the names GGUF uses.

A GGUF file holds tokens and merges, but of the cutting only a name, `tokenizer.ggml.pre`; the
patterns are those of the tokenizer.json files of the models that the names come from. Cutting
otherwise gives a model tokens that it hardly ever saw.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import normalizers, pre_tokenizers

_ENDINGS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_WORD = r"[^\r\n\p{L}\p{N}]?\p{L}+"
_SIGNS = r" ?[^\s\p{L}\p{N}]+[\r\n]*"
_SIGNS_AND_SLASH = r" ?[^\s\p{L}\p{N}]+[\r\n/]*"
_SPACES = r"\s*[\r\n]+|\s+(?!\S)|\s+"
_UPPER, _LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_CAPITALIZED = rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}*{_LOWER}+"
_CAPITALS = rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}+{_LOWER}*"
_DIGIT, _DIGITS_BY_THREE = r"\p{N}", r"\p{N}{1,3}"

_THREE_DIGITS = f"{_ENDINGS}|{_WORD}|{_DIGITS_BY_THREE}|{_SIGNS}|{_SPACES}"
_ONE_DIGIT = f"{_ENDINGS}|{_WORD}|{_DIGIT}|{_SIGNS}|{_SPACES}"
_CASES = (
    f"{_CAPITALIZED}{_ENDINGS}?|{_CAPITALS}{_ENDINGS}?|{_DIGITS_BY_THREE}|"
    f"{_SIGNS_AND_SLASH}|{_SPACES}"
)
_CASES_ONLY = f"{_CAPITALIZED}|{_CAPITALS}|{_DIGIT}|{_SIGNS_AND_SLASH}|{_SPACES}"


@dataclass(frozen=True, slots=True)
class Splitting:
    """One way to cut.

    Attributes:
        pattern: a word, as a regular expression; "" for GPT-2's, which the library knows.
        single_digits: digits are cut apart first.
        composed: characters are composed (NFC) first.
        whole_words: a word that is a token is never merged from parts.
        starts: a beginning-of-text token comes first, unless the file says otherwise.
    """

    pattern: str = ""
    single_digits: bool = False
    composed: bool = False
    whole_words: bool = False
    starts: bool = False

    def normalizer(self) -> normalizers.Normalizer | None:
        """What happens to the text before it is cut."""
        from tokenizers import normalizers

        return normalizers.NFC() if self.composed else None

    def pre_tokenizer(self) -> pre_tokenizers.PreTokenizer:
        """The cutting, and the writing of bytes as characters."""
        from tokenizers import Regex, pre_tokenizers

        steps: list[pre_tokenizers.PreTokenizer] = []
        if self.single_digits:
            steps.append(pre_tokenizers.Digits(individual_digits=True))
        if self.pattern:
            steps.append(pre_tokenizers.Split(Regex(self.pattern), "isolated"))
        steps.append(pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=not self.pattern))
        return pre_tokenizers.Sequence(steps) if len(steps) > 1 else steps[0]


_LLAMA3 = Splitting(_THREE_DIGITS, whole_words=True, starts=True)

SPLITTINGS = {
    **dict.fromkeys(("gpt-2", "gpt2"), Splitting()),
    **dict.fromkeys(("smollm", "refact", "starcoder"), Splitting(single_digits=True)),
    **dict.fromkeys(("llama3", "llama-v3", "llama-bpe", "falcon3"), _LLAMA3),
    **dict.fromkeys(("dbrx", "smaug-bpe"), Splitting(_THREE_DIGITS)),
    **dict.fromkeys(("qwen2", "deepseek-r1-qwen"), Splitting(_ONE_DIGIT, composed=True)),
    "gpt-4o": Splitting(_CASES),
    "tekken": Splitting(_CASES_ONLY, whole_words=True, starts=True),
}
"""By the value of `tokenizer.ggml.pre`."""
