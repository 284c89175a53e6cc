"""What one step does at one place of a payload."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.domain.documents.json_pointer import json_pointer
from orchestrator.domain.documents.strict_json import digest, same_json
from orchestrator.domain.errors import Refused
from orchestrator.domain.recipes.amendment import Amendment, EditedPayload, is_index, steps_of
from orchestrator.domain.recipes.new_values import new_value, parts_of
from orchestrator.domain.recipes.places import (
    Place,
    empty_places,
    existing_places,
    filled,
    has_place,
    value_at,
)
from orchestrator.domain.recipes.steps import Step

_MOST_PLACES = 10_000  # that one step changes in one payload


@dataclass(frozen=True, kw_only=True)
class PayloadChange:
    """What one step did at one place."""

    step: int  # from 0
    action: str  # the step's word
    path: str  # a JSON Pointer
    to: str | None = None  # rename, move: where it is now; split: where its part is
    before: object = None
    after: object = None
    broke: bool | None = None  # whether the place broke the contract before; None: nobody asked


@dataclass(frozen=True, kw_only=True)
class Target:
    """A place at which a step finds something to do."""

    place: Place
    others: tuple[Place, ...] = ()  # rename, move, split: where to; set, join: where from
    replaces: bool = False  # set, join: a value that is there; then a broken source is no reason

    @property
    def places(self) -> tuple[Place, ...]:
        """All places that are the step's own there."""
        return (self.place,) if self.replaces else (self.place, *self.others)


def targets_of(payload: object, step: Step) -> list[Target]:
    """Where a step finds something to do. Raises Refused for more than _MOST_PLACES."""
    steps = steps_of(step.path)
    if step.action == "set" or step.sources:
        return list(_to_fill(payload, step, steps))
    found = list(_bounded(existing_places(payload, steps), step))
    if (
        step.action == "drop"
    ):  # the last first: what is taken out of an array moves what is after it
        return [Target(place=one) for one in reversed(found) if _is_meant(payload, step, one)]
    names = (step.to or "",) if step.action in ("rename", "move") else step.into or ()
    made = [Target(place=one, others=_filled(names, steps, one)) for one in found]
    if step.into:
        return [one for one in made if not all(has_place(payload, to) for to in one.others)]
    return made


def _to_fill(payload: object, step: Step, steps: list[str]) -> Iterator[Target]:
    """Where `set` or `join` puts a value: the places without one, with `replace` the others too."""
    places = [(place, False) for place in _bounded(empty_places(payload, steps), step)]
    if step.replace:
        places += [(place, True) for place in _bounded(existing_places(payload, steps), step)]
    for place, replaces in places:
        sources = _filled(step.sources, steps, place)
        if all(value_at(payload, one) is not None for one in sources):
            yield Target(place=place, others=sources, replaces=replaces)


def _is_meant(payload: object, step: Step, place: Place) -> bool:
    condition = step.condition
    if condition is None:
        return True
    found = value_at(payload, place)
    return any(same_json(found, one) for one in condition)


def act(
    document: EditedPayload, step: Step, target: Target, *, number: int, broke: bool | None
) -> list[PayloadChange]:
    """Do what a step does at one place; () where it changes nothing. Raises Refused."""
    place, path = target.place, json_pointer(target.place)
    before = value_at(document.value, place)
    to: str | None = None
    match step.action:
        case "rename" | "move":
            (new,) = target.others
            to, after = json_pointer(new), before
            _make_holders(document, new)
            document.amend(Amendment(action="rename", path=path, to=to))
        case "drop":
            document.amend(Amendment(action="unset", path=path))
            after = None
        case "split" if step.into:
            return _split(document, step, target, number=number, broke=broke)
        case _:
            sources = [value_at(document.value, one) for one in target.others]
            after = new_value(step, before, sources, path)
            if has_place(document.value, place) and digest(before) == digest(after):
                return []
            _put(document, place, after)
    change = PayloadChange(
        step=number, action=step.action, path=path, to=to, before=before, after=after, broke=broke
    )
    return [change]


def _split(
    document: EditedPayload, step: Step, target: Target, *, number: int, broke: bool | None
) -> list[PayloadChange]:
    """Put the parts of a text into fields that have nothing yet; the text stays."""
    path, text = json_pointer(target.place), value_at(document.value, target.place)
    changes = []
    for place, part in zip(target.others, parts_of(step, text, path), strict=False):
        if not has_place(document.value, place):
            _put(document, place, part)
            to = json_pointer(place)
            changes.append(
                PayloadChange(
                    step=number, action="split", path=path, to=to, before=text, after=part,
                    broke=broke,
                )
            )  # fmt: skip
    return changes


def _put(document: EditedPayload, place: Place, value: object) -> None:
    _make_holders(document, place)
    document.amend(Amendment(action="set", path=json_pointer(place), value=value))


def _filled(names: tuple[str, ...], steps: list[str], place: Place) -> tuple[Place, ...]:
    return tuple(filled(steps_of(name), steps, place) for name in names)


def _bounded(places: Iterator[Place], step: Step) -> Iterator[Place]:
    for count, place in enumerate(places):
        if count == _MOST_PLACES:
            raise Refused(f"it is at more than {_MOST_PLACES} places", field=step.path)
        yield place


def _make_holders(document: EditedPayload, place: Place) -> None:
    """Objects on the way to a place, where there is nothing yet."""
    value = document.value
    for step in place[:-1]:
        if isinstance(value, dict):
            value = value.setdefault(step, {})
        elif isinstance(value, list) and is_index(step, len(value)):
            value = value[int(step)]
        else:
            return
