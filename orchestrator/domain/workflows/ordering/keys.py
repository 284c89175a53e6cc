"""Order per key: which events of a workflow go one after another, and which update is the newer.

Both are read from a payload by plain paths, so that the door needs no expression for it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Context, Decimal

import orjson

from orchestrator.domain.delivery.moments import counted_moment

Path = tuple[str, ...]
"""The names that lead to a value of the payload, from its top."""

_NUMBER = re.compile(r"-?[0-9]{1,24}(\.[0-9]{1,24})?")
_DIGITS, _PLACES = 34, 9  # of a rank: all its digits, and those behind the point
_EXACT = Context(prec=50)
_MIDDLE = 10 ** (_DIGITS - 1) * 5  # what zero is written as, so that every rank is positive


@dataclass(frozen=True, kw_only=True, slots=True)
class Ordering:
    """How the events of one version are ordered."""

    key: Path  # events with one value there go one after another
    passes: bool = False  # whether an event in quarantine lets its followers pass
    latest: Path | None = None  # to the moment or number of an update; None: none is dropped

    def as_text(self) -> str:
        """As the store keeps it beside a version."""
        return orjson.dumps(
            {"key": self.key, "passes": self.passes, "latest": self.latest}
        ).decode()

    @classmethod
    def from_text(cls, text: str) -> Ordering:
        """What `as_text` wrote."""
        kept = orjson.loads(text)
        latest = kept["latest"]
        return cls(
            key=tuple(kept["key"]),
            passes=kept["passes"],
            latest=None if latest is None else tuple(latest),
        )


def key_in(payload: object, path: Path) -> str | None:
    """The ordering key of a payload as one text; None where it has none.

    A text, a number and a boolean are keys, a blank text is not: many forms send one for "nothing".

    >>> key_in({"email": "ada@acme.example"}, ("email",))
    '"ada@acme.example"'
    >>> key_in({"id": 7.0}, ("id",)) == key_in({"id": 7}, ("id",))
    True
    """
    value = _at(payload, path)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, str | int | float) or (isinstance(value, str) and not value.strip()):
        return None
    return repr(value) if isinstance(value, int | float) else orjson.dumps(value).decode()


def rank_in(payload: object, path: Path) -> str | None:
    """When or as which an update was made, as a text that sorts as they do; None: not to be read.

    Moments and numbers are ranks of two kinds, told by the first letter: they are never compared.

    >>> rank_in({"n": 9}, ("n",)) < rank_in({"n": 10}, ("n",))
    True
    """
    value = _at(payload, path)
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return _rank("n", Decimal(repr(value)))
    if not isinstance(value, str):
        return None
    if _NUMBER.fullmatch(value.strip()):
        return _rank("n", Decimal(value.strip()))
    moment = counted_moment(value)
    return None if moment is None else _rank("m", moment)


def _rank(kind: str, value: Decimal) -> str | None:
    if not value.is_finite() or abs(value) >= 10 ** (_DIGITS - _PLACES - 2):
        return None
    return f"{kind}{int(value.scaleb(_PLACES, _EXACT)) + _MIDDLE:0{_DIGITS}d}"


def _at(payload: object, path: Sequence[str]) -> object:
    for name in path:
        if not isinstance(payload, dict):
            return None
        payload = payload.get(name)
    return payload
