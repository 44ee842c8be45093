"""The tiny checkpoints' tokenizer, with and without a chat template."""

from __future__ import annotations

import pytest

from gptdesk.text.tokenizer import Tokenizer
from tests.tasks.operations import make_tokenizer


@pytest.fixture(scope="session")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    return make_tokenizer(tmp_path_factory.mktemp("plain-tokenizer"), chat=False)


@pytest.fixture(scope="session")
def chat_tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    return make_tokenizer(tmp_path_factory.mktemp("chat-tokenizer"), chat=True)
