"""What a contract says about a path: in all its alternatives that a payload can mean."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.domain.contracts.document import DRAFT_7, at_pointer, draft_of
from orchestrator.domain.contracts.paths import ANY
from orchestrator.domain.drift.finding import ITEM, Path
from orchestrator.domain.drift.shapes import text_of, type_of

Part = Mapping[str, object]
Alternative = tuple[Part, ...]  # all of them hold

_MOST_ALTERNATIVES = 128
_DEEPEST = 24
_ANYTHING: tuple[Alternative, ...] = ((),)


@dataclass(frozen=True, kw_only=True)
class Place:
    """What the contract declares at a path."""

    alternatives: tuple[Alternative, ...]  # one of them holds; none: nothing may be here
    declared: bool  # whether any alternative names it

    @property
    def types(self) -> frozenset[str]:
        """The types that are allowed here."""
        return frozenset().union(*(_types(one) for one in self.alternatives))

    @property
    def values(self) -> frozenset[str] | None:
        """The values that are allowed here, as text; None where they are not listed."""
        every = [_values(one) for one in self.alternatives]
        known = [one for one in every if one is not None]
        return frozenset().union(*known) if every and len(known) == len(every) else None

    def requires(self, name: str) -> bool:
        """Whether an object here must have a property."""
        holders = [one for one in self.alternatives if "object" in _types(one)]
        return bool(holders) and all(name in _required(one) for one in holders)

    def required(self) -> set[str]:
        """The properties that an object here must have."""
        holders = [one for one in self.alternatives if "object" in _types(one)]
        return set.intersection(*map(_required, holders)) if holders else set()


class DeclaredPlaces:
    """Answers for the paths of a contract, or of those of its alternatives that were chosen."""

    def __init__(self, schema: Part, chosen: tuple[Alternative, ...] | None = None) -> None:
        self._schema = schema
        self._ref_stands_alone = draft_of(schema) == DRAFT_7
        whole = self._flat(schema, 0) if chosen is None else chosen
        self.root = Place(alternatives=whole, declared=True)
        self._places: dict[Path, Place] = {(): self.root}

    def meant_by(self, payload: object) -> tuple[Alternative, ...]:
        """The alternatives of the whole whose constants the payload contradicts least."""
        if not isinstance(payload, dict) or len(self.root.alternatives) == 1:
            return self.root.alternatives
        costs = [_contradictions(one, payload) for one in self.root.alternatives]
        least = min(costs, default=0)
        return tuple(
            one for one, cost in zip(self.root.alternatives, costs, strict=True) if cost == least
        )

    def narrowed(self, chosen: tuple[Alternative, ...]) -> DeclaredPlaces:
        """The same contract with only these alternatives of the whole."""
        return DeclaredPlaces(self._schema, chosen)

    def at(self, path: Path) -> Place:
        """What the contract says about a path."""
        if path not in self._places:
            self._places[path] = self._below(self.at(path[:-1]), path[-1])
        return self._places[path]

    def _below(self, place: Place, step: str) -> Place:
        found: list[Alternative] = []
        declared = False
        for alternative in place.alternatives:
            parts = [one for part in alternative for one in _inner(part, step)]
            if not parts and any(_forbids(part) for part in alternative):
                continue
            declared = declared or bool(parts)
            flat: Sequence[Alternative] = _ANYTHING
            for part in parts:
                flat = _both(flat, self._flat(part, 0))
            found.extend(flat)
        return Place(alternatives=_distinct(found), declared=declared)

    def _flat(self, schema: object, depth: int) -> tuple[Alternative, ...]:
        """A schema as alternatives of parts without combinators."""
        if schema is False:
            return ()
        if not isinstance(schema, dict) or depth > _DEEPEST:
            return _ANYTHING
        found: Sequence[Alternative] = ((schema,),)
        if "$ref" in schema:
            target = self._flat(self._target(schema["$ref"]), depth + 1)
            if self._ref_stands_alone:
                return target
            found = _both(found, target)
        for part in _listed(schema, "allOf"):
            found = _both(found, self._flat(part, depth + 1))
        for word in ("anyOf", "oneOf"):
            if branches := _listed(schema, word):
                each = [one for branch in branches for one in self._flat(branch, depth + 1)]
                found = _both(found, each)
        return _distinct(found)

    def _target(self, ref: object) -> object:
        if isinstance(ref, str) and (ref == "#" or ref.startswith("#/")):
            try:
                return at_pointer(self._schema, ref[1:])
            except LookupError:
                return True
        return True


def _both(some: Sequence[Alternative], others: Sequence[Alternative]) -> tuple[Alternative, ...]:
    return tuple((*one, *other) for one in some for other in others)[:_MOST_ALTERNATIVES]


def _distinct(found: Iterable[Alternative]) -> tuple[Alternative, ...]:
    known = {tuple(sorted(map(id, one))): one for one in found}
    return tuple(known.values())[:_MOST_ALTERNATIVES]


def _inner(part: Part, step: str) -> list[object]:
    """The schemas that one part has for a step below it."""
    if step == ITEM:
        items = part.get("items")
        return [items] if isinstance(items, dict | bool) else []
    properties, patterns = part.get("properties"), part.get("patternProperties")
    found = [properties[step]] if isinstance(properties, dict) and step in properties else []
    if isinstance(patterns, dict):
        found += [inner for pattern, inner in patterns.items() if _matches(pattern, step)]
    others = part.get("additionalProperties")
    return [others] if not found and isinstance(others, dict) else found


def _forbids(part: Part) -> bool:
    return part.get("additionalProperties") is False or part.get("unevaluatedProperties") is False


def _types(alternative: Alternative) -> frozenset[str]:
    types = ANY
    for part in alternative:
        named = part.get("type")
        if isinstance(named, str | list):
            said = frozenset([named] if isinstance(named, str) else map(str, named))
            types &= said | {"integer"} if "number" in said else said
        listed = _constants(part)
        if listed is not None:
            types &= frozenset(map(type_of, listed))
    return types


def _values(alternative: Alternative) -> frozenset[str] | None:
    known = [_constants(part) for part in alternative]
    sets = [{text_of(value) for value in one} for one in known if one is not None]
    return frozenset(one for one in set.intersection(*sets) if one is not None) if sets else None


def _constants(part: Part) -> list[object] | None:
    if "const" in part:
        return [part["const"]]
    return _listed(part, "enum") if "enum" in part else None


def _required(alternative: Alternative) -> set[str]:
    return {str(name) for part in alternative for name in _listed(part, "required")}


def _contradictions(alternative: Alternative, payload: Mapping[str, object]) -> int:
    count = 0
    for part in alternative:
        properties = part.get("properties")
        for name, schema in (properties if isinstance(properties, dict) else {}).items():
            known = _constants(schema) if isinstance(schema, dict) else None
            count += known is not None and name in payload and payload[name] not in known
    return count


def _listed(part: Part, word: str) -> list[object]:
    found = part.get(word)
    return found if isinstance(found, list) else []


def _matches(pattern: str, name: str) -> bool:
    try:
        return re.search(pattern, name) is not None
    except re.error:  # ECMA's regular expressions are not quite Python's
        return False
