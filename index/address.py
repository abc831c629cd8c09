"""The address of an index whose vectors and words lie in Milvus."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from index.errors import UsageError

SCHEME = "milvus+"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a collection is: 'milvus+http://host:19530/name', or 'milvus+file:PATH' for Milvus Lite.

    uri: as pymilvus wants it. collection: its name there.
    """

    text: str
    uri: str
    collection: str

    @classmethod
    def of(cls, text: str) -> "Address":
        """Raises UsageError."""
        rest = text.removeprefix(SCHEME)
        if rest.startswith("file:") and rest != "file:":
            path = Path(rest.removeprefix("file:")).absolute()
            return cls(f"{SCHEME}file:{path}", str(path if path.suffix == ".db" else path / "milvus.db"), "mureum")
        parts = urlsplit(rest)
        name = parts.path.strip("/")
        if parts.scheme not in ("http", "https") or not parts.hostname or not name.isidentifier():
            raise UsageError(
                f"'{text}' is no address of an index in Milvus: milvus+http://HOST:19530/NAME or milvus+file:PATH is."
            )
        return cls(text, f"{parts.scheme}://{parts.netloc}", name)

    @classmethod
    def of_folder(cls, folder: Path) -> "Address | None":
        """The address that a catalogue's folder is named after, if it is."""
        text = unquote(folder.name)
        return cls.of(text) if text.startswith(SCHEME) else None

    @property
    def folder_name(self) -> str:
        """The name of the folder of its catalogue."""
        return quote(self.text, safe="")
