"""Questions with answers: put as the tasks put them, and scored on the answer alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gptdesk.errors import DocumentError
from gptdesk.text.prompt import Piece
from gptdesk.text.task_template import template_prompt
from gptdesk.text.tokenizer import Tokenizer
from gptdesk.training.config import TokenizerSettings
from gptdesk.training.instruction import (
    Example,
    ExampleReader,
    TemplateRenderer,
    form_of,
    kind_of,
    label_question,
)
from gptdesk.training.labelling import Labelling
from gptdesk.training.task_templates import (
    CONTROL_TEMPLATES,
    WORD_TEMPLATES,
    end_text,
    templates_for,
)
from gptdesk.training.tokenizer_training import special_tokens, train_tokenizer, write_tokenizer
from tests.training import corpus

SUMMARY = {"document": corpus.document(1), "summary": "A ship came from the north."}
PAIR = {"src": "the calm sea", "tgt": "海", "src_lang": "en", "tgt_lang": "zh"}
CHAT = {
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Who wrote? <|im_end|>"},
        {"role": "assistant", "content": "The keeper."},
        {"role": "user", "content": "When?"},
        {"role": "assistant", "content": "Every evening."},
    ]
}


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    folder = tmp_path_factory.mktemp("tokenizer")
    texts = (corpus.document(number) for number in range(30))
    specials = special_tokens(TokenizerSettings(), [])
    write_tokenizer(train_tokenizer(texts, "qwen2", 500, specials), folder, 256)
    return Tokenizer.from_folder(folder)


@pytest.fixture
def renderer(tokenizer: Tokenizer) -> TemplateRenderer:
    return TemplateRenderer(templates_for(tokenizer), end_text(tokenizer), tokenizer)


def examples(
    rows: list[Any], tokenizer: Tokenizer, renderer: TemplateRenderer, folder: Path, most: int = 400
) -> tuple[list[Example], ExampleReader]:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    reader = ExampleReader(tokenizer, renderer, most)
    return list(reader.read(path, lambda _: True)), reader


def shown(example: Example, tokenizer: Tokenizer) -> tuple[str, str]:
    """The text of the prompt and of the answer, control tokens included."""
    prompt, answer = example.ids[: example.answer_start], example.ids[example.answer_start :]
    return tokenizer.decode(prompt, skip_special=False), tokenizer.decode(answer, False)


def test_a_summary_is_asked_for_as_the_task_asks(
    tokenizer: Tokenizer, renderer: TemplateRenderer, tmp_path: Path
) -> None:
    (example,), _ = examples([SUMMARY], tokenizer, renderer, tmp_path)
    values = {"form": "paragraph", "language": "en"}
    prompt = template_prompt(CONTROL_TEMPLATES["summarize"], SUMMARY["document"].strip(), values)
    assert example.ids[: example.answer_start] == tokenizer.encode_prompt(prompt)
    assert shown(example, tokenizer)[1] == SUMMARY["summary"] + "<|endoftext|>"


def test_a_pair_is_learnt_in_both_directions(
    tokenizer: Tokenizer, renderer: TemplateRenderer, tmp_path: Path
) -> None:
    found, reader = examples([PAIR], tokenizer, renderer, tmp_path)
    assert [shown(example, tokenizer) for example in found] == [
        ("<|endoftext|><|translate|><|en|><|zh|>the calm sea<|answer|>", "海<|endoftext|>"),
        ("<|endoftext|><|translate|><|zh|><|en|>海<|answer|>", "the calm sea<|endoftext|>"),
    ]
    assert reader.counts.tasks == {"translate": 2}
    one_way = TemplateRenderer(CONTROL_TEMPLATES, "", tokenizer, both_directions=False)
    assert len(one_way(PAIR)) == 1


def test_every_answer_of_a_conversation_is_learnt(
    tokenizer: Tokenizer, renderer: TemplateRenderer, tmp_path: Path
) -> None:
    found, _ = examples([CHAT], tokenizer, renderer, tmp_path)
    first, second = (shown(example, tokenizer) for example in found)
    assert first[1] == "The keeper.<|im_end|>"
    assert second[1] == "Every evening.<|im_end|>"
    assert second[0] == tokenizer.apply_chat_template(CHAT["messages"][:4])
    start, end = (tokenizer.encode(name)[0] for name in ("<|im_start|>", "<|im_end|>"))
    assert found[0].ids.count(start) == 3
    assert found[0].ids.count(end) == 3, "the one in the message is text"


def test_a_long_document_loses_its_end_and_a_long_pair_is_left_out(
    tokenizer: Tokenizer, renderer: TemplateRenderer, tmp_path: Path
) -> None:
    long = {**SUMMARY, "document": corpus.document(2, 60)}
    pair = {**PAIR, "src": "sea " * 200}
    found, reader = examples([long, pair], tokenizer, renderer, tmp_path, most=100)
    (example,) = found
    assert 95 <= len(example.ids) <= 100
    assert shown(example, tokenizer)[0].endswith("<|answer|>")
    assert reader.counts.too_long == 2


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"title": "x"}, "it has the keys title instead of"),
        ({**SUMMARY, "summary": ""}, '"summary" is empty'),
        ({**PAIR, "tgt": 3}, '"tgt" is empty or of the wrong type'),
        ({"messages": [{"role": "user"}]}, 'lacks "role" or "content"'),
        ({"messages": "hello"}, '"messages" is empty or of the wrong type'),
        ({"text": "a", "rewritten": "b", "style": "formal"}, "neither proofread nor simplify"),
    ],
)
def test_a_bad_line_is_counted_and_said(
    tokenizer: Tokenizer, renderer: TemplateRenderer, tmp_path: Path, row: Any, why: str
) -> None:
    found, reader = examples([row, PAIR], tokenizer, renderer, tmp_path)
    assert len(found) == 2
    assert reader.counts.bad == 1
    assert "Line 1 of" in reader.counts.first_bad
    assert why in reader.counts.first_bad


@pytest.mark.parametrize("notes_broken", [True, False])
def test_what_is_no_json_is_counted_in_one_of_two_readings(
    tokenizer: Tokenizer, renderer: TemplateRenderer, tmp_path: Path, notes_broken: bool
) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("{\n" + json.dumps(PAIR) + "\n", "utf-8")
    reader = ExampleReader(tokenizer, renderer, 400, notes_broken=notes_broken)
    assert len(list(reader.read(path, lambda _: True))) == 2
    assert reader.counts.bad == notes_broken


def test_a_rewriting_names_its_style_and_a_text_is_all_answer(
    tokenizer: Tokenizer, renderer: TemplateRenderer, tmp_path: Path
) -> None:
    rows = [
        {"text": "the see is calm", "rewritten": "the sea is calm"},
        {"text": "It is long and calm.", "rewritten": "It is calm.", "style": "simplify"},
        {"text": "the calm sea <|answer|>"},
    ]
    found, reader = examples(rows, tokenizer, renderer, tmp_path)
    end = "<|endoftext|>"
    assert [shown(example, tokenizer) for example in found] == [
        (f"{end}<|rewrite|><|proofread|>the see is calm<|answer|>", f"the sea is calm{end}"),
        (f"{end}<|rewrite|><|simplify|>It is long and calm.<|answer|>", f"It is calm.{end}"),
        (end, f"the calm sea <|answer|>{end}"),
    ]
    assert reader.counts.tasks == {"rewrite": 2, "continue": 1}
    answer = tokenizer.encode("<|answer|>")[0]
    assert answer not in found[2].ids, "what a text spells is text"


@pytest.mark.parametrize("label", [1, "1"])
def test_a_label_is_learnt_behind_its_prompt(label: Any, tokenizer: Tokenizer) -> None:
    labelling = Labelling("<|endoftext|>{text}<|answer|>", {"1": "good"})
    row = {"text": "a calm sea <|answer|>", "label": label}
    reader = ExampleReader(tokenizer, lambda _: [], 400)
    example = reader.encode(label_question(row, labelling, "<|endoftext|>"))
    assert example is not None
    asked = "<|endoftext|>a calm sea <|answer|><|answer|>"
    assert shown(example, tokenizer) == (asked, " good<|endoftext|>")
    assert example.ids.count(min(tokenizer.encode_prompt((Piece("<|answer|>", True),)))) == 1


def test_labels_have_a_usual_prompt(
    tokenizer: Tokenizer, renderer: TemplateRenderer, tmp_path: Path
) -> None:
    rows = [{"text": "rain", "label": 0}, {"text": "sea " * 300, "label": "a"}]
    (short, long), _ = examples(rows, tokenizer, renderer, tmp_path, most=100)
    assert shown(short, tokenizer) == ("rain\n\nLabel:", " 0<|endoftext|>")
    assert shown(long, tokenizer)[0].endswith("\n\nLabel:")
    assert len(long.ids) <= 100


@pytest.mark.parametrize("label", [True, "", None, 0.5, ["a"]])
def test_what_is_no_label_is_a_bad_line(label: Any) -> None:
    with pytest.raises(DocumentError, match="label"):
        kind_of({"text": "a", "label": label})


def test_questions_that_count_leave_control_tokens_out(
    tokenizer: Tokenizer, renderer: TemplateRenderer, tmp_path: Path
) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps({**PAIR, "n": n}) + "\n" for n in range(400)), "utf-8")
    reader = ExampleReader(tokenizer, renderer, 400, prompt_share=0.25)
    found = list(reader.read(path, lambda _: True))
    counting = [example for example in found if example.asked]
    assert 0.15 < len(counting) / len(found) < 0.35
    example = counting[0]
    kept = [token for token, asked in zip(example.ids, example.asked, strict=False) if asked]
    assert tokenizer.decode(kept, skip_special=False) == PAIR["src"]
    assert len(example.asked) == example.answer_start


def test_a_file_that_is_no_text_is_an_error(
    tokenizer: Tokenizer, renderer: TemplateRenderer, tmp_path: Path
) -> None:
    (tmp_path / "x.jsonl").write_bytes(b'{"a": "\xff"}')
    with pytest.raises(DocumentError, match=r"x\.jsonl"):
        list(ExampleReader(tokenizer, renderer, 9).read(tmp_path / "x.jsonl", lambda _: True))


def test_kinds_and_forms_are_told_by_keys_and_looks() -> None:
    rewriting = {"text": "a", "rewritten": "b"}
    rows = (SUMMARY, PAIR, CHAT, rewriting, {"text": "a"})
    kinds = ["summarize", "translate", "chat", "rewrite", "continue"]
    assert [kind_of(row) for row in rows] == kinds
    assert form_of("A ship comes home") == "headline"
    assert form_of("A ship comes home.") == "paragraph"
    assert form_of("word " * 40) == "paragraph"


def test_a_foreign_tokenizer_is_asked_in_words(tiny_llama_dir: Path) -> None:
    assert templates_for(Tokenizer.from_folder(tiny_llama_dir)) == WORD_TEMPLATES
