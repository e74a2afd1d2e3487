"""The retriever and the embedder behind LangChain's interfaces."""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever


class FootnoteRetriever(BaseRetriever):
    """Passages of a knowledge base as LangChain Documents."""

    retriever: Any
    k: int = 4

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        return [
            Document(
                page_content=passage.chunk.text,
                metadata={
                    "document": passage.chunk.document, "page": passage.chunk.page, "heading": passage.chunk.heading,
                    "start": passage.chunk.start, "end": passage.chunk.end, "score": passage.score,
                },
            )
            for passage in self.retriever.search(query, self.k)
        ]  # fmt: skip
