"""Whether a record says what was sent, field by field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from html.parser import HTMLParser


class Comparison(StrEnum):
    """What a tool may change about a value without changing what it says."""

    EXACT = "exact"  # nothing: equal as JSON
    TEXT = "text"  # a number or a truth value kept as text
    NUMBER = "number"  # a number kept as text or otherwise written: "5.00" is 5
    TRIMMED = "trimmed"  # white space around a text, and how its lines end
    CASELESS = "caseless"  # the same, and upper and lower case
    HTML = "html"  # a text wrapped into markup
    SET = "set"  # the order of a list


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One field that was stored otherwise than sent."""

    field: str
    sent: object
    stored: object


_MISSING = object()
_AS_JSON: Mapping[str, Comparison] = {}


def differences(
    sent: Mapping[str, object],
    stored: Mapping[str, object],
    confirm: tuple[str, ...],
    compare: Mapping[str, Comparison] = _AS_JSON,
) -> tuple[Difference, ...]:
    """The fields of `confirm` whose stored value is not the one that was sent.

    A field that the record lacks is a difference (shown as None). Values compare as JSON: 1 equals
    1.0, and True does not equal 1; `compare` says, by field, what the tool may change.
    """
    found = []
    for name in confirm:
        want, have = sent.get(name, _MISSING), stored.get(name, _MISSING)
        if want is _MISSING or (have is not _MISSING and _same(want, have)):
            continue
        how = compare.get(name, Comparison.EXACT)
        if have is not _MISSING and how is not Comparison.EXACT and _alike(want, have, how):
            continue
        shown = None if have is _MISSING else have
        found.append(Difference(field=name, sent=want, stored=shown))
    return tuple(found)


def _alike(want: object, have: object, how: Comparison) -> bool:
    """Whether both say the same, except what the tool may change."""
    if how is Comparison.SET:
        return _same_members(want, have)
    if how is Comparison.NUMBER:
        number = _number(want)
        return number is not None and number == _number(have)
    one, other = _plain_text(want), _plain_text(have)
    if one is None or other is None:
        return False
    if how is Comparison.HTML:
        one, other = _lines(one), _lines(_without_markup(other))
    elif how is not Comparison.TEXT:
        one, other = _lines(one), _lines(other)
    if how is Comparison.CASELESS:
        one, other = one.casefold(), other.casefold()
    return one == other


def _same_members(want: object, have: object) -> bool:
    if not isinstance(want, list) or not isinstance(have, list) or len(want) != len(have):
        return False
    left = list(have)
    for one in want:
        at = next((place for place, other in enumerate(left) if _same(one, other)), None)
        if at is None:
            return False
        del left[at]
    return True


def _number(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _plain_text(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else None


def _lines(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


class _Words(HTMLParser):
    """What of a text with markup is text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def _without_markup(text: str) -> str:
    parser = _Words()
    parser.feed(text)
    parser.close()
    return "".join(parser.words)


def _same(one: object, other: object) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return one == other
