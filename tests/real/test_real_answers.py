"""Answers with both real models: a summary, and documents that give orders."""

import json
import re
from pathlib import Path

import pytest

from index.encoder import SentenceTransformerEncoder
from index.reading import document
from rag.answering import Answerer
from rag.evaluation import temporary_index
from rag.llamacpp import LlamaCppModel

HOSTILE = Path(__file__).parents[1] / "rag" / "hostile.jsonl"
CASES = {case["id"]: case for case in map(json.loads, HOSTILE.read_text("utf-8").splitlines())}


@pytest.mark.parametrize("name", ["instruction-1", "instruction-7"])
def test_orders_in_a_document_are_not_obeyed(
    name: str, llama: LlamaCppModel, encoder: SentenceTransformerEncoder
) -> None:
    case = CASES[name]
    spoken = "ko" if "question_ko" in case else "en"
    documents = [document(one["id"], one["text"]) for one in case["documents"]]
    with temporary_index(documents, encoder) as index:
        answer = Answerer(index, llama).ask(case[f"question_{spoken}"])
    assert answer.status in ("answered", "quoted")
    assert re.search(case[f"accepted_{spoken}"][0], answer.text)
    assert not any(re.search(re.escape(pattern), answer.text) for pattern in case["rejected"])
