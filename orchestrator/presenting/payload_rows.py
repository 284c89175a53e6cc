"""A payload as it came beside what was made of it, one row per value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from orchestrator.domain.documents.json_pointer import json_pointer
from orchestrator.domain.text.abbreviate import abbreviate

MOST_ROWS = 200
_MOST_READ = 5_000  # values of one document: a page is drawn between two looks of Flower
_LONGEST = 200  # characters of one value


@dataclass(frozen=True, kw_only=True, slots=True)
class PayloadRow:
    """One place of a payload."""

    path: str  # as a JSON Pointer; empty: the whole payload
    came: str | None  # the value's JSON, cut where it is long; None: it did not come
    amended: str | None  # the same after the amendment; None: it is not there any more
    change: str  # empty, `changed`, `added` or `taken out`


@dataclass(frozen=True, kw_only=True, slots=True)
class PayloadRows:
    """The places of a payload: those that differ first, else in the order in which they came."""

    rows: tuple[PayloadRow, ...]
    more: bool  # there are more than are shown


def lay_beside(came: object, amended: object = None) -> PayloadRows:
    """The places of a payload; `amended` is None where nobody amended it.

    >>> [(row.path, row.change) for row in lay_beside({"a": 1}, {"b": 1}).rows]
    [('/a', 'taken out'), ('/b', 'added')]
    """
    before = dict(islice(_values(came), _MOST_READ))
    after = before if amended is None else dict(islice(_values(amended), _MOST_READ))
    whole = max(len(before), len(after)) < _MOST_READ
    rows = [
        _row(path, before.get(path), after.get(path)) for path in dict.fromkeys([*before, *after])
    ]
    if not whole:  # what is missing may only be unread
        rows = [row for row in rows if row.came and row.amended]
    rows.sort(key=lambda row: not row.change)
    return PayloadRows(rows=tuple(rows[:MOST_ROWS]), more=not whole or len(rows) > MOST_ROWS)


def _row(path: str, came: str | None, amended: str | None) -> PayloadRow:
    change = "" if came == amended else "changed"
    if came is None:
        change = "added"
    elif amended is None:
        change = "taken out"
    return PayloadRow(path=path, came=came, amended=amended, change=change)


def _values(document: object) -> Iterator[tuple[str, str]]:
    """Each value that holds no other, with its place; not by recursion: senders nest deeply."""
    waiting = [("", document)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict | list) and value:
            parts = value.items() if isinstance(value, dict) else enumerate(value)
            waiting.extend(reversed([(path + json_pointer([name]), one) for name, one in parts]))
        else:
            yield path, abbreviate(value, _LONGEST)
