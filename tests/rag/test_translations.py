"""Translations: checked, kept, begun anew when damaged; and what the bridge makes of them."""

from pathlib import Path

import numpy as np
import pytest

from index.fake import FakeEncoder
from rag.bridge import Bridge, Direct
from rag.model import FakeModel
from rag.translations import FILE, Translations

KOREAN = "개발에는 5년간 1200억원이 들었다."
ENGLISH = "It took five years and 120 billion won."


def test_made_once_and_kept(tmp_path: Path) -> None:
    model = FakeModel(lambda _: ENGLISH)
    assert Translations(tmp_path, model).known(KOREAN, "en") is None
    assert Translations(tmp_path, model).translate(KOREAN, "en") == ENGLISH
    again = Translations(tmp_path, model)
    assert again.known(KOREAN, "en") == ENGLISH and again.translate(KOREAN, "en") == ENGLISH
    assert len(model.prompts) == 1


@pytest.mark.parametrize("wrong", ["It took 120 million won.", "개발에는 돈이 들었다.", ""])
def test_a_wrong_one_is_not_kept_as_one(tmp_path: Path, wrong: str) -> None:
    translations = Translations(tmp_path, FakeModel(lambda _: wrong))
    assert translations.translate(KOREAN, "en") == "" and translations.known(KOREAN, "en") == ""


def test_a_damaged_file_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database" * 100)
    translations = Translations(tmp_path, FakeModel(lambda _: ENGLISH))
    assert translations.known(KOREAN, "en") is None
    translations.translate(KOREAN, "en")
    assert Translations(tmp_path, FakeModel()).known(KOREAN, "en") == ENGLISH


def test_another_model_translates_anew(tmp_path: Path) -> None:
    Translations(tmp_path, FakeModel(lambda _: ENGLISH)).translate(KOREAN, "en")
    other = FakeModel()
    other.name = "other"
    assert Translations(tmp_path, other).known(KOREAN, "en") is None


def test_a_folder_that_cannot_be_written_costs_the_keeping_only(tmp_path: Path) -> None:
    translations = Translations(tmp_path / "missing", FakeModel(lambda _: ENGLISH))
    assert translations.translate(KOREAN, "en") == ENGLISH == translations.known(KOREAN, "en")


def test_the_model_gets_the_amount_in_english(tmp_path: Path) -> None:
    model = FakeModel(lambda _: ENGLISH)
    Translations(tmp_path, model).translate(KOREAN, "en")
    assert "120 billion" in model.prompts[0][-1].content


def test_words_and_latin_names_that_are_left_out_are_asked_for_again(tmp_path: Path) -> None:
    replies = iter(
        ["AI is spreading in all sectors, they said.", "AI is spreading in all sectors, manufacturing among them."]
    )
    model = FakeModel(lambda _: next(replies))
    sentence = "제조업을 비롯한 모든 분야에서 AI가 퍼진다고 한다."
    assert "manufacturing" in Translations(tmp_path, model).translate(sentence, "en")
    assert "manufacturing" in model.prompts[1][0].content
    model = FakeModel(lambda _: "Researchers at a laboratory showed it.")
    Translations(tmp_path, model).translate("DNN 연구소가 그것을 선보였다.", "en")
    assert "DNN" in model.prompts[1][0].content


def test_the_attempt_that_leaves_out_least_is_kept(tmp_path: Path) -> None:
    replies = iter(["The ministries will soon publish a blueprint.", "They will publish it."])
    translations = Translations(tmp_path, FakeModel(lambda _: next(replies)))
    assert translations.translate("부처는 청사진과 예산안을 조만간 낸다.", "en").endswith("blueprint.")


def test_a_month_that_the_sentence_does_not_have_is_taken_out(tmp_path: Path) -> None:
    model = FakeModel(lambda _: "The conference was held on June 6th.")
    assert (
        Translations(tmp_path, model).translate("콘퍼런스가 6일 열렸다.", "en") == "The conference was held on the 6th."
    )
    assert len(model.prompts) == 1


def test_the_bridge_keeps_vectors_of_the_last_texts_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.bridge.KEPT", 2)
    encoder = FakeEncoder()
    bridge = Bridge(encoder, Translations(tmp_path, FakeModel()))
    assert bridge.relevance("sea", ["the sea", "a lake", "the sea", "a town"]).shape == (4,)
    assert encoder.encoded == 3
    bridge.relevance("lake", ["a river"])
    bridge.relevance("lake", ["a river", "a town"])
    assert encoder.encoded == 4
    bridge.relevance("lake", ["the sea"])
    assert encoder.encoded == 5


def test_the_bridge_reads_in_the_language_of_the_question(tmp_path: Path) -> None:
    bridge = Bridge(FakeEncoder(), Translations(tmp_path, FakeModel(lambda _: ENGLISH)))
    assert bridge.read(KOREAN, "ko") == KOREAN and bridge.translation(KOREAN, "ko") == ""
    assert bridge.untranslated([KOREAN, ENGLISH], "en") == [KOREAN]
    assert bridge.read(KOREAN, "en") == "개발에는 5년간 120 billion원이 들었다."
    bridge.translate(KOREAN, "en")
    assert bridge.read(KOREAN, "en") == bridge.translation(KOREAN, "en") == ENGLISH
    first, second = bridge.relevance(
        "How many billion won did it cost?", [ENGLISH, "The city library closes on Mondays."]
    )
    assert first > second


def test_the_words_of_the_sentence_itself_count_beside_those_of_its_translation(tmp_path: Path) -> None:
    bridge = Bridge(FakeEncoder(), Translations(tmp_path, FakeModel()))
    same, none = ["It is closed.", "It is closed."], np.zeros(2, np.float32)
    without, also = (
        bridge.relevance("When?", same, Direct(none, none, np.array(shared))) for shared in ([0, 0], [0, 1])
    )
    assert without[0] == without[1] == also[0] < also[1]


def test_what_code_can_put_into_english_whole_is_not_given_to_the_model(tmp_path: Path) -> None:
    model = FakeModel(lambda _: "Kim, reporter")
    assert Translations(tmp_path, model).translate("김민수기자 mskim@example.com", "en") == (
        "Kim Min-su reporter mskim@example.com"
    )
    assert not model.prompts


def test_a_second_attempt_is_told_what_the_first_made_up_and_left_out(tmp_path: Path) -> None:
    replies = iter(["In June it cost 120 billion won in 5 years.", ENGLISH])
    model = FakeModel(lambda _: next(replies))
    assert Translations(tmp_path, model).translate(f"이도윤 연구소장은 {KOREAN}", "en") == ENGLISH
    assert "June" in model.prompts[1][0].content and "Lee Do-yun" in model.prompts[1][0].content
