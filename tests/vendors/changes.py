"""What a new version of an OpenAPI document breaks, for the operations that are used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tests.vendors.document import Document
from tests.vendors.stand_ins.server import Json

Operation = tuple[str, str]  # method, and a path whose variable parts are filled

_DEEPEST = 6


def breaking_changes(old: Document, new: Document, used: Iterable[Operation]) -> set[str]:
    """One sentence for each change that a caller of the old document has to know."""
    return {told for operation in used for told in _changes(old, new, operation)}


def _changes(old: Document, new: Document, operation: Operation) -> Iterator[str]:
    method, path = operation
    name = f"{method} {path}"
    if new.operation(method, path) is None:
        yield f"{name}: it is gone"
        return
    asked, asks = old.body_of(method, path), new.body_of(method, path)
    before, after = dict(_properties(old, asked)), dict(_properties(new, asks))
    yield from (f"{name}: asked, {one}" for one in _gone_or_retyped(before, after))
    needed = _required(new, asks) - _required(old, asked)
    yield from (f"{name}: asked, {one} must be there now" for one in needed)
    told = dict(_properties(old, old.answer_of(method, path)))
    tells = dict(_properties(new, new.answer_of(method, path)))
    yield from (f"{name}: answered, {one}" for one in _gone_or_retyped(told, tells))


def _gone_or_retyped(before: dict[str, str], after: dict[str, str]) -> Iterator[str]:
    for place, kind in before.items():
        if place not in after:
            yield f"{place} is gone"
        elif kind and after[place] and kind != after[place]:
            yield f"{place} was {kind} and is {after[place]}"


def _properties(
    document: Document, schema: Json, at: str = "", depth: int = 0
) -> Iterator[tuple[str, str]]:
    """Every property of a schema by its place, with its type."""
    if depth > _DEEPEST:
        return
    for part in document.alternatives(schema):
        for name, below in part.get("properties", {}).items():
            place = f"{at}.{name}" if at else name
            yield place, document.at(below).get("type", "")
            yield from _properties(document, below, place, depth + 1)
        if "items" in part:
            yield from _properties(document, part["items"], f"{at}[]", depth + 1)


def _required(document: Document, schema: Json, at: str = "", depth: int = 0) -> set[str]:
    """The places that must be there wherever the object that they are in is."""
    if depth > _DEEPEST:
        return set()
    whole = document.at(schema)
    parts = [whole, *(document.at(one) for one in whole.get("allOf", ()))]
    found = {f"{at}.{name}".lstrip(".") for part in parts for name in part.get("required", ())}
    for part in parts:
        for name, below in part.get("properties", {}).items():
            found |= _required(document, below, f"{at}.{name}".lstrip("."), depth + 1)
    return found
