"""A contract's difference in words: which fields are new, gone, renamed, stricter or looser."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orchestrator.domain.changes.words.fields import AT_LEAST, AT_MOST, ContractField, fields_of
from orchestrator.domain.changes.words.wording import (
    Affected,
    Direction,
    Part,
    Wording,
    listed,
    quoted,
)
from orchestrator.domain.text.abbreviate import abbreviate
from orchestrator.domain.workflows.workflow import Workflow

_LIMITED = {
    "minimum": "be at least {}",
    "exclusiveMinimum": "be more than {}",
    "minLength": "have at least {} characters",
    "minItems": "have at least {} entries",
    "minProperties": "have at least {} fields",
    "maximum": "be at most {}",
    "exclusiveMaximum": "be less than {}",
    "maxLength": "have at most {} characters",
    "maxItems": "have at most {} entries",
    "maxProperties": "have at most {} fields",
    "pattern": "match the pattern {}",
    "format": "have the format {}",
    "multipleOf": "be a multiple of {}",
    "uniqueItems": "have no entry twice",
}


def contract_words(before: Workflow, after: Workflow) -> Iterator[Wording]:
    """The difference of the two contracts, field by field."""
    if before.formats != after.formats:
        asserted = after.formats == "assert"
        verb = "now asserted" if asserted else "only annotated now, and refuse nothing"
        yield _worded(asserted, f"formats such as `email` are {verb}")
    if before.contract == after.contract:
        return
    old, new = fields_of(before.contract), fields_of(after.contract)
    gone = [one for path, one in old.items() if path not in new and _is_outermost(one, old, new)]
    come = [one for path, one in new.items() if path not in old and _is_outermost(one, new, old)]
    renamed = renamed_fields(gone, come, before, after)
    for was, now in renamed.items():
        yield _renamed(old[was], new[now])
    for one in gone:
        if one.path not in renamed:
            yield _removed(one, new)
    for one in come:
        if one.path not in renamed.values():
            yield _added(one, old)
    for path, field in new.items():
        if path in old:
            yield from _changed(old[path], field)


def renamed_fields(
    gone: list[ContractField], come: list[ContractField], before: Workflow, after: Workflow
) -> dict[str, str]:
    """Fields that are there under another name: the new path by the old one.

    A fact that reads the new one instead shows it; else one other field has the same rules, and
    they say more than a type.
    """
    old_paths, new_paths = {one.path for one in gone}, {one.path for one in come}
    found: dict[str, str] = {}
    for name, fact in before.facts.items():
        if name not in after.facts:
            continue
        was = fact.value.removeprefix("data.")
        now = after.facts[name].value.removeprefix("data.")
        if was in old_paths and now in new_paths and now not in found.values():
            found.setdefault(was, now)
    for one in gone:
        alike = [two for two in come if _is_alike(one, two)]
        others = [two for two in gone if alike and _is_alike(two, alike[0])]
        only = alike[0].path if len(alike) == len(others) == 1 else None
        if only is not None and only not in found.values():
            found.setdefault(one.path, only)
    return found


def _is_alike(one: ContractField, other: ContractField) -> bool:
    return one.is_telling and one.holder == other.holder and one.rules == other.rules


def _is_outermost(
    field: ContractField, own: Mapping[str, ContractField], others: Mapping[str, ContractField]
) -> bool:
    """Whether what holds it is in both contracts: else the words are about that."""
    return field.holder in others or field.holder not in own


def _renamed(was: ContractField, now: ContractField) -> Wording:
    told = f"{quoted(was.path)} looks renamed: it is taken away, and {quoted(now.path)} is new"
    breaks = was.required or now.required
    return Wording(
        part=Part.CONTRACT,
        direction=Direction.RENAMED,
        says=f"{told}{', and required' if now.required else ''}",
        breaks=Affected.SENDERS if breaks else None,
    )


def _removed(field: ContractField, new: Mapping[str, ContractField]) -> Wording:
    holder = new.get(field.holder)
    refused = holder is not None and holder.closed
    says = "an event that has it is refused" if refused else "an event may still have it"
    return Wording(
        part=Part.CONTRACT,
        direction=Direction.REMOVED,
        says=f"{quoted(field.path)} is taken away; {says}",
        breaks=Affected.SENDERS if refused else None,
    )


def _added(field: ContractField, old: Mapping[str, ContractField]) -> Wording:
    if field.required and not field.path.endswith("[]"):
        return _worded(True, f"{quoted(field.path)} is new, and required")
    holder = old.get(field.holder)
    if field.path.endswith("[]"):
        says = f"entries of {quoted(field.holder)} are declared now"
    elif holder is not None and holder.closed:
        says = f"{quoted(field.path)} is new, and may be left out"
    else:
        says = f"{quoted(field.path)} is declared now, and may be left out"
    return Wording(part=Part.CONTRACT, direction=Direction.ADDED, says=says)


def _changed(was: ContractField, now: ContractField) -> Iterator[Wording]:
    name = quoted(now.path) if now.path else "the payload"
    if was.required != now.required:
        says = "now required" if now.required else "no longer required"
        yield _worded(now.required, f"{name} is {says}")
    if was.options != now.options:
        yield from _options(name, was.options, now.options)
    elif was.types != now.types:
        yield from _types(name, was.types, now.types)
    if was.closed != now.closed:
        holder = f"in {name}" if now.path else "in the payload"
        says = "are refused now" if now.closed else "are taken now"
        yield _worded(now.closed, f"other fields {holder} than the declared ones {says}")
    for keyword, told in _LIMITED.items():
        yield from _limit(name, keyword, told, was.limits.get(keyword), now.limits.get(keyword))
    if was.personal != now.personal:
        says = "now marked as personal" if now.personal else "no longer marked as personal"
        yield Wording(
            part=Part.CONTRACT, direction=Direction.CHANGED, says=f"{name} is {says} (`x-pii`)"
        )


def _options(
    name: str, was: tuple[str, ...] | None, now: tuple[str, ...] | None
) -> Iterator[Wording]:
    if now is None:
        yield _worded(False, f"{name} may now have other values than {listed(was or ())}")
    elif was is None:
        yield _worded(True, f"{name} may now only be {listed(now)}")
    else:
        if gone := [one for one in was if one not in now]:
            yield _worded(True, f"{name} may no longer be {listed(gone)}")
        if come := [one for one in now if one not in was]:
            yield _worded(False, f"{name} may now also be {listed(come)}")


def _types(name: str, was: frozenset[str], now: frozenset[str]) -> Iterator[Wording]:
    # Every integer is a number too.
    if gone := sorted(was - now - ({"integer"} if "number" in now else frozenset())):
        yield _worded(True, f"{name} may no longer be of type {listed(gone)}")
    if come := sorted(now - was - ({"integer"} if "number" in was else frozenset())):
        yield _worded(False, f"{name} may now also be of type {listed(come)}")


def _limit(name: str, keyword: str, told: str, was: object, now: object) -> Iterator[Wording]:
    if was == now:
        return
    if now is None:
        yield _worded(False, f"{name} need not {told.format(abbreviate(was))} any more")
        return
    must = f"{name} has to {told.format(abbreviate(now))} now"
    if was is None:
        yield _worded(True, must)
        return
    says = f"{must}, before: {abbreviate(was)}"
    if isinstance(was, int | float) and isinstance(now, int | float) and keyword in _ORDERED:
        yield _worded(now > was if keyword in AT_LEAST else now < was, says)
        return
    # Which of two patterns takes more nobody can say, so it may break what was taken.
    yield Wording(
        part=Part.CONTRACT, direction=Direction.CHANGED, says=says, breaks=Affected.SENDERS
    )


_ORDERED = (*AT_LEAST, *AT_MOST)


def _worded(stricter: bool, says: str) -> Wording:  # noqa: FBT001 - it is the direction
    return Wording(
        part=Part.CONTRACT,
        direction=Direction.STRICTER if stricter else Direction.LOOSER,
        says=says,
        breaks=Affected.SENDERS if stricter else None,
    )
