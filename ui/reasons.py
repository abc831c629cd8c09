"""Why there is no answer in the model's own words, in a line, by the reason codes of `rag.records.Answer`."""

from ui.words import Pair, both

_DRAFTS: dict[str, Pair] = {
    "number": ("초안의 숫자가 원문에 없었습니다", "had a number that its source does not have"),
    "time": ("초안의 때가 원문과 달랐습니다", "had another time than its source"),
    "name": ("초안의 이름이 원문에 없었습니다", "had a name that its source does not have"),
    "negation": ("초안이 원문과 반대로 말했습니다", "said the contrary of its source"),
    "entailment": ("초안의 말이 원문에서 따라 나오지 않았습니다", "did not follow from its source"),
    "support": ("초안의 말이 원문에 없었습니다", "said what its source does not say"),
    "language": ("초안이 질문과 다른 언어였습니다", "was not in the question's language"),
    "echo": ("초안이 질문을 되풀이했습니다", "only repeated the question"),
    "nothing": ("초안이 문서에 없다고 했습니다", "said that the documents do not hold it"),
    "empty": ("초안에 내용이 없었습니다", "said nothing"),
    "subject": ("초안이 다른 것을 말했습니다", "was about something else"),
    "actor": ("초안이 다른 사람이나 기관을 말했습니다", "was about another person or body"),
    "kind": ("초안이 묻는 것과 다른 종류였습니다", "was not of the kind that is asked for"),
}
"""A sentence, and what a draft or a part of one did."""

_REFUSALS: dict[str, Pair] = {
    "gate": ("가장 가까운 문장에도 답이 없어 보입니다", "the nearest sentences do not seem to hold it"),
    "kind": (
        "묻는 종류의 것이 가까운 문장에 없습니다",
        "the nearest sentences have nothing of the kind that is asked for",
    ),
    "actor": (
        "질문의 사람이나 기관, 나라에 관한 말이 없습니다",
        "nothing is said of the person, body or country in the question",
    ),
}


def why(status: str, reason: str) -> Pair | None:
    """What made an answer 'quoted' or 'not_found', or one that is 'answered' shorter than its draft; None where
    there is nothing to add to the state itself."""
    if status == "quoted" and reason in _DRAFTS:
        cause, shown = _DRAFTS[reason], both("instead_note")
        return f"{cause[0]}. {shown[0]}", f"a draft {cause[1]}; {shown[1]}"
    partly, _, left_out = reason.partition(":")
    if status == "answered" and partly == "partly" and left_out:
        causes, shown = [_DRAFTS[one] for one in left_out.split(",")], both("partly_note")
        ko, en = ", ".join(one for one, _ in causes), " or ".join(one for _, one in causes)
        return f"{shown[0]}. 뺀 부분: {ko}", f"{shown[1]}; left out is what {en}"
    return _REFUSALS.get(reason) if status == "not_found" else None
