"""From whole files to a searchable index: this program against others with the same embedding model, in one run.

python -m tests.bench.throughput FILES MODEL [--rounds N]

FILES: a folder or a .jsonl file; MODEL: the folder of the embedding model. LangChain and LlamaIndex take part, each as
its documentation begins (its own splitter, its own vector store in memory), where they are installed:
langchain-huggingface langchain-community langchain-text-splitters, llama-index-core llama-index-embeddings-huggingface.
The plain encoding is `SentenceTransformer.encode` over this program's passages, without reading, splitting or storing.

Prints a table: seconds (the best of the rounds), seconds of the processor (which other work on the machine disturbs
less), characters a second, passages, and which part of the text the model has read: passages longer than its window
are cut.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any

from index import build
from index.encoder import SentenceTransformerEncoder
from index.passages import passages
from index.reading import files_of, read
from index.records import Document

Side = tuple[Callable[[Sequence[Document]], object], Callable[[Sequence[Document]], list[str]]]
"""What indexes documents, and what names the passages that came of it afterwards, outside the time."""


def own(model: Path, files: Path) -> Side:
    """This program, from the files on."""
    encoder = SentenceTransformerEncoder(model)

    def run(_: Sequence[Document]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            build.add(Path(folder) / "index", [files], encoder)

    def pieces(documents: Sequence[Document]) -> list[str]:
        return [one.text[part.start : part.end] for one in documents for part in passages(one, encoder.count_tokens)]

    return run, pieces


def plain(model: Path, files: Path) -> Side:
    """The embedding alone."""
    transformer = import_module("sentence_transformers").SentenceTransformer(str(model), device="cpu")
    _, pieces = own(model, files)
    made = pieces(documents_of(files))
    return lambda _: transformer.encode(made), lambda _: made


def langchain(model: Path, _: Path) -> Side:
    """LangChain: RecursiveCharacterTextSplitter, HuggingFaceEmbeddings, InMemoryVectorStore."""
    splitter: Any = import_module("langchain_text_splitters").RecursiveCharacterTextSplitter()
    embeddings = import_module("langchain_huggingface").HuggingFaceEmbeddings(model_name=str(model))
    store = import_module("langchain_core.vectorstores").InMemoryVectorStore
    record = import_module("langchain_core.documents").Document

    def split(documents: Sequence[Document]) -> list[Any]:
        return list(splitter.split_documents([record(page_content=one.text) for one in documents]))

    return (
        lambda documents: store.from_documents(split(documents), embeddings),
        lambda documents: [part.page_content for part in split(documents)],
    )


def llamaindex(model: Path, _: Path) -> Side:
    """LlamaIndex: VectorStoreIndex.from_documents with HuggingFaceEmbedding."""
    core: Any = import_module("llama_index.core")
    embedding = import_module("llama_index.embeddings.huggingface").HuggingFaceEmbedding(model_name=str(model))

    def run(documents: Sequence[Document]) -> Any:
        return core.VectorStoreIndex.from_documents(
            [core.Document(text=one.text) for one in documents], embed_model=embedding
        )

    def pieces(documents: Sequence[Document]) -> list[str]:
        nodes = core.Settings.node_parser.get_nodes_from_documents([core.Document(text=one.text) for one in documents])
        return [node.text for node in nodes]

    return run, pieces


def documents_of(files: Path) -> list[Document]:
    """All documents of a folder or file."""
    found = chain.from_iterable(read(path, name) for path, name in files_of(files))
    return [one for one in found if isinstance(one, Document)]


def main() -> None:
    """See above."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("files", type=Path)
    options.add_argument("model", type=Path)
    options.add_argument("--rounds", type=int, default=2)
    chosen = options.parse_args()
    documents = documents_of(chosen.files)
    characters = sum(len(one.text) for one in documents)
    counting = SentenceTransformerEncoder(chosen.model)
    sides = {}
    for side in (own, plain, langchain, llamaindex):
        try:
            sides[side.__name__] = side(chosen.model, chosen.files)
        except ImportError as error:
            print(f"{side.__name__} takes no part: {error}")
    seconds: dict[str, tuple[float, float]] = {}
    for _ in range(chosen.rounds):  # in turns, so that what else the machine does hits all of them
        for name, (run, _pieces) in sides.items():
            begin, worked = time.perf_counter(), time.process_time()
            run(documents)
            now = time.perf_counter() - begin, time.process_time() - worked
            seconds[name] = min(seconds.get(name, now), now)
    print(f"{len(documents)} documents, {characters} characters")
    print("| | seconds | of the processor | characters a second | passages | read by the model |")
    print("|---|---|---|---|---|---|")
    for name, (_run, pieces) in sides.items():
        texts = pieces(documents)
        lengths = counting.count_tokens(texts)
        share = sum(min(length, counting.window - 2) for length in lengths) / sum(lengths)
        wall, worked = seconds[name]
        print(f"| {name} | {wall:.1f} | {worked:.1f} | {characters / wall:.0f} | {len(texts)} | {share:.2f} |")


if __name__ == "__main__":
    main()
