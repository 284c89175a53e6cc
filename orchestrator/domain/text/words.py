"""The words of a payload, by which people find its event: names of fields, and values."""

from __future__ import annotations

import re

from orchestrator.domain.errors import Refused
from orchestrator.domain.text.composing import composed

MOST_WORDS = 500  # of one payload; what comes after them is not found
_LONGEST_WORD = 40  # characters; what is longer is known by its beginning
_MOST_SOUGHT = 10

_ESCAPED = re.compile(r"\\(?:u[0-9a-fA-F]{4}|.)")
_WORD = re.compile(r"[^\W_]+")


def words_of(document: str) -> list[str]:
    """The words of a JSON text, each once, in small letters."""
    return _split(_ESCAPED.sub(" ", document) if "\\" in document else document)[:MOST_WORDS]


def sought_words(text: str) -> tuple[str, ...]:
    """The words that somebody looks for. Raises Refused for none and for more than 10."""
    words = _split(text)
    if not words:
        raise Refused(
            "no letter and no digit is in it", field="text", fix="give a word to look for"
        )
    if len(words) > _MOST_SOUGHT:
        raise Refused(
            f"these are {len(words)} words", field="text", fix=f"give at most {_MOST_SOUGHT}"
        )
    return tuple(words)


def _split(text: str) -> list[str]:
    if not text.isascii():
        text = composed(text, "NFKC")
    found = dict.fromkeys(_WORD.findall(text.casefold()))
    return list(dict.fromkeys(word[:_LONGEST_WORD] for word in found))
