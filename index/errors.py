"""Every error that Mureum raises on purpose, in one tree.

    MureumError
    ├── UsageError                 the program was called wrongly (exit code 2)
    │   └── NoSuchDocument         a question is limited to a document that the index has not
    ├── NoSpace                    the disk is full: while a model is fetched or an index is written
    ├── ModelError                 a model's files
    │   ├── ModelUnknown           no default model has this name
    │   ├── ModelNotFetched        its files are not on this machine yet
    │   ├── ModelDamaged           its files are there, but not the bytes they should be
    │   └── FetchFailed            its files could not be had: no package index reached, pip failed
    │       └── PipMissing         this Python has no pip
    ├── IndexFault                 an index folder
    │   ├── IndexMissing           there is none where it was looked for
    │   ├── IndexMismatch          it was built by another model or another version
    │   ├── IndexDamaged           its files contradict each other or cannot be read
    │   ├── IndexBusy              another process is writing it
    │   ├── IndexNotWritable       its folder or files may not be written
    │   └── StoreUnreachable       the Milvus that holds its vectors does not answer
    ├── DocumentError              one file that was to be indexed
    │   ├── DocumentNotFound       nothing is there
    │   ├── DocumentEmpty          it holds no text
    │   ├── DocumentNotText        its bytes are not the text they claim to be
    │   ├── DocumentUnsupported    its format cannot be read
    │   └── DocumentConflict       another document has the same name
    ├── QuestionError              a question
    │   ├── QuestionEmpty          nothing was asked
    │   └── QuestionTooLong        more was asked than fits the model
    └── AnswerError                the answering model at work
        ├── ModelTimeout           it did not answer in time
        ├── ModelUnreachable       its server could not be reached
        ├── ModelFailed            it ran and failed
        └── Cancelled              the person stopped it

An error is a failure; that a document does not hold the answer is no error but a state of the answer.
`str(error)` is an English sentence: what happened, why, what to do. `error.code` is stable, and
`error.values` holds what the sentence names, so that the user interface can word the same thing in another
language.
"""

from typing import ClassVar


class MureumError(Exception):
    """Base of all errors here.

    `message` is the English sentence; every keyword value is kept, as text, in `values`.
    """

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, **values: object) -> None:
        super().__init__(message)
        self.values: dict[str, str] = {key: str(value) for key, value in values.items()}


class UsageError(MureumError):
    """The program was called wrongly."""

    code = "usage"
    exit_code = 2


class NoSuchDocument(UsageError):
    """A question is limited to a document or a folder that the index has not. Value: `document`."""

    code = "document-unknown"


class NoSpace(MureumError):
    """The disk is full. Values: `path`, `needed` and `free` (bytes)."""

    code = "no-space"


class ModelError(MureumError):
    """Something is wrong with a model's files. Value: `name`."""

    code = "model"


class ModelUnknown(ModelError):
    """No default model has this name. Values: `name`, `known`."""

    code = "model-unknown"


class ModelNotFetched(ModelError):
    """The model's files are not on this machine yet. Values: `name`, `path`."""

    code = "model-not-fetched"


class ModelDamaged(ModelError):
    """The model's files are not the bytes they should be. Values: `name`, `path`, `reason`."""

    code = "model-damaged"


class FetchFailed(ModelError):
    """The model's files could not be had. Values: `name`, `reason`, `path` (where to put a copy by hand)."""

    code = "model-fetch-failed"


class PipMissing(FetchFailed):
    """This Python has no pip to fetch with. Value besides FetchFailed's: `python` (its path)."""

    code = "pip-missing"


class IndexFault(MureumError):
    """Something is wrong with an index folder. Value: `path`."""

    code = "index"


class IndexMissing(IndexFault):
    """There is no index where it was looked for."""

    code = "index-missing"


class IndexMismatch(IndexFault):
    """The index was built by another model or another version of this program."""

    code = "index-mismatch"


class IndexDamaged(IndexFault):
    """The files of the index contradict each other or cannot be read."""

    code = "index-damaged"


class IndexBusy(IndexFault):
    """Another process is writing the index."""

    code = "index-busy"


class IndexNotWritable(IndexFault):
    """The folder or a file of the index may not be written. Value besides IndexFault's: `reason`."""

    code = "index-not-writable"


class StoreUnreachable(IndexFault):
    """The Milvus that holds the index's vectors does not do its work. Value besides IndexFault's: `reason`."""

    code = "store-unreachable"


class DocumentError(MureumError):
    """Something is wrong with one file that was to be indexed. Value: `document`."""

    code = "document"


class DocumentNotFound(DocumentError):
    """There is no such file or no such document."""

    code = "document-not-found"


class DocumentEmpty(DocumentError):
    """The file holds no text."""

    code = "document-empty"


class DocumentNotText(DocumentError):
    """The file's bytes are not the text that they claim to be."""

    code = "document-not-text"


class DocumentUnsupported(DocumentError):
    """The file's format cannot be read."""

    code = "document-unsupported"


class DocumentConflict(DocumentError):
    """Another document has the same name."""

    code = "document-conflict"


class QuestionError(MureumError):
    """Something is wrong with a question."""

    code = "question"


class QuestionEmpty(QuestionError):
    """Nothing was asked."""

    code = "question-empty"


class QuestionTooLong(QuestionError):
    """The question is longer than the model can take."""

    code = "question-too-long"


class AnswerError(MureumError):
    """The answering model could not do its work."""

    code = "answer"


class ModelTimeout(AnswerError):
    """The model did not answer in time."""

    code = "model-timeout"


class ModelUnreachable(AnswerError):
    """The model's server could not be reached."""

    code = "model-unreachable"


class ModelFailed(AnswerError):
    """The model ran and failed."""

    code = "model-failed"


class Cancelled(AnswerError):
    """The person stopped the answer."""

    code = "cancelled"
