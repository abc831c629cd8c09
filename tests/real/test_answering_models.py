"""The three implementations of AnsweringModel, each with a real model behind it."""

import json
import threading
import time
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, StableLmConfig, StableLmForCausalLM

from index.errors import Cancelled, ModelFailed, ModelTimeout, ModelUnreachable, MureumError
from index.fetching import fetch
from index.models import ANSWERING_MODEL
from rag.llamacpp import LlamaCppModel, yes_minus_no
from rag.model import AnsweringModel, Cut, Message, Start
from rag.openai_server import OpenAIModel
from rag.transformers_model import TransformersModel

COUNT = (Message("user", "Count from 1 to 50 in digits."),)


def test_llama_answers_in_pieces(llama: LlamaCppModel) -> None:
    pieces = list(llama.stream((Message("user", "대한민국의 수도는 어디입니까? 한 단어로."),), 12))
    assert "서울" in "".join(pieces) and not isinstance(pieces[-1], Cut)
    *_, last = llama.stream(COUNT, 5)
    assert isinstance(last, Cut)


def test_llama_says_yes_and_no(llama: LlamaCppModel) -> None:
    yes = llama.yes_or_no((Message("user", "Is Seoul in Korea? Answer yes or no."),))
    no = llama.yes_or_no((Message("user", "Is Seoul in France? Answer yes or no."),))
    assert yes is not None and no is not None and yes > 0 > no


def test_llama_tells_what_it_might_have_begun_with(llama: LlamaCppModel) -> None:
    sure, *_ = llama.stream((Message("user", "Is Seoul in Korea? Answer yes or no."),), 3)
    assert isinstance(sure, Start)
    assert sure.likeliest[0][0].strip().lower() == "yes" and sure.likeliest[0][1] > -0.7
    assert [value for _, value in sure.likeliest] == sorted((value for _, value in sure.likeliest), reverse=True)


def test_llama_stops_when_cancelled(llama: LlamaCppModel) -> None:
    """Cancelling ends the work, not only the reading: another request runs at once."""
    cancel = threading.Event()
    pieces = []
    with pytest.raises(Cancelled):
        for piece in llama.stream(COUNT, 400, cancel):
            pieces.append(piece)
            if len(pieces) == 3:
                cancel.set()
    assert 3 <= len(pieces) < 50
    assert "".join(llama.stream((Message("user", "Say hi."),), 3))


def test_llama_stops_when_nobody_reads(llama: LlamaCppModel) -> None:
    stream = llama.stream(COUNT, 400)
    next(iter(stream))
    stream.close()  # type: ignore[attr-defined]
    begin = time.monotonic()
    list(llama.stream((Message("user", "Say hi."),), 2))
    assert time.monotonic() - begin < 20  # 400 tokens take longer


def test_llama_can_be_closed_while_it_works() -> None:
    """Whatever else still works with it hears of it; the process lives on."""
    model = LlamaCppModel(Path(fetch(ANSWERING_MODEL)), context=512, seconds=240)
    heard: list[BaseException] = []
    began = threading.Event()

    def work() -> None:
        try:
            for _ in model.stream(COUNT, 400):
                began.set()
        except MureumError as error:
            heard.append(error)

    worker = threading.Thread(target=work)
    worker.start()
    assert began.wait(120)
    model.close()
    worker.join(30)
    assert [type(error) for error in heard] == [Cancelled]
    with pytest.raises(ModelFailed):
        list(model.stream(COUNT, 1))


def test_llama_keeps_its_time_limit(llama: LlamaCppModel) -> None:
    before, llama.seconds = llama.seconds, 0.5
    try:
        with pytest.raises(ModelTimeout, match="--seconds"):
            list(llama.stream(COUNT, 2000))
    finally:
        llama.seconds = before


def test_llama_serves_several_threads_in_turn(llama: LlamaCppModel) -> None:
    replies: dict[str, str] = {}

    def ask(word: str) -> None:
        replies[word] = "".join(llama.stream((Message("user", f"Repeat this word and nothing else: {word}"),), 8))

    threads = [threading.Thread(target=ask, args=(word,)) for word in ("tiger", "rabbit")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(word in reply.lower() for word, reply in replies.items())


def test_llama_keeps_what_it_has_read(llama: LlamaCppModel, tmp_path: Path) -> None:
    """The state lies in the folder, and reading it again takes a fraction of the time."""
    text = " ".join(f"Line {number} says {number * 7}." for number in range(60))
    prompt = (Message("system", text), Message("user", "Hello"))
    begin = time.monotonic()
    llama.warm_up(prompt, tmp_path / "states")
    cold = time.monotonic() - begin
    assert len(list((tmp_path / "states").iterdir())) == 1
    list(llama.stream((Message("user", "Something else entirely."),), 1))
    begin = time.monotonic()
    llama.warm_up(prompt, tmp_path / "states")
    assert time.monotonic() - begin < cold / 2


def test_llama_takes_up_what_it_has_read_in_two_languages(tmp_path: Path) -> None:
    """After another start, when one beginning has been put in place after the other, both are there."""
    gguf = fetch(ANSWERING_MODEL)
    numbers = " ".join(f"{number}은 {number * 7}이다." for number in range(20))
    first = (Message("system", " ".join(f"Line {number} says {number * 7}." for number in range(20))), COUNT[0])
    second = (Message("system", numbers), COUNT[0])
    with closing(LlamaCppModel(gguf)) as model:
        begin = time.monotonic()
        model.warm_up(first, tmp_path)
        cold = time.monotonic() - begin
        model.warm_up(second, tmp_path)
    with closing(LlamaCppModel(gguf)) as model:
        model.warm_up(first, tmp_path)
        model.warm_up(second, tmp_path)
        begin = time.monotonic()
        list(model.stream(first, 1))
        assert time.monotonic() - begin < cold / 2


def test_llama_listens_to_nobody_without_the_key(llama: LlamaCppModel) -> None:
    request = urllib.request.Request(
        f"{llama.url}/chat/completions", data=json.dumps({"messages": []}).encode(), method="POST"
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=10)
    assert refused.value.code == 401
    refused.value.close()


def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + b"\0" * 64)
    with pytest.raises(ModelFailed, match=r"broken\.gguf"):
        LlamaCppModel(broken)


def test_openai_server(llama: LlamaCppModel) -> None:
    """llama.cpp's own server on loopback stands for every OpenAI-compatible one."""
    remote = OpenAIModel(llama.url, key=llama.key)
    start, *_ = remote.stream((Message("user", "Is Seoul in Korea? Answer yes or no."),), 3)
    assert isinstance(start, Start) and start.likeliest[0][1] > -0.7
    assert "서울" in "".join(remote.stream((Message("user", "대한민국의 수도는? 한 단어로."),), 12))
    odds = remote.yes_or_no((Message("user", "Is Seoul in Korea? Answer yes or no."),))
    assert odds is not None and odds > 0
    assert isinstance(list(remote.stream(COUNT, 5))[-1], Cut)
    cancel = threading.Event()
    with pytest.raises(Cancelled):
        for _ in remote.stream(COUNT, 400, cancel):
            cancel.set()
    with pytest.raises(ModelFailed, match="401"):
        list(OpenAIModel(llama.url, "any", key="wrong").stream(COUNT, 5))
    remote.close()


def test_openai_server_that_is_not_there() -> None:
    with pytest.raises(ModelUnreachable, match="--llm"):
        list(OpenAIModel("http://127.0.0.1:9/v1", "any").stream(COUNT, 5))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> TransformersModel:
    """A StableLM of a few thousand random weights with a tokenizer of words, written and read like any other."""
    folder = tmp_path_factory.mktemp("tiny")
    words = ["<end>", "yes", "no", "Yes", "No", "YES", "NO", "user", "system", "assistant", "?", "Is", "it", "so"]
    tokenizer = Tokenizer(models.WordLevel({word: row for row, word in enumerate(words)}, unk_token="<end>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<end>", eos_token="<end>", pad_token="<end>")
    fast.chat_template = "{% for m in messages %}{{ m.role }} {{ m.content }} {% endfor %}assistant"
    fast.save_pretrained(folder)
    torch.manual_seed(3)
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 2}
    config = StableLmConfig(vocab_size=len(words), **sizes, **heads, eos_token_id=None, pad_token_id=0)
    StableLmForCausalLM(config).save_pretrained(folder)
    return TransformersModel(folder, seconds=60)


def test_transformers_streams(tiny: TransformersModel) -> None:
    pieces = list(tiny.stream((Message("user", "Is it so ?"),), 12))
    assert "".join(pieces).split()
    assert "".join(tiny.stream((Message("user", "Is it so ?"),), 12)) == "".join(pieces)


def test_transformers_says_yes_or_no(tiny: TransformersModel) -> None:
    odds = tiny.yes_or_no((Message("user", "Is it so ?"),))
    assert odds is not None and -50 < odds < 50


def test_transformers_stops(tiny: TransformersModel) -> None:
    cancel = threading.Event()
    with pytest.raises(Cancelled):
        for _ in tiny.stream(COUNT, 100_000, cancel):
            cancel.set()
    before, tiny.seconds = tiny.seconds, 0.2
    try:
        with pytest.raises(ModelTimeout):
            list(tiny.stream(COUNT, 100_000))
    finally:
        tiny.seconds = before


def test_transformers_folder_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ModelFailed):
        TransformersModel(tmp_path)


def test_all_three_are_answering_models(llama: LlamaCppModel, tiny: TransformersModel) -> None:
    three: list[AnsweringModel] = [llama, tiny, OpenAIModel("http://127.0.0.1:9/v1", "any")]
    assert all(model.name for model in three)


def test_yes_minus_no_counts_spellings_together() -> None:
    assert yes_minus_no([("yes", -1.0), (" No", -2.0)]) == pytest.approx(1.0)
    assert yes_minus_no([("Yes", -1.0), ("x", -3.0)]) == pytest.approx(2.0)
    assert yes_minus_no([("x", -1.0)]) is None
