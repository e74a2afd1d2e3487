"""The built-in embedder, with its real weights where they are here."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.bert import batches_of
from rag.embedder import SentenceEmbedder, load_embedder
from rag.errors import ModelError
from rag.models import is_present, require
from rag.settings import EmbeddingSettings
from rag.types import Embedder

TEXTS = [
    "每位员工每年享有十五天带薪年假。",
    "Every employee has fifteen days of paid leave a year.",
    "The moon is far away.",
    "",
]


@pytest.fixture(scope="module")
def real() -> Embedder:
    """The built-in embedder."""
    if not is_present("multilingual-e5-small"):
        message = "needs `python -m rag models pull multilingual-e5-small`"
        pytest.fail(message) if os.environ.get("CI") == "true" else pytest.skip(message)
    return load_embedder(EmbeddingSettings())


@given(st.lists(st.integers(1, 600), max_size=60))
def test_every_text_is_in_one_batch(lengths: list[int]) -> None:
    """Batches hold every row once, keep to the limit unless a single text is over it, and go from long to short."""
    batches = batches_of(lengths, 512)
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    assert all(len(batch) == 1 or sum(lengths[row] for row in batch) <= 512 for batch in batches)
    assert [lengths[row] for batch in batches for row in batch] == sorted(lengths, reverse=True)


def test_both_ways_to_compute_a_vector_agree(real: Embedder) -> None:
    """The packed forward pass gives sentence-transformers' own vectors in float32, for short, long and cut texts."""
    from sentence_transformers import SentenceTransformer

    texts = [*TEXTS, "长文本。" * 40, "A long text about many things. " * 120]
    plain = SentenceTransformer(str(require("multilingual-e5-small")), local_files_only=True)
    expected = plain.encode([f"passage: {text}" for text in texts], normalize_embeddings=True)
    assert float((real.embed_passages(texts) * expected).sum(axis=1).min()) > 0.999


def test_a_model_of_another_kind_goes_through_sentence_transformers(real: Embedder, tmp_path: Path) -> None:
    """A model that the packed forward pass does not compute (here: pooled by its first token) gets the right vectors."""
    from sentence_transformers import SentenceTransformer

    folder = shutil.copytree(require("multilingual-e5-small"), tmp_path / "cls")
    (folder / "1_Pooling" / "config.json").write_text('{"embedding_dimension": 384, "pooling_mode": "cls"}')
    expected = SentenceTransformer(str(folder), local_files_only=True).encode(
        ["passage: moon"], normalize_embeddings=True
    )
    embedder = SentenceEmbedder(str(folder), EmbeddingSettings(model=str(folder)), "cls", {})
    assert float(embedder.embed_passages(["moon"])[0] @ expected[0]) > 0.999


def test_vectors_are_unit_vectors_in_the_given_order(real: Embedder) -> None:
    """Each text gets its own unit vector of 384 numbers, whatever it is embedded together with, an empty one too."""
    together = real.embed_passages(TEXTS)
    assert together.shape == (len(TEXTS), real.dimension) == (4, 384) and together.dtype == np.float32
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-3)
    for text, vector in zip(TEXTS, together, strict=True):
        assert float(real.embed_passages([text])[0] @ vector) > 0.999
    assert real.embed_passages([]).shape == (0, 384)


def test_a_translation_is_nearer_than_another_sentence(real: Embedder) -> None:
    """After centring, a sentence is near its translation and far from another one in its own language."""
    centred = real.centre(real.embed_passages(TEXTS[:3]), ["zh", "en", "en"])
    assert np.allclose(np.linalg.norm(centred, axis=1), 1, atol=1e-3)
    assert float(centred[0] @ centred[1]) > 0.5 > float(centred[1] @ centred[2])


def test_the_fingerprint_names_everything_that_moves_a_vector(real: Embedder) -> None:
    """The name of an index's embedder is the same for the same settings."""
    assert real.fingerprint.startswith("multilingual-e5-small@")
    assert load_embedder(EmbeddingSettings(passage_prefix="")).fingerprint != real.fingerprint


def test_a_folder_that_is_no_model_is_one_sentence() -> None:
    """An embedder that is not there is said to be missing, with the setting to change, and nothing is downloaded."""
    with pytest.raises(ModelError, match=r"embedding\.model") as error:
        load_embedder(EmbeddingSettings(model="/no/such/folder"))
    assert "\n" not in str(error.value)
