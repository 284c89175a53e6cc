"""Contracts, and parts of them, that no payload can satisfy: every event would be quarantined."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from jsonschema_rs import FancyRegexOptions, ReferencingError, ValidationError, canonical

from orchestrator.domain.contracts.document import (
    DRAFT_7,
    Path,
    at_pointer,
    dotted,
    draft_of,
    subschemas,
)
from orchestrator.domain.contracts.paths import ContractPaths
from orchestrator.domain.contracts.pattern_cost import BACKTRACKS
from orchestrator.domain.documents.json_pointer import json_pointer, pointer_steps
from orchestrator.domain.errors import Fault
from orchestrator.domain.text.hints import nearest

_SAME_VALUE = ("if", "then", "else", "not")
_SAME_VALUE_IN = ("allOf", "anyOf", "oneOf", "dependentSchemas")
_MOST = 20  # parts that are told
_PATTERNS = FancyRegexOptions(backtrack_limit=BACKTRACKS)


def satisfying_faults(schema: Mapping[str, object]) -> list[Fault]:
    """What nothing can satisfy: faults where it is the whole contract, else notes."""
    required = _required_faults(schema)
    found = _unsatisfiable(schema)
    told = {fault.path.rpartition(".required")[0] for fault in required if not fault.is_note}
    empty = {
        pointer: reason
        for pointer, reason in found.items()
        if not isinstance(reason, canonical.UnsatisfiableReason.Literal)
    }
    faults = []
    for pointer in _innermost(schema, empty)[:_MOST]:
        path = dotted(("contract", *pointer_steps(pointer)))
        if path not in told:
            fault = Fault(
                path=path,
                problem=f"no value can satisfy it{_because(schema, pointer, empty[pointer])}",
                fix="let its keywords allow something in common",
                is_note="" not in empty,
            )
            faults.append(fault)
    return [*required, *faults]


def _innermost(schema: Mapping[str, object], empty: Mapping[str, object]) -> list[str]:
    """The places that are empty by themselves, and not because of what they hold or refer to."""
    return [
        one
        for one in empty
        if not any(other.startswith(f"{one}/") for other in empty)
        and not (
            isinstance(part := at_pointer(schema, one), dict)
            and isinstance(ref := part.get("$ref"), str)
            and ref.removeprefix("#") in empty
        )
    ]


def _unsatisfiable(schema: Mapping[str, object]) -> Mapping[str, object]:
    """The empty parts by JSON Pointer; what the library cannot reason about is not empty."""
    try:
        return canonical.find_unsatisfiable(
            dict(schema), draft=_draft(schema), pattern_options=_PATTERNS, offline=True
        )
    except (ValidationError, ReferencingError, canonical.CanonicalizationError, ValueError):
        return {}


def _draft(schema: Mapping[str, object]) -> int | None:
    return 7 if draft_of(schema) == DRAFT_7 else None


def _because(schema: Mapping[str, object], pointer: str, reason: object) -> str:
    """The keywords that contradict each other."""
    causes = getattr(reason, "causes", None) or [getattr(reason, "cause", None)]
    here = at_pointer(schema, pointer)
    words = [
        word
        for cause in causes
        if cause is not None
        for word in cause.keywords
        if isinstance(here, dict) and word in here
    ]
    if not words:
        return ""
    names = [f"`{word}`" for word in words]
    together = f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
    return f": {together} leave nothing" if len(names) > 1 else f": {together} leaves nothing"


def _required_faults(schema: Mapping[str, object]) -> list[Fault]:
    """Names that are required and not declared beside `properties`."""
    paths = ContractPaths(schema)
    faults = []
    for path, part in subschemas(schema):
        required, declared = part.get("required"), part.get("properties")
        if not isinstance(required, list) or not isinstance(declared, dict):
            continue
        around = [part, *_around(schema, path)]
        optional = [*declared.keys() - set(map(str, required))]
        for place, name in enumerate(required):
            if isinstance(name, str) and not any(paths.member(one, name)[0] for one in around):
                faults.append(_required((*path, "required", place), name, part, optional))
                if len(faults) == _MOST:
                    return faults
    return faults


def _around(schema: Mapping[str, object], path: Path) -> Iterator[dict[str, object]]:
    """The schemas around a part that are about the same value."""
    while path:
        if path[-1] in _SAME_VALUE:
            path = path[:-1]
        elif len(path) > 1 and path[-2] in _SAME_VALUE_IN:
            path = path[:-2]
        else:
            return
        part = at_pointer(schema, json_pointer(path))
        if isinstance(part, dict):
            yield part


def _required(path: Path, name: str, part: Mapping[str, object], optional: Sequence[str]) -> Fault:
    """A required name that is not declared.

    An object that takes other properties may have it, so that alone is a note. It is a fault where
    nothing can have it, and where a declared name that is not required was probably meant.
    """
    near = nearest(name, optional)
    closed = part.get("additionalProperties") is False
    fix = f"write `{near}`" if near else "declare it in `properties`, or take it out of `required`"
    says = ", so no payload can satisfy it" if closed else ""
    return Fault(
        path=dotted(("contract", *path)),
        problem=f"`{name}` is required, and `properties` does not declare it{says}",
        fix=fix,
        is_note=not closed and near is None,
    )
