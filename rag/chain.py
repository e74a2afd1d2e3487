"""The retriever and the embedder behind LangChain's interfaces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.retrievers import BaseRetriever
from pydantic import Field

from rag.embedder import load_embedder
from rag.pipeline import load_pipeline
from rag.settings import load_settings
from rag.text import language
from rag.types import Embedder, Passage


class FootnoteRetriever(BaseRetriever):
    """Passages of a knowledge base as LangChain Documents, best first.

    Each Document's metadata: ``source`` (the document's name), ``also`` (others with the same text), ``page`` (or None),
    ``heading``, ``start`` and ``end`` (characters of the document's stored text), ``score`` (higher is better) and
    ``rerank`` (0 to 1, None without a reranker). ``search_kwargs``, and keywords of ``invoke``, go to
    ``Retriever.search``: ``k``, ``withhold``.
    """

    retriever: Any
    k: int = 4
    search_kwargs: dict[str, Any] = Field(default_factory=dict)

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, **kwargs: Any
    ) -> list[Document]:
        chosen = {"k": self.k} | self.search_kwargs | kwargs
        return [_document(passage) for passage in self.retriever.search(query, **chosen)]


class FootnoteEmbeddings(Embeddings):
    """The embedder for another vector store; unit vectors, so cosine and inner product are the same.

    The vectors are the ones that the program's own index compares: the mean of their language is taken away (where the
    embedder has means), which lets a question find text in the other language. A foreign store cannot do that later.
    They don't mix with vectors that another library made with the same weights.
    """

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """A unit vector for each text, in order."""
        vectors = self._embedder.embed_passages(texts)
        centred: list[list[float]] = self._embedder.centre(vectors, [language(text) for text in texts]).tolist()
        return centred

    def embed_query(self, text: str) -> list[float]:
        """The unit vector of a question."""
        vector = self._embedder.embed_query(text)[None]
        centred: list[float] = self._embedder.centre(vector, [language(text)], side="query")[0].tolist()
        return centred


def open_retriever(
    home: str | Path | None = None, kb: str | None = None, k: int | None = None, **search_kwargs: Any
) -> FootnoteRetriever:
    """A LangChain retriever over a home folder's knowledge base; no language model is loaded. Raises RagError.

    ``home`` and ``kb`` default as on the command line, ``k`` to the settings'; other keywords go to every search.
    """
    settings = load_settings(home, kb)
    retriever = load_pipeline(settings, answers=False).retriever
    return FootnoteRetriever(retriever=retriever, k=k or settings.retrieval.k, search_kwargs=search_kwargs)


def open_embeddings(home: str | Path | None = None) -> FootnoteEmbeddings:
    """LangChain embeddings with the embedder that a home folder's settings name; raises RagError."""
    return FootnoteEmbeddings(load_embedder(load_settings(home).embedding))


def _document(passage: Passage) -> Document:
    chunk = passage.chunk
    return Document(
        id=str(chunk.id),
        page_content=chunk.text,
        metadata={
            "source": chunk.document, "also": list(passage.also), "page": chunk.page, "heading": chunk.heading,
            "start": chunk.start, "end": chunk.end, "score": passage.score, "rerank": passage.rerank,
        },
    )  # fmt: skip
