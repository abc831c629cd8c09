"""Searching by words across languages: the lexicon, and what it makes of a question."""

import re
from collections.abc import Iterator
from contextlib import closing
from importlib.resources import files
from pathlib import Path

import pytest

from index.build import add
from index.fake import FakeEncoder
from index.lexical import LexicalStore
from index.snapshot import Index
from index.tokens import stem, tokens
from rag.lexicon import FUNCTION, others
from rag.retrieval import search
from rag.worded import AskedWords


def entries() -> Iterator[tuple[str, list[str]]]:
    for line in files("rag").joinpath("assets/lexicon.tsv").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            word, senses = line.split("\t")
            yield word, senses.split(", ")


def test_the_lexicon_is_in_order() -> None:
    words = [word for word, _ in entries()]
    assert len(words) > 12_000 and words == sorted(words)
    assert len({stem(word) for word in words}) == len(words)  # one entry a family
    assert FUNCTION.isdisjoint(map(stem, words))
    for word, senses in entries():
        assert re.fullmatch(r"[a-z]+", word) and len(set(senses)) == len(senses) <= 6, word
        assert all(re.fullmatch(r"[가-힣0-9]+", sense) for sense in senses), word


@pytest.mark.parametrize(
    ("english", "korean"),
    [
        ("The harbours were closed", "항구"),
        ("a lighthouse", "등대"),
        ("Cambodian farmers", "농부"),
        ("walking", "걷다"),
    ],
)
def test_words_meet_in_both_directions(english: str, korean: str) -> None:
    there = frozenset[str]().union(*map(others, tokens(english)))
    back = frozenset[str]().union(*map(others, tokens(korean)))
    assert there & set(tokens(korean))
    assert back & set(tokens(english))


def test_the_parts_of_a_compound_do_not_stand_for_the_whole() -> None:
    """'식품의약국' is of 'food' and 'drug' no translation."""
    whole = {word: senses for word, senses in entries() if any(len(tokens(sense)) > 1 for sense in senses)}
    word, senses = next((word, senses) for word, senses in whole.items() if all(len(tokens(one)) > 1 for one in senses))
    assert all(stem(word) not in others(part) or [part] in map(tokens, senses) for part in tokens(senses[0]))


def rows(*texts: str) -> LexicalStore:
    return LexicalStore([tokens(text) for text in texts])


def test_an_english_question_finds_korean_words() -> None:
    store = rows("등대는 항구에 있다.", "도서관은 월요일에 쉰다.", "공장은 대전에 짓는다.")
    asked = AskedWords("When is the library closed?", store)
    assert asked.scores().argmax() == 1
    assert asked.coverage("도서관은 월요일에 쉰다.", "ko") > asked.coverage("등대는 항구에 있다.", "ko") == 0


def test_a_korean_question_finds_english_words() -> None:
    store = rows("The lighthouse stands at the harbour.", "The library is closed on Mondays.")
    assert AskedWords("등대는 어디에 있어?", store).scores().argmax() == 0


def test_a_question_in_the_language_of_the_index_is_searched_for_as_ever() -> None:
    store = rows("The library is closed on Mondays.", "The lighthouse stands at the harbour.")
    asked, plain = "When is the library closed?", tokens("When is the library closed?")
    assert AskedWords(asked, store).scores() == pytest.approx(store.scores(plain))
    assert AskedWords(asked, store).coverage("The library is closed", "en") == store.coverage(
        plain, tokens("The library is closed")
    )


def test_words_that_korean_has_as_endings_do_not_count_there() -> None:
    store = rows("도서관은 월요일에 쉰다.", "등대는 항구에 있다.")
    asked = AskedWords("What is it that the library would be?", store)
    assert asked.coverage("도서관은 월요일에 쉰다.", "ko") == 1.0
    assert {"the", "would", "what"} <= FUNCTION


def test_a_word_of_many_senses_counts_less_than_one_of_few() -> None:
    store = rows("배 배 배", "눈 눈", "밤 밤", "등대")
    assert store.weight_of_any(("배", "눈", "밤")) < store.weight_of_any(("등대",)) == store.weight("등대")
    assert store.weight_of_any(("배", "눈", "밤", "등대", "배")) > 0  # never below nothing


def test_a_search_crosses_languages_by_words_alone(tmp_path: Path) -> None:
    """The fake encoder knows nothing of Korean and English words that say the same."""
    (tmp_path / "library.txt").write_text("도서관은 월요일에 쉰다.\n", "utf-8")
    (tmp_path / "light.txt").write_text("등대는 항구에 있다.\n", "utf-8")
    (tmp_path / "factory.txt").write_text("공장은 대전에 짓는다.\n", "utf-8")
    add(tmp_path / "index", sorted(tmp_path.glob("*.txt")), FakeEncoder())
    with closing(Index(tmp_path / "index", FakeEncoder())) as index:
        for question, document in (
            ("Where is the lighthouse?", "light.txt"),
            ("When does the library close?", "library.txt"),
            ("Where will they build the factory?", "factory.txt"),
        ):
            assert [hit.passage.document for hit in search(index, question) if hit.lexical > 0] == [document]
