"""The retriever and the embeddings as LangChain uses them, and the page that shows them."""

from __future__ import annotations

import asyncio
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from langchain_core.vectorstores import InMemoryVectorStore

from rag.chain import FootnoteEmbeddings, FootnoteRetriever
from rag.models import is_present
from rag.retriever import Retriever
from rag.settings import RetrievalSettings
from rag.store import Store
from rag.types import Filter
from tests.rag.stored import put

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "langchain.md"


@pytest.fixture
def retriever(tmp_path: Path, embedder: Any) -> FootnoteRetriever:
    """Three documents behind LangChain's interface, two passages a question."""
    store = Store(tmp_path)
    for name, text in {"leave.md": "paid leave days", "rent.md": "office rent", "both.md": "paid rent"}.items():
        put(store, embedder, name, text, heading="Rules")
    return FootnoteRetriever(retriever=Retriever(store, embedder, RetrievalSettings()), k=2)


def test_a_document_says_where_it_is_from(retriever: FootnoteRetriever) -> None:
    """Each Document carries the keys that the page names, with the place of its text."""
    first, _ = retriever.invoke("paid leave")
    named = re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.+?) \|", PAGE.read_text(encoding="utf-8"), re.M)))
    assert sorted(first.metadata) == sorted(named)
    assert (first.metadata["source"], first.metadata["heading"], first.metadata["page"]) == ("leave.md", "Rules", None)
    assert first.metadata["end"] - first.metadata["start"] == len(first.page_content)


def test_keywords_reach_the_search(retriever: FootnoteRetriever) -> None:
    """What is given for one question wins over what holds for every question."""
    assert len(retriever.invoke("paid", k=3)) == 3
    hiding = retriever.model_copy(update={"search_kwargs": {"withhold": ["leave.md"]}})
    assert "leave.md" not in [d.metadata["source"] for d in hiding.invoke("paid leave", k=3)]
    assert hiding.invoke("paid leave", withhold=[])[0].metadata["source"] == "leave.md"
    (only,) = retriever.invoke("paid leave", k=3, filter=Filter(documents=("rent.md",)))
    assert only.metadata["source"] == "rent.md"


def test_async_and_batches_find_the_same(retriever: FootnoteRetriever) -> None:
    """ainvoke and batch give what invoke gives."""
    expected = [retriever.invoke(question) for question in ("paid leave", "rent")]
    assert retriever.batch(["paid leave", "rent"]) == expected
    assert asyncio.run(retriever.ainvoke("paid leave")) == expected[0]


def test_embeddings_are_the_index_s_own(exact_embedder: Any) -> None:
    """A text's vector is the centred one that the program's index compares, a question's is centred as a question."""

    class Centring(exact_embedder):  # type: ignore[misc]
        def centre(self, vectors: np.ndarray, languages: Any, *, side: str = "passage") -> np.ndarray:
            signs = np.array([-1.0 if language == "zh" else 1.0 for language in languages], np.float32)
            return vectors * signs[:, None] * (3 if side == "query" else 1)

    embedder = Centring()
    embeddings = FootnoteEmbeddings(embedder)
    assert np.allclose(embeddings.embed_documents(["年假", "leave"])[0], -embedder.embed_query("年假"))
    assert np.allclose(embeddings.embed_query("leave"), 3 * embedder.embed_query("leave"))
    assert embeddings.embed_documents([]) == []


def test_embeddings_fill_a_vector_store(embedder: Any) -> None:
    """A LangChain vector store takes the embeddings and finds with them."""
    store = InMemoryVectorStore(FootnoteEmbeddings(embedder))
    store.add_texts(["paid leave", "office rent"])
    assert [d.page_content for d in store.similarity_search("rent", k=1)] == ["office rent"]


def test_the_page_runs_and_prints_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The page's commands and code, run one after the other in a fresh home, print what the page shows."""
    if not is_present("multilingual-e5-small"):
        message = "needs `python -m rag models pull multilingual-e5-small`"
        pytest.fail(message) if os.environ.get("CI") == "true" else pytest.skip(message)
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("FOOTNOTE_HOME", str(tmp_path))
    blocks = re.findall(r"^```(\w+)\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    kinds = {kind: [text for k, text in blocks if k == kind] for kind in ("sh", "python", "text")}
    for line in "".join(kinds["sh"]).splitlines():
        command = [sys.executable, *line.split()[1:]]
        subprocess.run(command, check=True, capture_output=True, timeout=300)
    script = tmp_path / "page.py"
    script.write_text("\n".join(kinds["python"]), encoding="utf-8")
    runpy.run_path(str(script))
    assert capsys.readouterr().out == "".join(kinds["text"])
