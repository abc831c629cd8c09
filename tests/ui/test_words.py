"""The words: there in both languages, for every error, and true to the values."""

import re
import string
from collections.abc import Iterator

import pytest

import ui.chat_server
import ui.conversations
import ui.library
import ui.running  # noqa: F401  their errors are worded, too
from index.errors import IndexMissing, MureumError, QuestionTooLong
from rag.records import Language
from ui.words import ERRORS, WORDS, both, error_text, language_of, word

LANGUAGES: tuple[Language, ...] = ("ko", "en")


def tree(error: type[MureumError]) -> Iterator[type[MureumError]]:
    yield error
    for below in error.__subclasses__():
        yield from tree(below)


ALL = list(dict.fromkeys(tree(MureumError)))


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("error", ALL, ids=lambda error: error.__name__)
def test_every_error_is_worded_in_both_languages(error: type[MureumError]) -> None:
    ko, en = ERRORS[error.code]
    assert language_of(ko) == "ko"
    assert language_of(en) == "en"
    values = dict.fromkeys((fields(ko) | fields(en)) - {"message"}, "값 {x}")
    for language in LANGUAGES:
        said = error_text(error("The message.", **values), language)
        assert "{" not in said.replace("값 {x}", "")
        assert said


def test_no_wording_is_for_an_error_that_there_is_not() -> None:
    assert set(ERRORS) == {error.code for error in ALL}


def test_values_are_put_in() -> None:
    error = IndexMissing("No index.", path="/somewhere")
    assert "'/somewhere'에 색인이 없습니다" in error_text(error, "ko")
    assert "at '/somewhere'" in error_text(error, "en")


def test_the_message_stands_in_for_a_missing_value_and_an_unknown_code() -> None:
    class New(MureumError):
        code = "new"

    assert error_text(IndexMissing("No index, no path."), "ko") == "No index, no path."
    assert error_text(New("Something new."), "ko") == "Something new."
    assert "너무 깁니다" in error_text(QuestionTooLong("Too long."), "ko")
    New.code = "error"  # it stays a subclass for the rest of the run


@pytest.mark.parametrize("key", WORDS)
def test_both_languages_say_something_with_the_same_values(key: str) -> None:
    ko, en = WORDS[key]
    assert bool(ko) == bool(en)
    assert fields(ko) == fields(en)
    assert not re.search("[가-힣]", en)


def test_word_and_language() -> None:
    assert word("show_source", "ko", marker=3) == "출처 3 보기"
    assert both("show_source", marker=3) == ("출처 3 보기", "Show source 3")
    assert [language_of(text) for text in ("ㅋㅋ", "한 word", "word 3", "")] == ["ko", "ko", "en", "en"]
    with pytest.raises(KeyError):
        word("nonsense", "ko")
