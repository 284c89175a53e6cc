"""A recipe: a fix as a small list that people read, try, apply to a group and keep."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orchestrator.domain.documents import strict_json
from orchestrator.domain.errors import NothingToChange, Refused
from orchestrator.domain.recipes.amendment import Amendment, EditedPayload, is_index, steps_of
from orchestrator.domain.recipes.converting import convert
from orchestrator.domain.recipes.steps import Step

_MOST_PLACES = 10_000  # that one step changes in one payload


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What to change, in this order."""

    steps: tuple[Step, ...]
    note: str | None = None  # one line: why
    author: str | None = None

    def describe(self) -> dict[str, object]:
        """The recipe as JSON, for the audit and for files."""
        words = {"note": self.note, "author": self.author}
        told = {name: value for name, value in words.items() if value}
        return {**told, "steps": [one.describe() for one in self.steps]}


@dataclass(frozen=True, kw_only=True)
class PayloadChange:
    """What one step did at one place."""

    step: int  # from 0
    action: str  # the step's word
    path: str  # a JSON Pointer
    to: str | None = None  # rename, move: where it is now
    before: object = None
    after: object = None


@dataclass(frozen=True, kw_only=True)
class Mended:
    """A payload after a recipe."""

    payload: object
    changes: tuple[PayloadChange, ...]


def apply_recipe(payload: object, recipe: Recipe) -> Mended:
    """The payload with every step made that finds something to do; the one given stays as it is.

    A step that finds nothing is passed over: the contract decides on what comes out. Raises Refused
    where a step does not fit (something is in the way, a value cannot be converted), and where none
    of them finds anything to do.
    """
    document = EditedPayload(copy.deepcopy(payload))
    changes: list[PayloadChange] = []
    for number, step in enumerate(recipe.steps):
        for place in list(_places(document.value, step)):
            change = _apply(document, step, place, number)
            if change is not None:
                changes.append(change)
    if not changes:
        raise NothingToChange(
            "no step finds anything to change", field="recipe", fix="look at its payload"
        )
    return Mended(payload=document.value, changes=tuple(changes))


def _apply(
    document: EditedPayload, step: Step, place: tuple[str, ...], number: int
) -> PayloadChange | None:
    path, before = _pointer(place), _at(document.value, place)
    match step.action:
        case "rename" | "move":
            to = _filled(steps_of(step.to or ""), steps_of(step.path), place)
            _make_holders(document, to)
            new = _pointer(to)
            document.amend(Amendment(action="rename", path=path, to=new))
            return PayloadChange(
                step=number, action=step.action, path=path, to=new, before=before, after=before
            )
        case "drop":
            document.amend(Amendment(action="unset", path=path))
            return PayloadChange(step=number, action="drop", path=path, before=before)
        case "set":
            _make_holders(document, place)
            after = step.value
        case "convert":
            after = _converted(before, step, path)
        case _:
            after = (step.values or {}).get(_word(before), before)
    if type(after) is type(before) and after == before and step.action != "set":
        return None
    document.amend(Amendment(action="set", path=path, value=after))
    return PayloadChange(step=number, action=step.action, path=path, before=before, after=after)


def _converted(value: object, step: Step, path: str) -> object:
    if value is None:  # nothing to convert: the contract says whether null may be
        return None
    try:
        return convert(value, step.to or "", step.format)
    except ValueError as error:
        fix = "map the values that are written otherwise first, or take the event out"
        raise Refused(f"it cannot become {step.to}: {error}", field=path, fix=fix) from None


def _places(value: object, step: Step) -> Iterator[tuple[str, ...]]:
    """Where a step finds something to do: one place, or with `*` one for every entry."""
    if step.action == "set":
        *holder, name = steps_of(step.path)
        for place in _existing(value, holder, may_lack=True):
            found = _at(value, place)
            if found is None or (isinstance(found, dict) and name not in found):
                yield (*place, name)
        return
    found_places = list(_existing(value, steps_of(step.path), may_lack=False))
    if len(found_places) > _MOST_PLACES:
        raise Refused(f"it is at more than {_MOST_PLACES} places", field=step.path)
    # The last first: what is taken out of an array does not move what is still to come.
    yield from reversed(found_places) if step.action == "drop" else found_places


def _existing(
    value: object, steps: Sequence[str], *, may_lack: bool, at: tuple[str, ...] = ()
) -> Iterator[tuple[str, ...]]:
    if not steps:
        yield at
        return
    step, rest = steps[0], steps[1:]
    if isinstance(value, list) and step == "*":
        for index, entry in enumerate(value):
            yield from _existing(entry, rest, may_lack=may_lack, at=(*at, str(index)))
    elif isinstance(value, dict) and step in value:
        yield from _existing(value[step], rest, may_lack=may_lack, at=(*at, step))
    elif isinstance(value, list) and is_index(step, len(value)):
        yield from _existing(value[int(step)], rest, may_lack=may_lack, at=(*at, step))
    elif may_lack and isinstance(value, dict) and "*" not in steps:
        yield (*at, *steps)


def _at(value: object, place: Sequence[str]) -> object:
    for step in place:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and is_index(step, len(value)):
            value = value[int(step)]
        else:
            return None
    return value


def _make_holders(document: EditedPayload, place: Sequence[str]) -> None:
    """Objects on the way to a place, where there is nothing yet."""
    value = document.value
    for step in place[:-1]:
        if isinstance(value, dict):
            value = value.setdefault(step, {})
        elif isinstance(value, list) and is_index(step, len(value)):
            value = value[int(step)]
        else:
            return


def _filled(to: Sequence[str], pattern: Sequence[str], place: Sequence[str]) -> tuple[str, ...]:
    """`to` with the entries in place of its `*` that `place` has for those of `pattern`."""
    entries = iter([one for one, step in zip(place, pattern, strict=True) if step == "*"])
    return tuple(next(entries) if step == "*" else step for step in to)


def _word(value: object) -> str:
    return value if isinstance(value, str) else strict_json.dumps(value)


def _pointer(place: Sequence[str]) -> str:
    return "".join(f"/{step.replace('~', '~0').replace('/', '~1')}" for step in place)
