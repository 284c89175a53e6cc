"""Cursors: the place in a list where the next page begins, as text that nobody has to read."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import orjson

from orchestrator.domain.errors import Refused

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Page(Generic[T]):
    """Some of a list."""

    rows: Sequence[T]
    next: str | None  # the cursor of the next page; None: there is none

    def as_json(self, name: str) -> dict[str, object]:
        """The page as a document, its rows under `name`."""
        return {name: self.rows, "next": self.next}


def cursor_of(*place: str | int) -> str:
    """The cursor of a place.

    >>> cursor_of("a", 7)
    'WyJhIiw3XQ'
    """
    return base64.urlsafe_b64encode(orjson.dumps(place)).decode().rstrip("=")


def place_of(cursor: str | None, *kinds: type[str | int]) -> tuple[str | int, ...] | None:
    """The place of a cursor, whose parts are of these kinds; None without one. Raises Refused.

    >>> place_of("WyJhIiw3XQ", str, int)
    ('a', 7)
    """
    if cursor is None:
        return None
    try:
        read = orjson.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", True))
    except (binascii.Error, ValueError):
        read = None
    fits = isinstance(read, list) and len(read) == len(kinds)
    if not fits or not all(_fits(one, kind) for one, kind in zip(read, kinds, strict=True)):
        raise Refused(
            "this is not a cursor of this list",
            field="cursor",
            fix="give what an answer has under `next`, or none for the first page",
        )
    return tuple(read)


def _fits(value: object, kind: type[str | int]) -> bool:
    if kind is int:
        return type(value) is int and abs(value) < 2**63
    return isinstance(value, str) and "\x00" not in value


def page_of(rows: Sequence[T], limit: int, place: Callable[[T], Sequence[str | int]]) -> Page[T]:
    """The first `limit` of rows, of which one more was asked for."""
    shown = rows[:limit]
    more = len(rows) > limit
    return Page(rows=shown, next=cursor_of(*place(shown[-1])) if more else None)
