"""The fields of a contract, flat: what it says of each, by its path."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import orjson

from orchestrator.domain.contracts.declared import Declared, Member
from orchestrator.domain.contracts.keywords import PERSONAL
from orchestrator.domain.contracts.paths import ContractPaths

_MOST = 500  # fields of one contract
_DEEPEST = 8

AT_LEAST = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
AT_MOST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_OTHERS = ("pattern", "format", "multipleOf", "uniqueItems")
ENTRY = "[]"
"""The step to any entry of a list."""

LIMITS = (*AT_LEAST, *AT_MOST, *_OTHERS)
"""The keywords of a value that have words of their own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ContractField:
    """What a contract says of one field. `[]` in its path is any entry of a list."""

    path: str  # such as `address.city` or `lines[].sku`; empty: the payload
    steps: tuple[str, ...]  # the same, name by name
    holder: str  # the path of the object that it is in
    required: bool  # every valid object there has it
    types: frozenset[str]  # in JSON Schema's names
    options: (
        tuple[str, ...] | None
    )  # the values that it may have, as JSON; None: they are not named
    closed: bool  # what it holds has no other field than those that are declared
    limits: Mapping[str, object]  # of LIMITS; of several of one kind the strictest
    personal: bool  # it is marked as a person's

    @property
    def rules(self) -> tuple[object, ...]:
        """What tells it from other fields, its name left out."""
        limits = tuple(sorted((name, str(one)) for name, one in self.limits.items()))
        return (self.required, self.types, self.options, self.closed, limits, self.personal)

    @property
    def is_telling(self) -> bool:
        """Whether its rules say more than a type: two with the same are hardly an accident."""
        return self.options is not None or bool(self.limits)


def fields_of(contract: Mapping[str, object]) -> dict[str, ContractField]:
    """Every field of a contract by its path, up to 500 of them, and eight deep."""
    paths = ContractPaths(contract)
    found: dict[str, ContractField] = {}
    for field in _walk(Declared(paths, contract), (), "", required=True):
        found.setdefault(field.path, field)
        if len(found) >= _MOST:
            break
    return found


def _walk(
    place: Declared, steps: tuple[str, ...], holder: str, *, required: bool
) -> Iterator[ContractField]:
    options, path = place.options(), _path(steps)
    yield ContractField(
        path=path,
        steps=steps,
        holder=holder,
        required=required,
        types=place.types,
        options=None if options is None else tuple(orjson.dumps(one).decode() for one in options),
        closed=place.is_closed(),
        limits=_limits(place),
        personal=any(one is not False for one in place.said(PERSONAL)),
    )
    if len(steps) >= _DEEPEST:
        return
    for name in place.names():
        member = place.member(name)
        if isinstance(member, Member):
            yield from _walk(member.place, (*steps, name), path, required=member.required)
    if "array" in place.types and place.said("items"):
        entry = place.item()
        if entry.names() or entry.is_said or entry.options() is not None:
            yield from _walk(entry, (*steps, ENTRY), path, required=True)


def _path(steps: tuple[str, ...]) -> str:
    return ".".join(steps).replace(f".{ENTRY}", ENTRY)


def _limits(place: Declared) -> dict[str, object]:
    found: dict[str, object] = {}
    strictest: dict[str, Callable[..., float]] = {
        **dict.fromkeys(AT_LEAST, max),
        **dict.fromkeys(AT_MOST, min),
    }
    for keyword in LIMITS:
        said = place.said(keyword)
        numbers = [one for one in said if isinstance(one, int | float)]
        if keyword in strictest and numbers:
            found[keyword] = strictest[keyword](numbers)
        elif keyword not in strictest and said and said != (False,):
            found[keyword] = said[0] if len(said) == 1 else said
    return found
