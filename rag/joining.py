"""One answer out of those to the several questions of one message."""

from collections.abc import Sequence

from rag.records import Answer, Citation, Language, Status

NOT_THERE: dict[Language, str] = {
    "ko": "‘{question}’: 문서에서 답을 찾지 못했습니다.",
    "en": "‘{question}’: the documents do not hold the answer.",
}
"""What stands in an answer for a question that the documents leave open, while they answer another one."""


def joined(question: str, spoken: Language, answers: Sequence[Answer]) -> Answer:
    """The answers one under the other; their citations carry markers that fit together already.

    It is 'not_found' only when all are; 'quoted' when none is in words of its own.
    """
    given = [answer for answer in answers if answer.status != "not_found"]
    status: Status = "not_found"
    if given:
        status = "quoted" if all(answer.status == "quoted" for answer in given) else "answered"
    texts = [answer.text or NOT_THERE[spoken].format(question=answer.question) for answer in answers] if given else []
    lines = dict.fromkeys(line for text in texts for line in text.split("\n"))  # a quote of two answers stands once
    citations: dict[int, Citation] = {}
    for answer in given:
        citations.update((citation.marker, citation) for citation in answer.citations)
    found = {(one.document, one.span): one for answer in answers for one in answer.found}
    whole = len(given) == len(answers)
    return Answer(
        question,
        spoken,
        status,
        "\n".join(lines),
        tuple(citations[marker] for marker in sorted(citations)),
        tuple(found.values()),
        next((answer.reason for answer in answers if answer.reason), "") if whole or not given else "partly",
    )
