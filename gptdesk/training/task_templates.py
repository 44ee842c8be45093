"""How a trained model is asked for a summary, a translation or a rewriting; importable without torch."""

from __future__ import annotations

from gptdesk.errors import TrainingError
from gptdesk.text.task_template import STYLES
from gptdesk.text.tokenizer import Tokenizer
from gptdesk.training.tokenizer_training import ANSWER, END

CONTROL_TEMPLATES = {
    "continue": END + "{text}",
    "summarize": END + "<|summarize|><|{form}|><|{language}|>{text}" + ANSWER,
    "translate": END + "<|translate|><|{source}|><|{target}|>{text}" + ANSWER,
    "rewrite": END + "<|rewrite|><|{style}|>{text}" + ANSWER,
}
"""How a model is asked whose tokenizer has gptdesk's control tokens."""

WORD_TEMPLATES = {
    "continue": "{text}",
    "summarize": "{text}\n\nSummary ({form}, {language}):\n",
    "translate": "{text}\n\nTranslation ({source} to {target}):\n",
    "rewrite": "{text}\n\nRewritten ({style}):\n",
}
"""The same for a tokenizer that somebody else made."""


def templates_for(tokenizer: Tokenizer) -> dict[str, str]:
    """The templates that suit a tokenizer."""
    needed = {END, ANSWER, "<|summarize|>", "<|translate|>", *(f"<|{style}|>" for style in STYLES)}
    known = {tokenizer.decode([token], skip_special=False) for token in tokenizer.special_ids}
    return CONTROL_TEMPLATES if needed <= known else WORD_TEMPLATES


def end_text(tokenizer: Tokenizer) -> str:
    """The control text that ends a document or an answer.

    Raises:
        TrainingError: the tokenizer has none.
    """
    if not tokenizer.end_ids:
        raise TrainingError(
            "The tokenizer names no token that ends a text.",
            "Use the tokenizer of another model, or let gptdesk train one.",
        )
    return tokenizer.decode([min(tokenizer.end_ids)], skip_special=False)
