"""A payload as those see it who may not see personal values: its shape, and what kind of value.

A mask says the type of a value and the kind of its mark, never how long it is or whether two are
the same: the length of a word of a short list is the word.
"""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.domain.personal.places import NOT_PERSONAL, PersonalPlaces, Spot

DOTS = "••••"

MOST_VALUES = 20_000
"""Values of one payload that are looked at one by one; the rest is masked as one."""

DEEPEST = 210  # a body is refused long before
_LONG = 200  # characters
_MOST_SHOWN = 1_000  # entries of one list or object within a personal place


def mask_of(value: object, kind: str | None = None) -> str:
    """What stands for a personal value.

    >>> mask_of("ada@acme.example", "email"), mask_of(7), mask_of(" ")
    ('•••• (text, email)', '•••• (number)', '•••• (blank text)')
    """
    return f"{DOTS} ({_type(value)}{f', {kind}' if kind else ''})"


def _type(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case int() | float():
            return "number"
        case str() if not value.strip():
            return "blank text"
        case str():
            return "long text" if len(value) > _LONG else "text"
        case list():
            return "list"
    return "object"


def mask_payload(payload: object, places: PersonalPlaces) -> object:
    """A payload with masks for its personal values; the one given stays as it is.

    Names of fields, null and the number of entries are kept; keys that a sender made up are not.
    Where the contract marks nothing, the payload is answered as it is.
    """
    return mask_value(payload, places, places.whole)


def mask_value(value: object, places: PersonalPlaces, spot: Spot) -> object:
    """The same of a value that was at one place of a payload."""
    if not places.has_marks or spot == NOT_PERSONAL:
        return value
    return _Masking(places).of(value, spot, DEEPEST)


class _Masking:
    def __init__(self, places: PersonalPlaces) -> None:
        self._places = places
        self._left = MOST_VALUES

    def of(self, value: object, spot: Spot, deep: int) -> object:
        self._left -= 1
        if value is None:
            return None
        if not isinstance(value, dict | list):
            return mask_of(value, spot.kind) if spot.is_personal else value
        if deep == 0 or self._left <= 0:
            return mask_of(value, spot.kind)
        if isinstance(value, list):
            return [self.of(one, self._places.into(spot, at), deep - 1)
                    for at, one in enumerate(self._first(value, spot))]  # fmt: skip
        return self._object(value, spot, deep)

    def _object(self, value: dict[str, object], spot: Spot, deep: int) -> object:
        masked: dict[str, object] = {}
        for number, (name, one) in enumerate(value.items(), start=1):
            shown = self._places.shows_name(spot, name)
            key = name if shown else f"{DOTS} (name {number})"
            masked[key] = self.of(one, self._places.into(spot, name), deep - 1)
            if spot.is_personal and number == _MOST_SHOWN:
                break
        return masked

    def _first(self, value: list[object], spot: Spot) -> list[object]:
        return value[:_MOST_SHOWN] if spot.is_personal else value


def personal_texts(payload: object, places: PersonalPlaces) -> Iterator[str]:
    """Every personal value of a payload as text, and the keys that a sender made up."""
    return texts_of(payload, places, places.whole)


def texts_of(value: object, places: PersonalPlaces, spot: Spot) -> Iterator[str]:
    """The same of a value that was at one place of a payload."""
    todo = [(value, spot)] if places.has_marks and spot != NOT_PERSONAL else []
    while todo:
        one, at = todo.pop()
        if isinstance(one, dict):
            for name, inner in one.items():
                if not places.shows_name(at, name):
                    yield name
                todo.append((inner, places.into(at, name)))
        elif isinstance(one, list):
            todo += [(inner, places.into(at, place)) for place, inner in enumerate(one)]
        elif at.is_personal:
            yield from plain_texts(one)


def plain_texts(value: object) -> Iterator[str]:
    """A value's texts and numbers as text, whatever their places; not what is blank."""
    todo = [value]
    while todo:
        one = todo.pop()
        if isinstance(one, dict):
            todo += one.values()
        elif isinstance(one, list):
            todo += one
        elif isinstance(one, str):
            if one.strip():
                yield one
        elif isinstance(one, int | float) and not isinstance(one, bool):
            yield str(one)
