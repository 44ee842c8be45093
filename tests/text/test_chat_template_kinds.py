"""Every kind of chat template: the text is that of the reference library."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

from gptdesk.errors import TokenizerError
from gptdesk.tasks.prompts import chat_prompt
from gptdesk.text.chat_template import ChatTemplate
from gptdesk.text.tokenizer import Tokenizer
from tests.text import tokenizers_for_tests as makes
from tests.text.chat_templates_for_tests import CHATML, KINDS, ODDS_AND_ENDS, QWEN3

Conversation = list[dict[str, Any]]

ASKED: Conversation = [{"role": "user", "content": "  Write me a line. \n"}]
ANSWERED: Conversation = [
    *ASKED,
    {"role": "assistant", "content": "<think>\nA line?\n</think>\n\n灯塔 </s> shines."},
    {"role": "user", "content": "Another,\n\nplease <|im_end|>"},
]
GUIDED: Conversation = [{"role": "system", "content": " Be brief. "}, *ANSWERED]
OPEN: Conversation = [*ANSWERED, {"role": "assistant", "content": "\n<think>hm</think>\nAn"}]
THOUGHT: Conversation = [
    *ASKED,
    {"role": "assistant", "content": "So.", "reasoning": "Hm.", "tool_calls": None},
    {"role": "user", "content": "More?"},
]
CALLED: Conversation = [
    *ASKED,
    {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"function": {"name": "look", "arguments": {"at": "é"}}}],
    },
    {"role": "tool", "content": "a lamp"},
]
TOOLS = [{"type": "function", "function": {"name": "look", "parameters": {"at": {"type": "<s>"}}}}]

CONVERSATIONS = {
    "asked": (ASKED, {}),
    "answered": (ANSWERED, {}),
    "guided": (GUIDED, {}),
    "open": (OPEN, {}),
    "thought": (THOUGHT, {}),
    "called": (CALLED, {}),
    "tools": (GUIDED, {"tools": TOOLS}),
    "tools apart": (GUIDED, {"tools": TOOLS, "tools_in_user_message": False}),
    "not thinking": (ANSWERED, {"enable_thinking": False}),
    "thinking": (ANSWERED, {"enable_thinking": True, "date_string": "today"}),
}


@pytest.fixture(scope="module", params=KINDS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = makes.byte_level(tmp_path_factory.mktemp("chat") / "model")
    settings(folder, bos_token="<|endoftext|>", eos_token="<|im_end|>")
    (folder / "chat_template.jinja").write_text(KINDS[request.param], "utf-8")
    return folder


@pytest.fixture(scope="module")
def tokenizer(folder: Path) -> Tokenizer:
    return Tokenizer.from_folder(folder)


@pytest.fixture(scope="module")
def reference(folder: Path) -> Any:
    return AutoTokenizer.from_pretrained(str(folder))


def settings(folder: Path, **values: Any) -> None:
    data = {"tokenizer_class": "PreTrainedTokenizerFast", **values}
    (folder / "tokenizer_config.json").write_text(json.dumps(data), "utf-8")


def test_texts_are_those_of_the_reference_library(tokenizer: Tokenizer, reference: Any) -> None:
    for messages, variables in CONVERSATIONS.values():
        for start in (True, False):
            try:
                expected = reference.apply_chat_template(
                    messages, tokenize=False, add_generation_prompt=start, **variables
                )
            except Exception as refusal:  # noqa: BLE001 - whatever a template raises
                with pytest.raises(TokenizerError, match=re.escape(str(refusal).rstrip("."))):
                    tokenizer.apply_chat_template(messages, start, **variables)
            else:
                assert tokenizer.apply_chat_template(messages, start, **variables) == expected


def test_a_prompt_is_the_rendered_text_and_contents_stay_plain(tokenizer: Tokenizer) -> None:
    for messages in (ASKED, ANSWERED, GUIDED):
        if tokenizer.chat_template == ODDS_AND_ENDS:
            continue  # it takes the messages to pieces
        prompt = chat_prompt(tokenizer, messages)
        if messages is not GUIDED:  # some refuse its system message, which is then folded in
            text = "".join(piece.text for piece in prompt)
            assert text == tokenizer.apply_chat_template(messages)
        control = "".join(piece.text for piece in prompt if piece.control)
        assert "please" not in control
        assert "brief" not in control
        plain = "".join(piece.text for piece in prompt if not piece.control)
        assert "please <|im_end|>" in plain or messages is ASKED


@pytest.mark.parametrize("name", ["gemma", "gemma 1", "mistral"])
def test_roles_that_do_not_take_turns_are_refused_in_words(name: str) -> None:
    template = ChatTemplate(KINDS[name], {"bos_token": "<s>"}, Path("model/x.json"))
    with pytest.raises(TokenizerError, match=r"refuses the conversation: .*must alternate") as info:
        template.render([*ASKED, *ASKED])
    assert "take turns" in info.value.hint


def test_earlier_reasoning_is_left_out_of_the_prompt(tmp_path: Path) -> None:
    folder = makes.byte_level(tmp_path)
    (folder / "chat_template.jinja").write_text(QWEN3, "utf-8")
    prompt = Tokenizer.from_folder(folder).chat_prompt(ANSWERED)
    assert not any("A line?" in piece.text for piece in prompt)
    assert any(piece.text == "灯塔 </s> shines." and not piece.control for piece in prompt)


def test_a_template_for_tools_is_used_for_tools(tmp_path: Path) -> None:
    folder = makes.byte_level(tmp_path)
    named = [
        {"name": "default", "template": CHATML},
        {"name": "tool_use", "template": "{{ tools | tojson }}"},
    ]
    settings(folder, chat_template=named)
    tokenizer = Tokenizer.from_folder(folder)
    reference = AutoTokenizer.from_pretrained(str(folder))
    assert tokenizer.apply_chat_template(ASKED).startswith("<|im_start|>user")
    expected = reference.apply_chat_template(ASKED, tools=TOOLS, tokenize=False)
    assert tokenizer.apply_chat_template(ASKED, tools=TOOLS) == expected


def test_further_templates_lie_in_a_folder_of_their_own(tmp_path: Path) -> None:
    folder = makes.byte_level(tmp_path)
    settings(folder, chat_template="never seen: files come first")
    (folder / "additional_chat_templates").mkdir()
    (folder / "additional_chat_templates" / "tool_use.jinja").write_text("tools!", "utf-8")
    tokenizer = Tokenizer.from_folder(folder)
    assert tokenizer.chat_template is None
    (folder / "chat_template.jinja").write_text("plain", "utf-8")
    tokenizer = Tokenizer.from_folder(folder)
    reference = AutoTokenizer.from_pretrained(str(folder))
    for tools in (None, TOOLS):
        expected = reference.apply_chat_template(ASKED, tools=tools, tokenize=False)
        assert tokenizer.apply_chat_template(ASKED, tools=tools) == expected
