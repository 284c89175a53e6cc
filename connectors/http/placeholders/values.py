"""What a placeholder of a template stands for: a value of the call, and what filters make of it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from connectors.http.placeholders.filters import FILTERS, Filter, Unfilterable, plain_text

# Makes {key_uuid} of {key}; another one would make other UUIDs of keys that are under way.
_KEYS = uuid.UUID("5f0d8d52-6c0e-5d0b-9a53-0d6f2f0c9a11")


class _Absent:
    """What a template gives when a field that it names was not sent; its place is left out."""


ABSENT: Final = _Absent()


class InvalidTemplate(ValueError):
    """Raised when a template cannot be compiled; the text says what to write instead."""


class Unfillable(ValueError):
    """Raised when a value does not fit where the template puts it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """What placeholders stand for in one request."""

    key: str
    send: Mapping[str, object]
    record_id: str = ""
    version: str | None = None  # of the record, as the system names its state
    secrets: Mapping[str, str] = field(default_factory=dict)
    items: Sequence[object] = ()  # of a batch
    trace: Mapping[str, str] = field(default_factory=dict)  # headers; no placeholder names them


Fill = Callable[[Values], object]


def placeholder(source: str) -> tuple[str, Fill]:
    """The name between braces, and what it stands for. Raises InvalidTemplate."""
    name, *filters = source.split("|")
    return name, _filtered(name, filters)


def text_of(name: str, value: object) -> str:
    """A value as part of a text. Raises Unfillable."""
    try:
        return plain_text(value)
    except Unfilterable as error:
        raise Unfillable(f"{name} {error}") from None


def _filtered(name: str, filters: list[str]) -> Fill:
    source = _source(name)
    if not filters:
        return source
    if name in ("send", "items"):
        raise InvalidTemplate(f"{{{name}}} takes no filter; write {{send.FIELD|{filters[0]}}}")
    unknown = [one for one in filters if one not in FILTERS]
    if unknown:
        raise InvalidTemplate(f"{unknown[0]!r} is not a filter; use {', '.join(FILTERS)}")
    steps: list[Filter] = [FILTERS[one] for one in filters]

    def fill(values: Values) -> object:
        value = source(values)
        if value is ABSENT:
            return value
        try:
            for step in steps:
                value = step(value)
        except Unfilterable as error:
            raise Unfillable(f"{name} {error}") from None
        return value

    return fill


def _version(values: Values) -> object:
    if values.version is None:
        raise Unfillable("the record's version is not known")
    return values.version


def _source(name: str) -> Fill:
    if name == "key":
        return lambda values: values.key
    if name == "key_uuid":
        return lambda values: str(uuid.uuid5(_KEYS, values.key))
    if name == "record_id":
        return lambda values: values.record_id
    if name == "version":
        return _version
    if name == "send":
        return lambda values: dict(values.send)
    if name == "items":
        return lambda values: list(values.items)
    if name.startswith("send.") and len(name) > len("send."):
        sent = name.removeprefix("send.")
        return lambda values: values.send.get(sent, ABSENT)
    if name.startswith("secret.") and len(name) > len("secret."):
        secret = name.removeprefix("secret.")
        return lambda values: values.secrets[secret]
    raise InvalidTemplate(
        f"{{{name}}} is not a placeholder; use {{key}}, {{key_uuid}}, {{record_id}}, {{version}},"
        " {send}, {send.FIELD}, {secret.NAME}"
    )
