"""The fence around a passage in a prompt: a mark that its author cannot know, so that no text can close it."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Iterable

NONCE_CHARACTERS = 6  # of 32: one guess in a billion
_FENCE = re.compile(rf"<(?:[a-z2-7]{{{NONCE_CHARACTERS}}} \d+|/[a-z2-7]{{{NONCE_CHARACTERS}}})>", re.IGNORECASE)


def nonce(secret: bytes, question: str, texts: Iterable[str]) -> str:
    """Six characters a–z and 2–7: the same for the same question and texts in one home, not to be guessed by their author.

    HMAC-SHA256 under the home's secret over the parts, each with its length in front. No text holds the result.
    """
    parts = [question, *texts]
    for attempt in range(1000):  # a text that holds it by chance is met once in ten thousand megabytes
        mac = hmac.new(secret, str(attempt).encode(), "sha256")
        for part in parts:
            data = part.encode("utf-8", "surrogatepass")
            mac.update(len(data).to_bytes(8, "big") + data)
        made = base64.b32encode(mac.digest()).decode().lower()[:NONCE_CHARACTERS]
        if not any(made in part.lower() for part in parts):
            return made
    raise ValueError("no nonce is free of a thousand: the texts hold them all")


def fenced(n: int, text: str, nonce: str) -> str:
    """Passage ``n`` between its fences, each on a line of its own; what looks like a fence in the text is broken up."""
    inner = _FENCE.sub(lambda mark: mark.group().replace("<", "< ", 1), text)
    return f"<{nonce} {n}>\n{inner}\n</{nonce}>"


def blanked(text: str) -> str:
    """The text with the same mark in all fences, whatever home they are from."""
    return _FENCE.sub(lambda mark: re.sub(r"[a-z2-7]{6}", "passage", mark.group(), count=1), text)
