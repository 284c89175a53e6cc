"""What the JSON Schema validator found, in our words and with a hint where a name was changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from jsonschema_rs import ValidationError, ValidationErrorKind

from orchestrator.domain.contracts.places import Places
from orchestrator.domain.delivery.verdicts import Violation
from orchestrator.domain.documents.json_pointer import json_pointer
from orchestrator.domain.text.abbreviate import abbreviate, shorten
from orchestrator.domain.text.hints import renames

MASK = "\ufffc"
"""What the validator has to write in its messages for the payload's value."""

LONGEST_MESSAGE = 300
_MOST_NAMES = 20  # names that one message lists

Path = tuple[str | int, ...]


def describe(
    errors: Sequence[ValidationError],
    payload: object,
    schema: Mapping[str, object],
    places: Places,
) -> tuple[Violation, ...]:
    """The violations of a payload, in the validator's order.

    An undeclared property is a violation of the object that holds it, as other validators have it.
    """
    hints = _hints(errors, payload, schema)
    return tuple(
        Violation(
            path=json_pointer(error.instance_path),
            kind=_kind(error, payload),
            message=_message(error, payload),
            schema_path=json_pointer(error.schema_path),
            place=json_pointer(places.masked(error.instance_path)),
            hint=hint,
        )
        for error, hint in zip(errors, hints, strict=True)
    )


def worded(error: ValidationError) -> str:
    """The validator's message with the value put in, both kept short."""
    message = error.message
    if MASK in message:
        message = message.replace(MASK, abbreviate(error.instance), 1)
    return shorten(message, LONGEST_MESSAGE)


def _kind(error: ValidationError, payload: object) -> str:
    name, keyword = error.kind.name, error.schema_path[-1] if error.schema_path else ""
    if name == "falseSchema" and _is_undeclared(error, payload):
        return "additionalProperties"
    if name in {"required", "contains"}:
        return str(keyword)  # or dependentRequired, minContains, maxContains
    return name


def _message(error: ValidationError, payload: object) -> str:
    match error.kind.name:
        case "additionalProperties" | "unevaluatedProperties":
            return _listed(undeclared_names(error, payload))
        case "falseSchema" if _is_undeclared(error, payload):
            return _listed(undeclared_names(error, payload))
        case "falseSchema":
            return f"{abbreviate(error.instance)} must not be there"
        case "oneOf" | "anyOf":
            return shorten(f"{worded(error)}{_closest(error)}", LONGEST_MESSAGE)
    return worded(error)


def _is_undeclared(error: ValidationError, payload: object) -> bool:
    """Whether a false schema is `additionalProperties: false` of an object that declares nothing.

    Such an error has the object's path and a property's value, which is never the object itself.
    """
    if error.schema_path[-1:] != ["additionalProperties"]:
        return False
    holder = _at(payload, error.instance_path)
    return isinstance(holder, dict) and error.instance != holder


def undeclared_names(error: ValidationError, payload: object) -> list[str]:
    """The properties that an error says are not declared; none where it says something else."""
    match error.kind:
        case ValidationErrorKind.AdditionalProperties(unexpected=names):
            return names
        case ValidationErrorKind.UnevaluatedProperties(unexpected=names):
            return names
        case ValidationErrorKind.FalseSchema() if _is_undeclared(error, payload):
            return list(_object_at(payload, error.instance_path))
    return []


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(abbreviate(name) for name in names[:_MOST_NAMES])
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    are = "is" if len(names) == 1 else "are"
    return shorten(f"{shown}{more} {are} not declared", LONGEST_MESSAGE)


def _closest(error: ValidationError) -> str:
    """What keeps the value from the alternative that it comes closest to."""
    branches = getattr(error.kind, "context", None) or []
    if not all(branches) or not branches:
        return ""  # more than one of oneOf fits
    index, branch = min(enumerate(branches), key=lambda one: _distance(one[1]))
    where = json_pointer(branch[0].instance_path)
    at = f" at {where}" if where else ""
    return f"; the closest is number {index + 1}, but {worded(branch[0])}{at}"


def _distance(branch: Sequence[ValidationError]) -> tuple[bool, int]:
    """How far a value is from an alternative: a constant that differs says it is another one."""
    return any(error.kind.name in {"const", "enum"} for error in branch), len(branch)


def _hints(
    errors: Sequence[ValidationError], payload: object, schema: Mapping[str, object]
) -> list[str | None]:
    """For each error a hint or None.

    The undeclared property has the hint; in an object that is open to any property, which
    makes no such error, with the missing one.
    """
    missing: dict[Path, list[str]] = defaultdict(list)
    closed: set[Path] = set()
    for error in errors:
        path = tuple(error.instance_path)
        if isinstance(error.kind, ValidationErrorKind.Required):
            missing[path].append(error.kind.property)
        elif undeclared_names(error, payload):
            closed.add(path)
    hints = []
    for error in errors:
        path = tuple(error.instance_path)
        absent, names = missing[path], undeclared_names(error, payload)
        if isinstance(error.kind, ValidationErrorKind.Required) and path not in closed:
            absent, names = [error.kind.property], _open_names(error, payload, schema)
        hints.append(_hint(path, renames(names, absent)))
    return hints


def _open_names(error: ValidationError, payload: object, schema: Mapping[str, object]) -> list[str]:
    """The properties of an open object that the schema with the `required` does not declare."""
    holder = _at(schema, error.schema_path[:-1])
    declared = holder.get("properties", {}) if isinstance(holder, dict) else {}
    return [name for name in _object_at(payload, error.instance_path) if name not in declared]


def _hint(path: Path, found: Mapping[str, str]) -> str | None:
    if not found:
        return None
    return "; ".join(
        f"`{_named((*path, name))}` looks like the missing `{_named((*path, other))}`"
        for name, other in found.items()
    )


def _named(path: Path) -> str:
    """A place as `meshline quarantine fix` takes it: dotted, or a pointer where a name has dots."""
    steps = [str(step) for step in path]
    return json_pointer(steps) if any("." in step for step in steps) else ".".join(steps)


def _object_at(payload: object, path: Sequence[str | int]) -> Mapping[str, object]:
    found = _at(payload, path)
    return found if isinstance(found, dict) else {}


def _at(value: object, path: Sequence[str | int]) -> object:
    """The value at a path; None where there is no such place."""
    for step in path:
        try:
            value = value[step]  # type: ignore[index]
        except (LookupError, TypeError):
            return None
    return value
