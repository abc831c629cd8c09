"""From settings to the parts that do the work; the heavy libraries load here and not before."""

from pathlib import Path

from index.encoder import Encoder, SentenceTransformerEncoder
from index.endpoint import EndpointEncoder
from index.errors import UsageError
from index.models import resolve
from index.settings import Settings
from index.snapshot import Index
from rag.answering import Answerer
from rag.model import AnsweringModel


def open_encoder(settings: Settings) -> Encoder:
    """Raises UsageError, ModelNotFetched, ModelDamaged, ModelFailed."""
    if settings.encoder.startswith(("http://", "https://")):
        url, _, model = settings.encoder.partition("#")
        if not model:
            raise UsageError(f"Which model of {url}? Name it after a '#': --encoder {url}#NAME.")
        return EndpointEncoder(url, model, settings.encoder_key, settings.seconds)
    return SentenceTransformerEncoder(resolve(settings.encoder))


def open_index(settings: Settings, encoder: Encoder | None = None) -> Index:
    """Raises what `open_encoder` raises, IndexMissing, IndexMismatch, IndexDamaged."""
    return Index(settings.index, encoder or open_encoder(settings))


def open_model(settings: Settings) -> AnsweringModel:
    """The implementation follows from the name: a URL, a GGUF file, or anything transformers can load."""
    if settings.llm.startswith(("http://", "https://")):
        from rag.openai_server import OpenAIModel

        url, _, model = settings.llm.partition("#")
        return OpenAIModel(url, model, settings.llm_key, settings.seconds)
    path = resolve(settings.llm)
    if str(path).endswith(".gguf"):
        from rag.llamacpp import LlamaCppModel

        return LlamaCppModel(Path(path), settings.threads, settings.context, settings.seconds)
    from rag.transformers_model import TransformersModel

    return TransformersModel(path, settings.threads, settings.seconds)


def open_answerer(settings: Settings) -> Answerer:
    """Index and model together; whatever is missing is said before the long loading begins.

    The embedding model loads with the first question, or in `Answerer.warm_up`.
    """
    index = open_index(settings)
    try:
        return Answerer(index, open_model(settings))
    except BaseException:
        index.close()
        raise
