"""The main path with a scripted model: events, states, citations, what the model is asked."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from index.build import add
from index.errors import QuestionEmpty
from index.fake import FakeEncoder
from index.snapshot import Index
from rag.answering import Answerer
from rag.calibration import Calibration, Term, Weights, save
from rag.model import Cut, FakeModel, Prompt, Start
from rag.records import Checking, Draft, Finished, Found, Quote, Turn

TEXT = """한빛제약은 3일 부산 벡스코에서 신약 '하늘정'을 공개했다. 개발에는 5년간 1200억원이 들었다.

이도윤 연구소장은 “내년 봄 미국 임상을 시작하겠다”고 밝혔다.
"""

Open = Callable[[FakeModel], Answerer]


@pytest.fixture
def open_answerer(tmp_path: Path) -> Iterator[Open]:
    (tmp_path / "drug.txt").write_text(TEXT, "utf-8")
    add(tmp_path / "index", [tmp_path / "drug.txt"], FakeEncoder())
    index = Index(tmp_path / "index", FakeEncoder())
    yield lambda model: Answerer(index, model)
    index.close()


def says(text: str, odds: float | None = 5.0) -> FakeModel:
    return FakeModel(lambda _: text, lambda _: odds)


def test_events_come_in_order(open_answerer: Open) -> None:
    events = list(open_answerer(says("부산 벡스코")).stream("신약은 어디서 공개됐어?"))
    assert isinstance(events[0], Found) and isinstance(events[-1], Finished)
    assert isinstance(events[1], Quote) and events[1].sentences[0].marker == 1
    assert all(isinstance(event, Draft) for event in events[2:-2]) and len(events) > 4
    assert isinstance(events[-2], Checking)
    assert events[0].sentences and events[0].retrieve_ms > 0


def test_answered_with_a_citation_sliced_from_the_source(open_answerer: Open) -> None:
    answerer = open_answerer(says("부산 벡스코"))
    answer = answerer.ask("신약은 어디서 공개됐어?")
    assert (answer.status, answer.language) == ("answered", "ko")
    draft, quote = answer.text.split("\n")  # under a terse answer stands the sentence that it rests on
    assert draft == "부산 벡스코 [1]"
    (citation,) = answer.citations
    source = answerer.index.quote(citation.document, citation.start, citation.end)
    assert source.startswith("한빛제약은 3일 부산") and quote == f"“{source}” [1]"
    assert 0 < answer.timings.retrieve_ms <= answer.timings.first_token_ms <= answer.timings.total_ms


def test_an_unsupported_number_is_never_shown(open_answerer: Open) -> None:
    answer = open_answerer(says("1300억원")).ask("개발비는 얼마였어?")
    assert answer.status == "quoted" and answer.reason == "number"
    assert "1300" not in answer.text and "1200억원" in answer.text


@pytest.mark.parametrize(
    ("draft", "reason"),
    [("3일 부산 벡스코에서 한빛제약은 하늘정 공개에 반대했다.", "entailment"), ("부산 벡스코에서 신약", "")],
)
def test_a_statement_that_does_not_follow_is_not_shown(open_answerer: Open, draft: str, reason: str) -> None:
    model = FakeModel(lambda _: draft, lambda prompt: -1.0 if draft in prompt[-1].content else 5.0)
    answer = open_answerer(model).ask("신약은 어디서 공개됐어?")
    assert answer.reason == reason  # what stands there word for word is not asked about
    assert (draft in answer.text) == (not reason) and "하늘정" in answer.text


@pytest.mark.parametrize(("first", "second", "quoted"), [(1.0, 2.0, 2), (2.0, 1.0, 1), (None, None, 2)])
def test_a_second_quote_stands_where_the_model_finds_it_likelier(
    tmp_path: Path, first: float | None, second: float | None, quoted: int
) -> None:
    lines = ["신약 하늘정은 병원에서 상자마다 3만원이다.", "신약 하늘정은 약국에서 상자마다 4만원이다."]
    (tmp_path / "price.txt").write_text("\n\n".join(lines), "utf-8")
    add(tmp_path / "index", [tmp_path / "price.txt"], FakeEncoder())
    odds = {lines[0]: first, lines[1]: second, "": 5.0}

    def gate(prompt: Prompt) -> float | None:
        shown = [line for line in lines if line in prompt[0].content]
        return odds[shown[0] if len(shown) == 1 else ""]

    with closing(Index(tmp_path / "index", FakeEncoder())) as index:
        answer = Answerer(index, FakeModel(lambda _: "9만원", gate)).ask("하늘정은 상자마다 얼마에 팔려?")
    assert (answer.status, answer.reason) == ("quoted", "number")
    assert [index.quote(one.document, *one.span) for one in answer.citations] == lines[:quoted]


def test_the_gate_refuses_before_anything_is_written(open_answerer: Open) -> None:
    model = says("부산 벡스코", odds=-6.0)
    answer = open_answerer(model).ask("신약 가격은 얼마야?")
    assert (answer.status, answer.text, answer.citations) == ("not_found", "", ())
    assert answer.found  # what was near stays one step away
    assert answer.timings.first_token_ms == 0


def test_a_model_that_does_not_tell_odds_still_answers(open_answerer: Open) -> None:
    assert open_answerer(says("부산 벡스코", odds=None)).ask("신약은 어디서 공개됐어?").status == "answered"


def test_a_draft_that_says_nothing_is_there(open_answerer: Open) -> None:
    assert open_answerer(says("없음")).ask("신약 가격은 얼마야?").status == "not_found"


def test_follow_ups_carry_the_turn_before(open_answerer: Open) -> None:
    model = says("이도윤 연구소장")
    history = [Turn("임상은 언제 시작해?", "내년 봄 [1]")]
    answer = open_answerer(model).ask("그건 누가 말했어?", history)
    assert answer.status == "answered"
    assert all("임상은 언제 시작해?" in prompt[-1].content for prompt in model.prompts)
    assert "내년 봄 [1]" not in model.prompts[-1][-1].content


def test_a_draft_that_the_length_limit_cuts_off_is_not_shown_as_an_answer(tmp_path: Path) -> None:
    words = " ".join(f"단어{number}" for number in range(80))
    (tmp_path / "long.txt").write_text(f"박 회장은 {words} 말했다. 날씨는 맑았다.", "utf-8")
    add(tmp_path / "index", [tmp_path / "long.txt"], FakeEncoder())
    with closing(Index(tmp_path / "index", FakeEncoder())) as index:
        answer = Answerer(index, says(f"박 회장은 {words}")).ask("박 회장은 무슨 단어들을 말했어?")
        assert answer.status == "quoted" and "말했다.”" in answer.text


def test_a_draft_that_ends_with_the_limit_is_not_shown_as_an_answer(open_answerer: Open) -> None:
    class Short(FakeModel):
        def stream(self, prompt: Prompt, max_tokens: int, cancel: threading.Event | None = None) -> Iterator[str]:
            yield "개발에는 5년간 1200억"  # many tokens in one piece
            yield Cut()

    answer = open_answerer(Short(gate=lambda _: 5.0)).ask("개발에는 얼마가 들었어?")
    assert answer.status == "quoted" and answer.text.startswith("“개발에는 5년간 1200억원이")


@pytest.mark.parametrize(
    ("likeliest", "status"),
    [((("부산", -0.1),), "answered"), ((("부산", -2.0),), "not_found"), ((), "not_found")],
)
def test_a_draft_that_begins_with_doubt_is_refused_at_once(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    open_answerer: Open,
    likeliest: tuple[tuple[str, float], ...],
    status: str,
) -> None:
    class Doubting(FakeModel):
        taken = 0

        def stream(self, prompt: Prompt, max_tokens: int, cancel: threading.Event | None = None) -> Iterator[str]:
            start = Start("부산")
            start.likeliest = likeliest
            for piece in (start, " 벡스코"):
                self.taken += 1
                yield piece

    monkeypatch.setenv("MUREUM_MODELS", str(tmp_path / "models"))
    weights = Weights(-0.4, {"odds": Term(0.1), "certain": Term(1.0, -1.0, 0.6)})
    save("fake", FakeEncoder().name, Calibration({"whole ko": weights}))
    model = Doubting(gate=lambda _: 1.0)
    answer = open_answerer(model).ask("신약은 어디서 공개됐어?")
    assert answer.status == status
    assert model.taken == (2 if status == "answered" else 1)  # what is refused is not written on


def test_a_draft_that_ends_within_a_quotation_is_not_shown_as_an_answer(open_answerer: Open) -> None:
    answer = open_answerer(says("이도윤 연구소장은 “내년 봄 미국")).ask("연구소장은 뭐라고 밝혔어?")
    assert answer.status == "quoted" and answer.text.startswith("“이도윤 연구소장은")


def test_a_figure_of_something_else_is_not_quoted(open_answerer: Open) -> None:
    """The sentence with the figure comes first, but it says nothing of what the draft makes it the price of."""
    answer = open_answerer(says("방송 광고마다 배우에게 1200억원")).ask("개발에 5년간 든 광고 비용은 얼마야?")
    assert (answer.status, answer.reason) == ("not_found", "kind")
    assert open_answerer(says("배우에게 1300억원")).ask("개발에 5년간 든 비용은 얼마야?").status == "quoted"


def test_an_amount_is_not_given_for_a_part_of_it_that_is_not_named(open_answerer: Open) -> None:
    history = [Turn("개발비는 얼마였어?", "1200억원 [1]")]
    answer = open_answerer(says("1200억원")).ask("그중에 임금은 얼마야?", history)
    assert (answer.status, answer.reason) == ("not_found", "kind")


def test_the_part_may_stand_there_in_another_form(tmp_path: Path) -> None:
    (tmp_path / "town.txt").write_text("The town spends 30 million won. Each school gets 5 million of it.", "utf-8")
    add(tmp_path / "index", [tmp_path / "town.txt"], FakeEncoder())
    with closing(Index(tmp_path / "index", FakeEncoder())) as index:
        history = [Turn("How much does the town spend?", "30 million won [1]")]
        assert Answerer(index, says("5 million won")).ask("How much of that is for schools?", history).citations


@pytest.mark.parametrize("question", ["기사 제목이 뭐야?", "기사 제목에 부호로 감싼 말이 뭐야?"])
def test_the_headline_is_quoted_when_it_is_asked_for(tmp_path: Path, question: str) -> None:
    text = "섬마을에 다리가 놓인다\n\n기사는 제목이 길다고 한다. 섬 주민은 다리를 기다렸다."
    (tmp_path / "bridge.txt").write_text(text, "utf-8")
    add(tmp_path / "index", [tmp_path / "bridge.txt"], FakeEncoder())
    with closing(Index(tmp_path / "index", FakeEncoder())) as index:
        answer = Answerer(index, says("1234", odds=1.0)).ask(question)
        assert answer.text.startswith("“섬마을에 다리가 놓인다”")


def test_a_follow_up_that_turns_to_somebody_else_quotes_what_names_them(tmp_path: Path) -> None:
    text = """한빛재단은 해마다 청년 창업 대회를 열어 상금과 사무실을 준다.

구름재단은 섬 마을에 책을 보낸다."""
    (tmp_path / "aid.txt").write_text(text, "utf-8")
    add(tmp_path / "index", [tmp_path / "aid.txt"], FakeEncoder())
    with closing(Index(tmp_path / "index", FakeEncoder())) as index:
        history = [Turn("한빛재단은 청년 창업 대회에서 상금과 사무실을 주나요?", "한빛재단은 상금과 사무실을 준다 [1]")]
        answer = Answerer(index, says("1234")).ask("그럼 구름재단은?", history)
        assert answer.status == "quoted"
        assert "“구름재단은 섬 마을에 책을 보낸다.”" in answer.text


def test_prompts_begin_alike_and_differ_late(open_answerer: Open) -> None:
    model = says("부산 벡스코")
    answerer = open_answerer(model)
    answerer.ask("신약은 어디서 공개됐어?")
    answerer.ask("개발비는 얼마였어?")
    beginnings: set[Prompt] = {prompt[:-1] for prompt in model.prompts}
    assert len(beginnings) == 1


@pytest.mark.parametrize("question", ["다리는 누가 찍었어?", "How long is the bridge?"])
def test_what_is_read_ahead_is_how_prompts_begin(tmp_path: Path, question: str) -> None:
    text = """섬마을에 다리가 놓인다

4일 새 다리가 공개됐다.
김보람 기자 bo@example.com

다리는 1200m다."""
    (tmp_path / "bridge.txt").write_text(text, "utf-8")
    add(tmp_path / "index", [tmp_path / "bridge.txt"], FakeEncoder())
    model = translator("1200m")
    with closing(Index(tmp_path / "index", FakeEncoder())) as index:
        answerer = Answerer(index, model)
        list(answerer.prepare(threading.Event()))
        before = len(model.prompts)
        answerer.ask(question)
        assert model.prompts[before][0] in {prompt[0] for prompt in model.warmed}


def translator(draft: str) -> FakeModel:
    """Translates as a person would, and answers with `draft`."""
    english = {
        "벡스코": "On the 3rd Hanbit Pharma unveiled its new drug 'Haneuljeong' at BEXCO in Busan.",
        "120 billion": "Its development took 120 billion won over 5 years.",
        "Lee Do-yun": "Lee Do-yun, head of the institute, said they would begin trials in America next spring.",
    }

    def reply(prompt: Prompt) -> str:
        if prompt[0].content.startswith("You translate"):
            return next((text for key, text in english.items() if key in prompt[-1].content), "How much?")
        return draft

    return FakeModel(reply, lambda _: 5.0)


def test_english_questions_are_answered_through_translations(open_answerer: Open) -> None:
    answerer = open_answerer(translator("120 billion won over 5 years"))
    answer = answerer.ask("How much money did the development take?")
    assert answer.status == "answered" and answer.text.startswith("120 billion won over 5 years [1]")
    (citation,) = answer.citations
    assert citation.translation == "Its development took 120 billion won over 5 years."
    assert answerer.index.quote(citation.document, citation.start, citation.end) == "개발에는 5년간 1200억원이 들었다."


def test_quotes_for_the_other_language_are_translated(open_answerer: Open) -> None:
    answer = open_answerer(translator("900 billion won")).ask("How much money did the development take?")
    assert answer.status == "quoted" and answer.reason == "number"
    assert any(one.translation for one in answer.citations)
    assert all("900" not in text for text in (answer.text, *(one.translation for one in answer.citations)))


def test_prepared_sentences_are_not_translated_again(open_answerer: Open) -> None:
    model = translator("120 billion won over 5 years")
    answerer = open_answerer(model)
    steps = list(answerer.prepare(threading.Event()))
    assert steps == [(done, 3) for done in (1, 2, 3)]
    assert answerer.is_warm(answerer.context(), "ko") and answerer.is_warm(answerer.context(), "en")
    before = len(model.prompts)
    assert answerer.ask("How much money did the development take?").citations
    gate, draft, follows = model.prompts[before:]
    assert all("Its development took" in prompt[0].content for prompt in (gate, draft))
    assert "개발에는 5년간 1200억원이 들었다." in follows[-1].content  # not its translation


def test_a_yes_no_question_gets_the_sentence_itself(open_answerer: Open) -> None:
    answer = open_answerer(says("네, 공개했습니다.")).ask("신약을 부산에서 공개했나요?")
    assert (answer.status, answer.reason) == ("quoted", "yes_no") and "벡스코" in answer.text


def test_empty_questions_are_refused(open_answerer: Open) -> None:
    with pytest.raises(QuestionEmpty):
        open_answerer(says("x")).ask("  ")


def test_cancel_reaches_the_model(open_answerer: Open) -> None:
    seen: list[threading.Event | None] = []

    class Watching(FakeModel):
        def stream(self, prompt: Prompt, max_tokens: int, cancel: threading.Event | None = None) -> Iterator[str]:
            seen.append(cancel)
            return super().stream(prompt, max_tokens, cancel)

    cancel = threading.Event()
    list(open_answerer(Watching(lambda _: "부산 벡스코")).stream("신약은 어디서 공개됐어?", (), cancel))
    assert seen and all(event is cancel for event in seen)


@pytest.mark.parametrize(("said", "reason"), [("안녕하세요", "greeting"), ("Thank you!", "thanks"), ("help", "help")])
def test_small_talk_looks_into_no_document(open_answerer: Open, said: str, reason: str) -> None:
    model = says("부산 벡스코")
    (finished,) = open_answerer(model).stream(said)
    assert isinstance(finished, Finished)
    answer = finished.answer
    assert (answer.status, answer.reason, answer.citations, answer.found) == ("answered", reason, (), ())
    assert not model.prompts


def test_a_follow_up_looks_past_thanks(open_answerer: Open) -> None:
    model = says("이도윤 연구소장")
    open_answerer(model).ask("그건 누가 말했어?", [Turn("임상은 언제 시작해?", "내년 봄 [1]"), Turn("고마워", "")])
    assert "임상은 언제 시작해?" in model.prompts[-1][-1].content


def test_a_summary_is_the_documents_own_sentences(open_answerer: Open) -> None:
    model = says("부산 벡스코")
    answerer = open_answerer(model)
    answer = answerer.ask("이 문서 요약해줘")
    assert (answer.status, answer.reason) == ("quoted", "summary")
    assert [one.marker for one in answer.citations] == [1, 2, 3]
    assert [one.start for one in answer.citations] == sorted(one.start for one in answer.citations)
    for line, one in zip(answer.text.split("\n"), answer.citations, strict=True):
        assert line == f"“{answerer.index.quote(one.document, one.start, one.end)}” [{one.marker}]"
    assert not model.prompts


def test_two_questions_in_one_message(open_answerer: Open) -> None:
    def reply(prompt: Prompt) -> str:
        return "1200억원" if "개발비는" in prompt[-1].content.rsplit("Question:", 1)[1] else "부산 벡스코"

    answerer = open_answerer(FakeModel(reply, lambda _: 5.0))
    events = list(answerer.stream("신약은 어디서 공개됐어? 개발비는 얼마였어?"))
    assert sum(isinstance(event, Found) for event in events) == 1
    assert isinstance(events[-1], Finished)
    answer = events[-1].answer
    assert answer.status == "answered" and answer.question == "신약은 어디서 공개됐어? 개발비는 얼마였어?"
    assert "부산 벡스코 [1]" in answer.text and "1200억원 [2]" in answer.text
    assert [one.marker for one in answer.citations] == [1, 2]


def test_the_part_that_is_not_there_is_said(open_answerer: Open) -> None:
    def gate(prompt: Prompt) -> float:
        return -5.0 if "가격은" in prompt[-1].content.rsplit("Question:", 1)[1] else 5.0

    answerer = open_answerer(FakeModel(lambda _: "부산 벡스코", gate))
    answer = answerer.ask("신약은 어디서 공개됐어? 가격은 얼마야?")
    assert (answer.status, answer.reason) == ("answered", "partly")
    assert "부산 벡스코 [1]" in answer.text and "‘가격은 얼마야?’: 문서에서 답을 찾지 못했습니다." in answer.text


def test_a_sentence_that_nothing_supports_is_left_out(open_answerer: Open) -> None:
    answer = open_answerer(says("부산 벡스코에서 공개됐다. 가격은 3만원이다.")).ask("신약은 어디서 공개됐어?")
    assert (answer.status, answer.reason) == ("answered", "partly:number")
    assert "벡스코" in answer.text and "3만원" not in answer.text


def test_documents_that_disagree_are_both_shown(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("한빛제약의 지난해 매출은 300억원이다.\n", "utf-8")
    (tmp_path / "two.txt").write_text("한빛제약의 지난해 매출은 500억원으로 집계됐다.\n", "utf-8")
    add(tmp_path / "index", [tmp_path / "one.txt", tmp_path / "two.txt"], FakeEncoder())
    index = Index(tmp_path / "index", FakeEncoder())
    answer = Answerer(index, says("300억원")).ask("한빛제약의 지난해 매출은 얼마야?")
    index.close()
    assert (answer.status, answer.reason) == ("quoted", "disagreement")
    assert "300억원" in answer.text and "500억원" in answer.text
    assert {one.document for one in answer.citations} == {"one.txt", "two.txt"}


def test_an_answer_about_something_else_gives_way_to_the_sentence_that_has_the_subject(open_answerer: Open) -> None:
    answer = open_answerer(says("부산 벡스코에서 신약 '하늘정'을 공개했다.")).ask("임상은 어디서 시작해?")
    assert (answer.status, answer.reason) == ("quoted", "subject")
    assert "이도윤 연구소장" in answer.text
