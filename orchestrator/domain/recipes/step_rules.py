"""How each step of a recipe is written, and what is wrong with one that is written otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchestrator.domain.errors import Refused
from orchestrator.domain.recipes.amendment import steps_of
from orchestrator.domain.recipes.time_formats import format_fault
from orchestrator.domain.recipes.times import COUNTS
from orchestrator.domain.text.zones import NAME_A_ZONE, is_zone

FORMS: Mapping[str, str] = {
    "rename": "{rename: old, to: new}",
    "move": "{move: old.place, to: new.place}",
    "trim": "{trim: path}",
    "case": "{case: path, to: lower}",
    "wrap": "{wrap: path}",
    "split": '{split: path, by: ","}',
    "join": '{join: path, by: ", "}',
    "convert": "{convert: path, to: number}",
    "map": "{map: path, values: {old: new}}",
    "set": "{set: path, value: ..., reason: ...}",
    "drop": "{drop: path}",
}
"""How each step is written."""

_NEEDS: Mapping[str, frozenset[str]] = {
    "rename": frozenset({"to"}),
    "move": frozenset({"to"}),
    "case": frozenset({"to"}),
    "split": frozenset({"by"}),
    "join": frozenset({"by"}),
    "convert": frozenset({"to"}),
    "map": frozenset({"values"}),
    "set": frozenset({"value", "reason"}),
}
_MAY_HAVE: Mapping[str, frozenset[str]] = {
    "convert": frozenset({"format", "zone", "decimal", "group"}),
    "drop": frozenset({"if"}),
    "join": frozenset({"from", "replace"}),
    "set": frozenset({"replace"}),
    "split": frozenset({"into"}),
    "wrap": frozenset({"gaps"}),
}
KINDS = (
    "integer", "number", "string", "boolean", "date", "date-time", "array", "object",
)  # fmt: skip
_ONLY_FOR: Mapping[str, tuple[str, ...]] = {
    "format": ("date", "date-time"),
    "zone": ("date-time",),
    "decimal": ("number", "integer"),
    "group": ("number", "integer"),
}
_NO_FORM = frozenset[str]()

Wrong = tuple[str, str]
"""What is wrong, and what to write instead."""


@dataclass(frozen=True, kw_only=True)
class Given:
    """A step as it was written."""

    action: str
    path: str
    keys: frozenset[str]  # all but the action's
    to: str | None
    reason: str | None
    sources: tuple[str, ...]  # of `from`
    into: tuple[str, ...]
    format: str | None
    zone: str | None
    decimal: str | None
    group: str | None


def step_fault(given: Given) -> Wrong | None:
    """What is wrong with a step; None where it can be made."""
    if (found := _keys_fault(given)) is not None:
        return found
    match given.action:
        case "set" if not given.sources and not (given.reason or "").strip():
            return "a default needs a reason", "say in `reason` why this value is right"
        case "set" if len(given.sources) > 1:
            return "`from` is a list", "name one field, or write {join: path, from: [...], by: ...}"
        case "join" if len(given.sources) == 1:
            return "`from` is one field", "name two or more, or write {set: path, from: field}"
        case "case" if given.to not in ("lower", "upper"):
            return f"`to` is {given.to!r}, which is not a case", "write lower or upper"
        case "convert":
            return _conversion_fault(given)
        case "rename" | "move":
            return _places_fault(given)
    return _others_fault(given)


def _keys_fault(given: Given) -> Wrong | None:
    action, form = given.action, FORMS[given.action]
    needs, may = _NEEDS.get(action, _NO_FORM), _MAY_HAVE.get(action, _NO_FORM)
    if action == "set" and "from" in given.keys:
        needs, may, form = frozenset({"from"}), may | {"reason"}, "{set: path, from: field}"
    if action == "join" and "replace" in given.keys and "from" not in given.keys:
        return "`replace` is for a text `from` fields", "take it out"
    for name in sorted(needs - given.keys):
        return f"`{action}` needs `{name}`", f"write {form}"
    for name in sorted(given.keys - needs - may):
        return f"`{action}` takes no `{name}`", f"write {form}"
    return None


def _conversion_fault(given: Given) -> Wrong | None:
    if given.to not in KINDS:
        return f"`to` is {given.to!r}, which is not a type", f"write one of {', '.join(KINDS)}"
    for name, kinds in _ONLY_FOR.items():
        if name in given.keys and given.to not in kinds:
            which = " or ".join(kinds)
            fix = f"take `{name}` out, or write `to: {kinds[0]}`"
            return f"only a {which} has a `{name}`", fix
    if given.group is not None and given.group == (given.decimal or "."):
        return f"`decimal` and `group` are both {given.group!r}", "say in `decimal` what it is"
    if given.zone is not None and not is_zone(given.zone):
        return f"{given.zone!r} is not a time zone", NAME_A_ZONE
    if given.format in COUNTS and given.to == "date-time":
        if given.zone is not None:
            return "a count since 1970 is the same in every zone", "take `zone` out"
        return None
    return (
        None if given.format is None else _format_fault(given.format, day_only=given.to == "date")
    )


def _format_fault(form: str, *, day_only: bool) -> Wrong | None:
    problem = format_fault(form, day_only=day_only)
    if problem is None:
        return None
    usual = "%d.%m.%Y" if day_only else "%d.%m.%Y %H:%M, or seconds or milliseconds"
    return f"`format`: {problem}", f"write one such as {usual}"


def _places_fault(given: Given) -> Wrong | None:
    old, new = given.path, given.to or ""
    try:
        source, place = steps_of(old), steps_of(new)
    except Refused as refused:
        return f"`to`: {refused.detail}", refused.fix or "write a path"
    if place[: len(source)] == source:
        return f"`{old}` cannot go into itself", "name another place in `to`"
    if source.count("*") != place.count("*"):
        fix = "write as many `*` in `to` as in the path before it"
        return f"`{old}` and `{new}` do not stand for as many places", fix
    if given.action == "rename" and source[:-1] != place[:-1]:
        return f"`{new}` is in another object than `{old}`", f"write {{move: {old}, to: {new}}}"
    return None


def _others_fault(given: Given) -> Wrong | None:
    """What is wrong with the fields that `from` or `into` names."""
    key = "from" if given.sources else "into"
    own = steps_of(given.path)
    for name in (*given.sources, *given.into):
        try:
            other = steps_of(name)
        except Refused as refused:
            return f"`{key}`: {refused.detail}", refused.fix or "write a path"
        if other[: len(own)] == own or own[: len(other)] == other:
            return f"`{name}` and `{given.path}` are in each other", f"name another in `{key}`"
        if not _stars_fit(own, other, exactly=key == "into"):
            return (
                f"`{given.path}` and `{name}` do not stand for as many places",
                f"write the `*` of `{given.path}` in `{name}` too, and no other",
            )
    if len(set(given.into)) < len(given.into):
        return "`into` names a field twice", "name each once"
    return None


def _stars_fit(own: Sequence[str], other: Sequence[str], *, exactly: bool) -> bool:
    if exactly:
        return own.count("*") == other.count("*")
    return other.count("*") <= own.count("*")
