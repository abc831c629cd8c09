"""The real models, fetched where they are missing and loaded once for all tests here."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from index import models
from index.encoder import SentenceTransformerEncoder
from index.fetching import fetch
from rag.llamacpp import LlamaCppModel


@pytest.fixture(scope="session")
def encoder() -> SentenceTransformerEncoder:
    """The default embedding model."""
    return SentenceTransformerEncoder(fetch(models.EMBEDDING_MODEL))


@pytest.fixture(scope="session")
def llama() -> Iterator[LlamaCppModel]:
    """The default answering model."""
    model = LlamaCppModel(Path(fetch(models.ANSWERING_MODEL)), context=2048, seconds=240)
    yield model
    model.close()
