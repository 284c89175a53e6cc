"""Values of a payload that tell of somebody, and how they are struck from other texts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from orchestrator.domain.commitments import is_telling
from orchestrator.domain.recipes.amendment import is_index

STRUCK = "[erased]"
MOST_TELLING = 2_000  # of one payload; what comes after them is not looked for elsewhere


def leaves_of(value: object) -> Iterator[str]:
    """Every name and every value of a JSON document, as text."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from leaves_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves_of(inner)
    elif isinstance(value, str):
        yield value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)


def telling_of(value: object) -> set[str]:
    """Those of its names and values that may tell of somebody: addresses, phrases, long numbers."""
    found: set[str] = set()
    for leaf in leaves_of(value):
        if is_telling(leaf.strip()):
            found.add(leaf.strip())
            if len(found) == MOST_TELLING:
                break
    return found


class Strike:
    """Takes some values out of other texts, whatever their case."""

    def __init__(self, values: Iterable[str]) -> None:
        self.values = tuple(sorted(values, key=len, reverse=True))  # the longest first
        self._folded = tuple(one.casefold() for one in self.values)

    def hits(self, text: str) -> bool:
        """Whether a text holds one of them."""
        folded = text.casefold()
        return any(one in folded for one in self._folded)

    def text(self, text: str) -> str:
        """The text without them."""
        folded = text.casefold()
        for value, known in zip(self.values, self._folded, strict=True):
            if known in folded:
                text = re.sub(re.escape(value), STRUCK, text, flags=re.IGNORECASE)
                folded = text.casefold()
        return text

    def document(self, value: object) -> object:
        """A JSON document without them, names and values."""
        if isinstance(value, dict):
            return {self.text(name): self.document(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.document(inner) for inner in value]
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return STRUCK if str(value) in self.values else value
        return value


def has_value(document: object, steps: Sequence[str], wanted: str) -> bool:
    """Whether `wanted` is at a place of a document, in any case; a `*` stands for every entry."""
    if not steps:
        return _is(document, wanted)
    return any(has_value(one, steps[1:], wanted) for one in _inside(document, steps[0]))


def _inside(document: object, step: str) -> list[object]:
    if isinstance(document, dict):
        if step == "*":
            return list(document.values())
        return [document[step]] if step in document else []
    if isinstance(document, list):
        if step == "*":
            return document
        return [document[int(step)]] if is_index(step, len(document)) else []
    return []


def _is(value: object, wanted: str) -> bool:
    if isinstance(value, str):
        return value.strip().casefold() == wanted.strip().casefold()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value) == wanted.strip()
    return False
