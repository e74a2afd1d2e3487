"""What all sessions of the page share: settings, the one loaded pipeline, and the jobs that outlive a rerun."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from rag.errors import IngestError, RagError
from rag.logs import begin
from rag.settings import Settings, load_settings
from ui.following import resume
from ui.markup import plain

if TYPE_CHECKING:
    from ingest.page_image import PageImage, PageRequest
    from rag.llm import LanguageModel
    from rag.pipeline import Pipeline
    from rag.types import Embedder
    from ui.following import Follower
    from ui.jobs import Job

DRAW_SECONDS = 30.0  # for a page, recognition included
DRAWN_KEPT = 32  # pictures, some 300 KB each
SAMPLES = Path(__file__).resolve().parent.parent / "data" / "docs"


def load_embedder(settings: Settings) -> Embedder:
    """The real embedder; imported here so that the first page is painted before torch is read."""
    from rag.embedder import load_embedder as load

    return load(settings.embedding)


def load_pipeline(settings: Settings, embedder: Embedder, answers: bool, llm: LanguageModel | None) -> Pipeline:
    """The real pipeline around models that are loaded already; without ``answers`` only for searching."""
    from rag.pipeline import load_pipeline as load

    return load(settings, answers=answers, embedder=embedder, llm=llm)


class Services:
    """Settings, stores and models of this server; one object for every session."""

    def __init__(
        self,
        settings: Settings,
        load: Callable[[Settings, Embedder, bool, LanguageModel | None], Pipeline] = load_pipeline,
        load_embedder: Callable[[Settings], Embedder] = load_embedder,
    ) -> None:
        self.settings = settings
        self.answers: dict[int, Job[Any]] = {}  # by conversation
        self.ingests: dict[str, Job[Any]] = {}  # by knowledge base
        self.followers: dict[str, Follower] = {}  # by knowledge base
        self.ingest_command: tuple[str, ...] = (sys.executable, "-m", "ingest.worker")
        self.folder = SAMPLES.parents[1]  # where the commands are run
        self.pull: Job[Any] | None = None
        self.evaluation: Job[Any] | None = None
        self.reembed: Job[Any] | None = None
        self.trial: Job[Any] | None = None
        self._load = load
        self._load_embedder = load_embedder
        self._drawing = threading.Lock()
        self._drawn: dict[tuple[Path, PageRequest], PageImage | IngestError] = {}
        self._lock, self._loading = threading.Lock(), threading.Lock()
        self._embedder: Embedder | None = None
        self._pipeline: Pipeline | None = None
        self._searcher: Pipeline | None = None
        self._llm: LanguageModel | None = None  # of a pipeline whose settings changed otherwise

    def pipeline(self) -> Pipeline:
        """The pipeline, loaded on first use and never twice; slow the first time."""
        embedder = self.embedder()
        with self._loading:
            if self._pipeline is None:
                self._pipeline = self._load(self.settings, embedder, True, self._llm)
                self._llm = None
            return self._pipeline

    def searcher(self) -> Pipeline:
        """A pipeline that searches and need not answer: the loaded one, else one without a language model."""
        embedder = self.embedder()
        with self._loading:
            if self._pipeline is None and self._searcher is None:
                self._searcher = self._load(self.settings, embedder, False, None)
            found = self._pipeline or self._searcher
            assert found is not None
            return found

    @property
    def can_search(self) -> bool:
        """Whether a search needs no model to be loaded first."""
        return self._pipeline is not None or self._searcher is not None

    def renew(self) -> None:
        """Take on the settings as they are saved now; models whose settings are the same stay loaded.

        An answer that is being written ends with the model that began it.
        """
        new = load_settings(self.settings.home, self.settings.kb)
        begin(new, "app")
        with self._lock, self._loading:
            old, self.settings = self.settings, new
            same_embedder = new.embedding == old.embedding
            kept = self._pipeline.llm if self._pipeline is not None else self._llm
            self._llm = kept if new.llm == old.llm else None
            self._embedder = self._embedder if same_embedder else None
            self._pipeline = self._searcher = None

    def embedder(self) -> Embedder:
        """The embedder, the same one that the pipeline uses; adding documents needs no language model."""
        with self._lock:
            if self._embedder is None:
                self._embedder = self._load_embedder(self.settings)
            return self._embedder

    @property
    def loaded(self) -> bool:
        """Whether the models are in memory."""
        return self._pipeline is not None

    def draw(self, path: Path, request: PageRequest) -> PageImage:
        """A page as it looks, drawn by a process of its own; the latest are kept. Raises IngestError, each time anew.

        The process ends with the page: what a bad file makes of it never sees another reader's file.
        """
        known = self._drawn.get((path, request))
        if known is None:
            with self._drawing:
                known = self._drawn.get((path, request)) or self._draw_now(path, request)
        if isinstance(known, IngestError):
            raise known
        return known

    def _draw_now(self, path: Path, request: PageRequest) -> PageImage | IngestError:
        """A page, or why there is none, which is kept too: the page is run again at every click."""
        from ingest.sandbox import Sandbox

        drawn: PageImage | IngestError
        with Sandbox(DRAW_SECONDS) as sandbox:
            try:
                drawn = sandbox.picture(path, request)
            except IngestError as error:
                drawn = IngestError(str(error))
        self._drawn[path, request] = drawn
        while len(self._drawn) > DRAWN_KEPT:
            del self._drawn[next(iter(self._drawn))]
        return drawn

    def task(self, kb: str, roots: list[str], **more: object) -> dict[str, object]:
        """A task for `ingest/worker.py` over a knowledge base of this home."""
        return {"home": str(self.settings.home.resolve()), "kb": kb, "roots": roots, "passwords": [], **more}

    def missing_models(self) -> list[str]:
        """The built-in models that the settings name and that are not here yet."""
        from rag.models import is_present

        return [name for name in self.builtin_models() if not is_present(name)]

    def builtin_models(self) -> list[str]:
        """The built-in models that the settings name: the embedder's, then the language model's."""
        from rag.models import PREFIX

        names = [self.settings.embedding.model]
        if not self.settings.llm.remote:
            names.append(self.settings.llm.model)
        return [name for name in names if name.startswith(PREFIX)]


def make_services() -> Services:
    """Services from the settings in force; raises SettingsError."""
    settings = load_settings()
    begin(settings, "app")
    return Services(settings)


@st.cache_resource(show_spinner=False)
def services() -> Services:
    """The one Services object of this server process."""
    made = make_services()
    resume(made)
    return made


@contextmanager
def errors_shown() -> Iterator[None]:
    """Show a RagError as its one sentence where the page would have gone on."""
    try:
        yield
    except RagError as error:
        st.error(plain(str(error)), icon=":material/error:")
