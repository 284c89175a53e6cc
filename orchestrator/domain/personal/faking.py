"""Personal values replaced by made-up ones of the same kind, for a place where nothing is real.

A mask would break the contract; a made-up value keeps length, letters and digits, so that the same
contract takes it. One value is replaced by one other everywhere under the same key, so that records
which belong together still do; without the key nobody can tell which.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator

from orchestrator.domain.personal.masking import DEEPEST, DOTS
from orchestrator.domain.personal.places import PersonalPlaces, Spot

_MAIL = re.compile(r"[^@\s]+@[^@\s]+")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ADDRESS = re.compile(r"\d{1,3}(\.\d{1,3}){3}")
_URL = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
_FIXED_IN_UUIDS = (14, 19)  # version and variant
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Faker:
    """Makes up values for the personal places of one contract; `key` is 16 secret bytes or more."""

    def __init__(self, places: PersonalPlaces, key: bytes) -> None:
        self._places = places
        self._key = key
        self.replaced = 0  # values so far

    def payload(self, payload: object) -> object:
        """A payload with made-up values in its personal places; the one given stays as it is."""
        if not self._places.has_marks:
            return payload
        return self._of(payload, self._places.whole, DEEPEST)

    def _of(self, value: object, spot: Spot, deep: int) -> object:
        if value is None or deep == 0:
            return None
        if isinstance(value, dict):
            return {
                self._name(name, spot): self._of(one, self._places.into(spot, name), deep - 1)
                for name, one in value.items()
            }
        if isinstance(value, list):
            return [
                self._of(one, self._places.into(spot, at), deep - 1) for at, one in enumerate(value)
            ]
        if not spot.is_personal:
            return value
        self.replaced += 1
        return self._made_up(value, spot)

    def _name(self, name: str, spot: Spot) -> str:
        """Keys that a sender made up may be mail addresses."""
        return name if self._places.shows_name(spot, name) else str(self._text(name))

    def _made_up(self, value: object, spot: Spot) -> object:
        choices = [one for schema in spot.schemas for one in _choices(schema)]
        if choices:
            return choices[next(self._stream(repr(value))) % len(choices)]
        if isinstance(value, bool):
            return bool(next(self._stream(repr(value))) % 2)
        if isinstance(value, int):
            return int(self._text(str(abs(value)))) * (-1 if value < 0 else 1)
        if isinstance(value, float):
            return self._number(value)
        return self._text(str(value))

    def _number(self, value: float) -> float:
        written = repr(value)
        if "e" in written or "n" in written:  # 1e22, or what JSON does not have
            return float(next(self._stream(written)))
        return float(self._text(written))

    def _text(self, text: str) -> str:
        stream = self._stream(text)
        if _MAIL.fullmatch(text):
            return f"person-{next(stream):02x}{next(stream):02x}{next(stream):02x}@example.com"
        if _DATE.fullmatch(text):
            return _date(text, stream)
        if _ADDRESS.fullmatch(text):
            return f"192.0.2.{next(stream)}"
        if _URL.fullmatch(text):
            return f"https://example.com/{next(stream):02x}{next(stream):02x}"
        if _UUID.fullmatch(text):
            return "".join(
                one if one == "-" or at in _FIXED_IN_UUIDS else f"{next(stream) % 16:x}"
                for at, one in enumerate(text)
            )
        return "".join(_character(one, at, stream) for at, one in enumerate(text))

    def _stream(self, text: str) -> Iterator[int]:
        """Bytes that follow from key and text alone, without end."""
        seed = hmac.digest(self._key, text.encode(errors="replace"), "sha256")
        count = 0
        while True:
            yield from hashlib.sha256(seed + count.to_bytes(8)).digest()
            count += 1


def _choices(schema: object) -> list[object]:
    if not isinstance(schema, dict):
        return []
    said = schema.get("enum")
    return said if isinstance(said, list) else [schema["const"]] if "const" in schema else []


def _character(one: str, at: int, stream: Iterator[int]) -> str:
    """Another character of the same kind; blanks and punctuation stay."""
    if one.isdigit():  # a number does not begin with a 0 that it did not have
        return "0" if one == "0" and at == 0 else str(next(stream) % 9 + 1)
    if one.isalpha():
        letter = _LETTERS[next(stream) % len(_LETTERS)]
        return letter.upper() if one.isupper() else letter
    return DOTS[0] if one in DOTS else one


def _date(text: str, stream: Iterator[int]) -> str:
    year, month, day = 1950 + next(stream) % 60, next(stream) % 12 + 1, next(stream) % 28 + 1
    clock = "" if len(text) == len("2026-01-02") else f"{text[10]}12:00:00Z"
    return f"{year}-{month:02}-{day:02}{clock}"
