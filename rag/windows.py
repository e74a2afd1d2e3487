"""Sentence windows: a chunk is embedded as a whole and in pieces of a sentence or two, so that one line of it can be found."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from math import ceil

import numpy as np

from rag.text import CJK_CHARACTER
from rag.types import Chunk, Embedder

SIZE = 150  # English characters a window, a sentence or a short two; part of every embedder's fingerprint
_CJK_WEIGHT = 3  # a Chinese character says as much as three English ones
_SENTENCE = re.compile(r".+?(?:[。！？；…]+[”’」』）】》〉\"']*|[.!?]+[”’)\]\"']*(?=\s)|\n|$)\s*", re.DOTALL)


def windows(chunk: Chunk) -> list[str]:
    """The chunk's windows in order, each with the heading in front; none where the chunk is no longer than one.

    They end at sentences or lines, cover the text, don't overlap and are evenly filled.
    """
    sentences = _SENTENCE.findall(chunk.text)
    weights = [_weight(sentence) for sentence in sentences]
    count = ceil(sum(weights) / SIZE)
    if count < 2 or len(sentences) < 2:
        return []
    target = sum(weights) / count
    starts = np.concatenate([[0], np.cumsum(weights)[:-1]])
    places = ((starts + np.array(weights) / 2) // target).tolist()
    groups = groupby(zip(places, sentences, strict=True), key=lambda pair: pair[0])
    texts = ["".join(sentence for _, sentence in group).strip() for _, group in groups]
    heading = f"{chunk.heading}\n" if chunk.heading else ""
    return [heading + text for text in texts if text]


def embed_chunks(chunks: Sequence[Chunk], embedder: Embedder) -> list[np.ndarray]:
    """For each chunk a float32 matrix of unit vectors: the whole first, then its windows."""
    texts = [[chunk.indexed_text, *windows(chunk)] for chunk in chunks]
    vectors = embedder.embed_passages([text for part in texts for text in part])
    ends = np.cumsum([len(part) for part in texts])
    return np.split(vectors, ends[:-1]) if chunks else []


def _weight(text: str) -> int:
    return len(text) + (_CJK_WEIGHT - 1) * len(CJK_CHARACTER.findall(text))
