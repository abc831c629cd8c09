"""What kind of thing a question asks for, and whether a text has one."""

import pytest

from rag.kinds import defines, has_kind, kind_of, lacks_figure, part_asked, role_asked


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("몇 월에 열렸어?", "month"),
        ("In which month was it held?", "month"),
        ("신약은 언제 나와?", "time"),
        ("When will the plan be ready?", "time"),
        ("행사에 몇 명이 왔어?", "people"),
        ("How many people attended?", "people"),
        ("기업은 몇 곳이 참여했나요?", "companies"),
        ("How many firms took part?", "companies"),
        ("입장료가 얼마야?", "money"),
        ("How much did it cost to attend?", "money"),
        ("How many trillion won would it save?", "money"),
        ("How much money did the village get?", "money"),
        ("몇 조 원이나 아껴?", "money"),
        ("재단 이사장 이름이 뭐야?", "person"),
        ("What is the name of the head of the foundation?", "person"),
        ("어느 나라들이 참가했어?", "countries"),
        ("Which countries did he name?", "countries"),
        ("이메일 주소 알려줘", "email"),
        ("회의실은 몇 층에 있어?", "floor"),
        ("On which floor is the meeting room?", "floor"),
        ("누가 말했어?", ""),
        ("What did the minister say?", ""),
        ("Who hosted the event?", ""),  # a body as well as a person
    ],
)
def test_the_kind_that_is_asked_for(question: str, kind: str) -> None:
    assert kind_of(question) == kind


@pytest.mark.parametrize(
    ("question", "text", "fits"),
    [
        ("행사에 몇 명이 왔어?", "2024년 3월 100% 적용하면 300조원", False),
        ("행사에 몇 명이 왔어?", "행사에는 1200여 명이 참석했다.", True),
        ("How many people attended?", "There were 350 participants.", True),
        ("기업은 몇 곳이 참여했나요?", "국내 기업 35개사가 참여했다.", True),
        ("기업은 몇 곳이 참여했나요?", "연간 300조원을 아낀다.", False),
        ("How many trees were planted?", "나무에 3억원을 쓰고 40%를 심었다.", False),
        ("How many trees were planted?", "It cost 2 million won, or 4 percent.", False),
        ("How many trees were planted?", "It cost 2 million won and brought 1,500 trees.", True),
        ("화분은 몇 개나 샀어?", "3억원을 쓰고 화분 200개를 샀다.", True),
        ("화분은 몇 개나 샀어?", "3억원을 썼다.", False),
        ("입장료가 얼마야?", "입장료는 5만원이다.", True),
        ("입장료가 얼마야?", "모두 35명이 왔다.", False),
        ("재단 이사장 이름이 뭐야?", "재단은 중소기업을 돕는다.", False),
        ("재단 이사장 이름이 뭐야?", "이도윤 이사장이 말했다.", True),
        ("Which countries did he name?", "한국 기업의 진출을 돕는다.", False),
        ("Which countries did he name?", "미국과 일본을 들었다.", True),
        ("신약은 언제 나와?", "계획을 조만간 마련한다.", True),
        ("신약은 언제 나와?", "계획을 마련한다.", False),
        ("이메일 주소 알려줘", "기자 a@example.com", True),
        ("회의실은 몇 층에 있어?", "회의실은 지하 2층에 있다.", True),
        ("On which floor is the meeting room?", "모임은 시청에서 열렸고 청년층이 많았다.", False),
        ("On which floor is the meeting room?", "The meeting was held on the third floor.", True),
    ],
)
def test_whether_a_text_has_it(question: str, text: str, fits: bool) -> None:
    assert has_kind(question, text) is fits


def test_definitions() -> None:
    assert defines("DX가 무슨 뜻이야?", "디지털 전환(DX)이 빠르다.")
    assert defines("What does DX stand for?", "DX(디지털 전환)가 빠르다.")
    assert not defines("DX가 무슨 뜻이야?", "DX 2024를 열었다.")
    assert not defines("DX 행사는 언제야?", "디지털 전환(DX)이 빠르다.")


@pytest.mark.parametrize(
    ("question", "role"),
    [
        ("사진은 누가 찍었어?", "photo"),
        ("Who took the photo?", "photo"),
        ("Which reporter is credited with the photographs?", "photo"),
        ("What does the headline quote?", "headline"),
        ("기사 제목이 뭐야?", "headline"),
        ("강연 제목이 뭐야?", ""),
        ("사진 출처는 어디야?", "photo"),
        ("Who is the photographer?", "photo"),
        ("Whose name is in the photo credit?", "photo"),
        ("사진에서 꽃다발을 든 사람은 누구야?", ""),
        ("What is he holding in the picture?", ""),
        ("What is in the photo by the river?", ""),
        ("Whose photo is it, and who is it by?", "photo"),
        ("기사 쓴 기자는?", "byline"),
        ("이 글은 누가 썼나요?", "byline"),
        ("누가 편지를 썼어?", ""),
        ("누가 이겼어?", ""),
    ],
)
def test_who_is_asked_for_by_credit(question: str, role: str) -> None:
    assert role_asked(question) == role


def test_a_claim_without_the_figure_that_is_asked_for() -> None:
    assert lacks_figure("What share is it, in percent?", "300 trillion won")
    assert not lacks_figure("What share is it, in percent?", "About 40 percent")
    assert not lacks_figure("When does it start?", "soon")


@pytest.mark.parametrize(
    ("question", "part"),
    [
        ("그중에 월세는 얼마야?", "월세"),
        ("이 중 제조업이 몇 퍼센트야?", "제조업"),
        ("그중에 누가 왔어?", ""),
        ("How much of that comes from rent?", "rent"),
        ("How many of them are for the schools?", "schools"),
        ("How much did it cost?", ""),
    ],
)
def test_the_part_that_is_asked_for(question: str, part: str) -> None:
    assert part_asked(question) == part
