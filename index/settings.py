"""What a person may set, read from the environment at the entry points alone."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_data_path

from index.address import SCHEME, Address
from index.errors import UsageError
from index.models import ANSWERING_MODEL, EMBEDDING_MODEL


def indexes_folder() -> Path:
    """Where indexes that have a name instead of a path lie, a folder each."""
    return user_data_path("mureum") / "indexes"


def index_folder(index: str) -> Path:
    """The folder that an index is meant by: a path, a name, or the address of one whose vectors lie in Milvus.

    What has no separator in it and is nothing in the working folder is a name: 'reports' is the folder 'reports' in
    `indexes_folder()`, './reports' always the one here. Raises UsageError for an address that is none.
    """
    if index.startswith(SCHEME):
        return indexes_folder() / Address.of(index).folder_name
    path = Path(index)
    is_name = path.name == index and index != ".." and not any(mark in index for mark in "/\\") and not path.exists()
    return indexes_folder() / index if is_name else path


@dataclass(frozen=True, slots=True)
class Settings:
    """The program's settings; each has an option of the command or an environment variable MUREUM_<NAME>.

    index:     folder of the index; a bare name is one of the named indexes (see `index_folder`).
    encoder:   embedding model: a default model's name, a folder or a hub id, or the URL of an OpenAI-compatible server
               with the model's name after '#' ('http://127.0.0.1:8080/v1#bge-m3').
    llm:       answering model: a default model's name, a .gguf file, a folder, a hub id, or the URL of an
               OpenAI-compatible server ('http://127.0.0.1:8000/v1'); a model's name may follow after '#'.
    llm_key:   key for that server, '' for none.
    threads:   CPU threads of the answering model; 0: as many as there are cores.
    context:   tokens that a prompt and its answer may have together.
    seconds:   time limit of one answer.
    host, port: where the chat listens.
    encoder_key: key for the server that `encoder` names, '' for none.
    """

    index: Path
    encoder: str = EMBEDDING_MODEL
    llm: str = ANSWERING_MODEL
    llm_key: str = ""
    threads: int = 0
    context: int = 6144
    seconds: float = 120.0
    host: str = "127.0.0.1"
    port: int = 7860
    encoder_key: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Raises UsageError when a value is not a number where one is wanted."""
        values: dict[str, str] = {}
        for name in cls.__slots__:
            if value := environment.get(f"MUREUM_{name.upper()}"):
                values[name] = value
        try:
            return cls(
                index=index_folder(values["index"]) if "index" in values else user_data_path("mureum") / "index",
                encoder=values.get("encoder", EMBEDDING_MODEL),
                llm=values.get("llm", ANSWERING_MODEL),
                llm_key=values.get("llm_key", ""),
                threads=int(values.get("threads", 0)),
                context=int(values.get("context", 6144)),
                seconds=float(values.get("seconds", 120)),
                host=values.get("host", "127.0.0.1"),
                port=int(values.get("port", 7860)),
                encoder_key=values.get("encoder_key", ""),
            )
        except ValueError as error:
            raise UsageError(f"A MUREUM_ variable has a value that is no number: {error}.") from error
