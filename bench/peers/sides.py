"""The five sides, each used as its own first page shows, with the same weights, chunk sizes and prefixes.

A side loads its libraries and weights when it is made; ``ingest`` makes documents searchable and leaves what it keeps
in a folder; ``search`` gives the documents of each passage found, best first. Only what is named in ``notes`` differs
from a peer's defaults: all get e5's prefixes, chunks of 1,000 English or 350 Chinese characters without overlap, and,
as here, the document's title in front of each chunk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

from bench.peers.material import Record
from rag.settings import IngestSettings
from rag.text import language

QUERY, PASSAGE = "query: ", "passage: "
# What LangChain's page on splitting names for languages without spaces between words.
_UNSPACED = ["\n\n", "\n", " ", ".", ",", "\u200b", "，", "、", "．", "。", ""]
Found = list[tuple[str, ...]]


class Side(Protocol):
    """What is measured of each."""

    def __init__(self, weights: Path, folder: Path) -> None: ...

    def ingest(self, corpus: Path, records: Sequence[Record]) -> int:
        """Make the documents searchable; gives the number of chunks."""

    def save(self) -> None:
        """Write the index to the folder, where ``ingest`` has not done so already."""

    def search(self, question: str, k: int) -> Found:
        """The documents of each of ``k`` passages, best first."""


class Footnote:
    """This project: the real ingest from the file, and the retrieval that the app and the commands use."""

    def __init__(self, weights: Path, folder: Path) -> None:
        from ingest import sync
        from rag.embedder import load_embedder
        from rag.pipeline import load_pipeline
        from rag.settings import Settings
        from rag.store import Store

        self._synchronise, self._load_pipeline = sync.synchronise, load_pipeline
        self._settings = Settings(folder)
        self._embedder = load_embedder(self._settings.embedding)
        self._store = Store(folder)
        self.forward = 0.0  # seconds spent in the embedder since the last reset

    def ingest(self, corpus: Path, records: Sequence[Record]) -> int:
        """Parse, split, embed and commit the file's records."""
        self._synchronise(self._settings, [corpus], store=self._store, embedder=self._embedder)
        watched = Watched(self._embedder, self._add)
        self._pipeline = self._load_pipeline(self._settings, answers=False, embedder=watched)
        return int(self._store.counts()[1])

    def save(self) -> None:
        """Nothing: a document is on disk once it counts as taken in; the first question writes the cached index."""

    def search(self, question: str, k: int) -> Found:
        """Through Pipeline.retrieve, with its decision whether to answer."""
        passages = self._pipeline.retrieve(question, k=k).passages
        return [tuple(name.partition("#")[2] for name in passage.documents) for passage in passages]

    def _add(self, seconds: float) -> None:
        self.forward += seconds


class Watched:
    """An embedder that tells how long each of its ``embed…`` calls took."""

    def __init__(self, embedder: Any, spent: Callable[[float], None]) -> None:
        self._embedder = embedder
        self._spent = spent

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._embedder, name)
        if not name.startswith("embed"):
            return value

        def timed(*arguments: Any, **named: Any) -> Any:
            began = perf_counter()
            try:
                return value(*arguments, **named)
            finally:
                self._spent(perf_counter() - began)

        return timed


class LangChain:
    """RecursiveCharacterTextSplitter, HuggingFaceEmbeddings and the FAISS vector store."""

    def __init__(self, weights: Path, folder: Path) -> None:
        from langchain_community.vectorstores import FAISS
        from langchain_huggingface import HuggingFaceEmbeddings

        self._faiss, self._folder = FAISS, folder
        self._embeddings = HuggingFaceEmbeddings(
            model_name=str(weights),
            encode_kwargs={"prompt": PASSAGE, "normalize_embeddings": True},
            query_encode_kwargs={"prompt": QUERY, "normalize_embeddings": True},
        )

    def ingest(self, corpus: Path, records: Sequence[Record]) -> int:
        """FAISS.from_documents over the split documents."""
        from langchain_core.documents import Document

        chunks = [Document(text, metadata={"id": id}) for id, text in _pieces(records)]
        self._index = self._faiss.from_documents(chunks, self._embeddings)
        return len(chunks)

    def save(self) -> None:
        """The index and its documents, as FAISS.save_local writes them."""
        self._index.save_local(str(self._folder))

    def search(self, question: str, k: int) -> Found:
        """similarity_search."""
        return [(found.metadata["id"],) for found in self._index.similarity_search(question, k=k)]


class LlamaIndex:
    """VectorStoreIndex with SentenceSplitter and HuggingFaceEmbedding."""

    def __init__(self, weights: Path, folder: Path) -> None:
        from llama_index.core import Document, VectorStoreIndex
        from llama_index.core.node_parser import SentenceSplitter
        from llama_index.embeddings.huggingface import HuggingFaceEmbedding

        self._document, self._make, self._folder = Document, VectorStoreIndex, folder
        self._embedding = HuggingFaceEmbedding(
            model_name=str(weights), query_instruction=QUERY, text_instruction=PASSAGE
        )
        # Its sizes count tokens; with ``list`` for a tokenizer a token is a character, as on the other sides.
        self._splitters = {
            size: SentenceSplitter(chunk_size=size, chunk_overlap=0, tokenizer=list) for size in _sizes().values()
        }

    def ingest(self, corpus: Path, records: Sequence[Record]) -> int:
        """Nodes from the splitter, then the index over them."""
        nodes = []
        for record in records:
            document = self._document(text=record.text, id_=record.id, metadata=_titled(record))
            nodes += self._splitters[_size(record)].get_nodes_from_documents([document])
        self._index = self._make(nodes, embed_model=self._embedding)
        return len(nodes)

    def save(self) -> None:
        """The storage context, as its persist writes it."""
        self._index.storage_context.persist(str(self._folder))

    def search(self, question: str, k: int) -> Found:
        """A retriever of the index."""
        retriever = self._index.as_retriever(similarity_top_k=k)
        return [(found.node.ref_doc_id,) for found in retriever.retrieve(question)]


class Txtai:
    """Embeddings in hybrid mode (dense and BM25) with content; split like LangChain, for it takes texts as they are."""

    def __init__(self, weights: Path, folder: Path) -> None:
        from txtai import Embeddings

        self._folder = folder
        self._embeddings = Embeddings(
            path=str(weights), instructions={"query": QUERY, "data": PASSAGE}, hybrid=True, content=True
        )

    def ingest(self, corpus: Path, records: Sequence[Record]) -> int:
        """Index the chunks under numbers, from which their documents are known."""
        pieces = _pieces(records)
        self._documents = [id for id, _ in pieces]
        self._embeddings.index((number, text) for number, (_, text) in enumerate(pieces))
        return len(pieces)

    def save(self) -> None:
        """The whole index."""
        self._embeddings.save(str(self._folder))

    def search(self, question: str, k: int) -> Found:
        """Embeddings.search."""
        return [(self._documents[int(found["id"])],) for found in self._embeddings.search(question, k)]


class Chroma:
    """A persistent collection (cosine) with SentenceTransformerEmbeddingFunction; split like LangChain.

    The embedding function knows no prefixes, so that texts and questions are given with theirs.
    """

    def __init__(self, weights: Path, folder: Path) -> None:
        import chromadb
        from chromadb.utils.embedding_functions import SentenceTransformerEmbeddingFunction

        self._client = chromadb.PersistentClient(str(folder))
        embed = SentenceTransformerEmbeddingFunction(str(weights), normalize_embeddings=True)
        self._collection = self._client.create_collection(
            "documents", embedding_function=embed, configuration={"hnsw": {"space": "cosine"}}
        )

    def ingest(self, corpus: Path, records: Sequence[Record]) -> int:
        """Collection.add, as many at a time as the client takes."""
        pieces = _pieces(records)
        most = self._client.get_max_batch_size()
        for start in range(0, len(pieces), most):
            batch = pieces[start : start + most]
            self._collection.add(
                ids=[str(start + number) for number in range(len(batch))],
                documents=[PASSAGE + text for _, text in batch],
                metadatas=[{"id": id} for id, _ in batch],
            )
        return len(pieces)

    def save(self) -> None:
        """Nothing: the client writes as it goes."""

    def search(self, question: str, k: int) -> Found:
        """Collection.query."""
        found = self._collection.query(query_texts=[QUERY + question], n_results=min(k, self._collection.count()))
        return [(metadata["id"],) for metadata in found["metadatas"][0]]


@dataclass(frozen=True, slots=True)
class Entry:
    """A side's class, its name and what a reader must know of how it is used; ``packages`` are named with versions."""

    make: type[Any]
    title: str
    notes: str
    packages: tuple[str, ...] = ()


SIDES = {
    "footnote": Entry(
        Footnote,
        "Footnote",
        "`synchronise` from the .jsonl file, parsing in its child process and commits to disk included; "
        "`Pipeline.retrieve`; its own splitter, prefixes and number format",
    ),
    "langchain": Entry(
        LangChain,
        "LangChain",
        "`RecursiveCharacterTextSplitter`, for Chinese with the separators that its documentation "
        "names; `HuggingFaceEmbeddings` with the prefixes as `prompt` in `encode_kwargs` "
        "and `query_encode_kwargs`; `FAISS.from_documents` in memory, saved after the clock has stopped",
        ("langchain-core", "langchain-text-splitters", "langchain-huggingface", "langchain-community", "faiss-cpu"),
    ),
    "llamaindex": Entry(
        LlamaIndex,
        "LlamaIndex",
        "`SentenceSplitter` counting characters, the title as metadata; `HuggingFaceEmbedding` with `query_instruction` and "
        "`text_instruction`; `VectorStoreIndex` in memory, persisted after the clock has stopped",
        ("llama-index-core", "llama-index-embeddings-huggingface"),
    ),
    "txtai": Entry(
        Txtai,
        "txtai",
        "chunks of LangChain's splitter; `Embeddings` with `hybrid=True`, `content=True` and the prefixes as "
        "`instructions`; saved after the clock has stopped",
        ("txtai",),
    ),
    "chroma": Entry(
        Chroma,
        "Chroma",
        "chunks of LangChain's splitter; `SentenceTransformerEmbeddingFunction`, the prefixes put before the texts; "
        "a `PersistentClient` collection with cosine distance",
        ("chromadb",),
    ),
}


def _sizes() -> dict[str, int]:
    sizes = IngestSettings()
    return {"zh": sizes.chinese_size, "en": sizes.english_size}


def _size(record: Record) -> int:
    return _sizes()[language(record.text)]


def _titled(record: Record) -> dict[str, str]:
    """LlamaIndex puts a node's metadata in front of its text itself."""
    return {"title": record.title} if record.title else {}


def _pieces(records: Sequence[Record]) -> list[tuple[str, str]]:
    """Document ids and chunks, by LangChain's splitter."""
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    splitters = {
        "zh": RecursiveCharacterTextSplitter(chunk_size=_sizes()["zh"], chunk_overlap=0, separators=_UNSPACED),
        "en": RecursiveCharacterTextSplitter(chunk_size=_sizes()["en"], chunk_overlap=0),
    }
    return [
        (record.id, f"{record.title}\n{text}" if record.title else text)
        for record in records
        for text in splitters[language(record.text)].split_text(record.text)
    ]
