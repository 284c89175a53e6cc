"""A payload that a contract takes, made from the contract alone."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.domain.contracts.declared import Declared, Member
from orchestrator.domain.contracts.paths import ContractPaths

_DEEPEST = 12
_TEXTS = {
    "email": "ann@example.com",
    "idn-email": "ann@example.com",
    "date-time": "2026-01-02T03:04:05Z",
    "date": "2026-01-02",
    "time": "03:04:05Z",
    "duration": "P1D",
    "hostname": "example.com",
    "idn-hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "uri-reference": "/a",
    "iri": "https://example.com/",
    "iri-reference": "/a",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "uri-template": "https://example.com/{id}",
    "json-pointer": "/a",
    "regex": "a",
}
_ORDER = ("string", "integer", "number", "boolean", "object", "array", "null")


def example_of(contract: Mapping[str, object]) -> object:
    """A payload with every required field; whether the contract takes it is for it to say.

    >>> example_of({"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}})
    {'a': 0}
    """
    return _value(Declared(ContractPaths(contract), contract), 0)


def _value(place: Declared, depth: int) -> object:
    options = place.options()
    if options:
        return options[0]
    kinds = place.types
    if place.names() and "object" in kinds:
        return _object(place, depth)
    for kind in _ORDER:
        if kind in kinds:
            return _of_kind(kind, place, depth)
    return None


def _of_kind(kind: str, place: Declared, depth: int) -> object:
    match kind:
        case "string":
            return _text(place)
        case "integer" | "number":
            return _number(place, whole=kind == "integer")
        case "boolean":
            return True
        case "object":
            return _object(place, depth)
        case "array":
            least, _ = place.bounds()
            entries = min(least, 20) if depth < _DEEPEST else 0
            return [_value(place.item(number), depth + 1) for number in range(entries)]
    return None


def _object(place: Declared, depth: int) -> dict[str, object]:
    if depth >= _DEEPEST:
        return {}
    found: dict[str, object] = {}
    for name in place.names():
        member = place.member(name)
        if isinstance(member, Member) and member.required:
            found[name] = _value(member.place, depth + 1)
    return found


def _text(place: Declared) -> str:
    formats = [one for one in place.said("format") if isinstance(one, str)]
    text = _TEXTS.get(formats[0], "a") if formats else "a"
    least = max((one for one in place.said("minLength") if isinstance(one, int)), default=0)
    return text if formats else text * min(max(1, least), 10_000)


def _number(place: Declared, *, whole: bool) -> int | float:
    """Zero, or what is nearest to it within the limits."""
    low = [one for one in place.said("minimum") if isinstance(one, int | float)]
    low += [one + 1 for one in place.said("exclusiveMinimum") if isinstance(one, int | float)]
    high = [one for one in place.said("maximum") if isinstance(one, int | float)]
    high += [one - 1 for one in place.said("exclusiveMaximum") if isinstance(one, int | float)]
    value: int | float = 0
    if low and max(low) > 0:
        value = max(low)
    elif high and min(high) < 0:
        value = min(high)
    return -(-value // 1) if whole and isinstance(value, float) else value
