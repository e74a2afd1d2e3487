"""The errors a person can do something about: what happened, the value, what to type next."""


class RagError(Exception):
    """Base of every expected failure; its text is shown to the user as it is."""


class SettingsError(RagError):
    """A setting that does not exist or has a value that makes no sense."""


class ModelError(RagError):
    """Weights that are missing, damaged or not the ones the index was made with."""


class LLMError(RagError):
    """A language model that could not be reached or broke off."""


class Incomplete(LLMError):  # noqa: N818 (it is said of an answer)
    """An answer that ended before it was whole; the pieces that came stay and are to be shown as unfinished."""


class StoreError(RagError):
    """The knowledge base cannot be opened, written or trusted."""


class DamagedError(StoreError):
    """The database file itself is damaged."""


class StoreLockedError(StoreError):
    """Another process is writing to the same knowledge base."""


class AccessError(RagError):
    """Something that this person may not see or do."""


class IngestError(RagError):
    """A file or folder that cannot be read; one file's failure never stops a run."""


class DatasetError(RagError):
    """A question set with a broken line; the text names the line."""
