"""One event as those see it who may not see personal values: its payload, and all said of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from orchestrator.domain.delivery.verdicts import Violation
from orchestrator.domain.documents.json_pointer import json_pointer, pointer_steps
from orchestrator.domain.event import Item
from orchestrator.domain.personal.covering import Cover
from orchestrator.domain.personal.marks import ANY_KIND
from orchestrator.domain.personal.masking import mask_of, mask_value, texts_of
from orchestrator.domain.personal.places import PersonalPlaces, Spot
from orchestrator.domain.text.abbreviate import abbreviate
from orchestrator.domain.workflows.cel.compile import NotComputed
from orchestrator.domain.workflows.facts import ABSENT
from orchestrator.domain.workflows.personal.taint import PersonalWorkflow

_UNKNOWN = Spot(schemas=(), kind=ANY_KIND)


@dataclass(frozen=True, kw_only=True, slots=True)
class SentFields:
    """What one delivery of an event sends."""

    destination: str
    item: Item
    fields: Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class PersonalEvent:
    """An event, or a workflow without one, with what decides which of its values are personal.

    Where two versions of the workflow differ, what one of them calls personal is personal.
    """

    versions: tuple[PersonalWorkflow, ...]  # the one that it runs under, and the live one
    payloads: tuple[object, ...] = ()  # as it came, and as it was amended
    sent: tuple[SentFields, ...] = ()

    def payload(self, value: object) -> object:
        """A payload of the event, masked."""
        for one in self.versions:
            value = mask_value(value, one.places, one.places.whole)
        return value

    def at(self, path: str, value: object) -> object:
        """A value that was, or will be, at a place of the payload; dotted, or a JSON Pointer."""
        steps = _steps_of(path)
        for one in self.versions:
            value = mask_value(value, one.places, self._spot(one.places, steps))
        return self.said(value)

    def send(self, destination: str, fields: Mapping[str, object]) -> dict[str, object]:
        """What a destination is sent, masked."""
        return {
            name: self.said(self._masked(value, self._of_field(destination, name)))
            for name, value in fields.items()
        }

    def item(self, destination: str, item: Item) -> Item:
        """The key of an item, masked where it is made of personal values."""
        if item is None or not self.versions:
            return item
        keys = [
            (one.places, one.destinations[destination].key)
            for one in self.versions
            if destination in one.destinations
        ]
        masked = self._masked(item, keys or [(self.versions[0].places, _UNKNOWN)])
        return masked if isinstance(masked, str | int) else mask_of(item)

    def facts(self, values: Mapping[str, object]) -> dict[str, object]:
        """Facts, masked."""
        return {
            name: self.said(
                self._masked(
                    value, [(one.places, one.facts.get(name, _UNKNOWN)) for one in self.versions]
                )
            )
            for name, value in values.items()
        }

    def text(self, text: str) -> str:
        """A sentence about the event, with its personal values covered."""
        return self._cover.text(text)

    def said(self, value: object) -> object:
        """A document about the event, with its personal values covered."""
        return self._cover.value(value)

    def path(self, path: str) -> str:
        """A place of the payload, `*` for what a sender made up in it; dotted, or a pointer."""
        if not path:
            return path
        steps = _steps_of(path)
        shown = self._shown_steps(steps)
        if shown == steps:
            return path
        pointed = path.startswith("/") or any("." in one for one in shown)
        return json_pointer(shown) if pointed else ".".join(shown)

    def is_personal(self, path: str) -> bool:
        """Whether a place of the payload is personal; dotted, or a pointer."""
        steps = _steps_of(path)
        return any(self._spot(one.places, steps).is_personal for one in self.versions)

    def violation(self, one: Violation) -> Violation:
        """One violation; what it says of a personal value is the kind of it."""
        steps = _steps_of(one.path)
        message = one.message
        for version in self.versions:
            if self._spot(version.places, steps).is_personal:
                message = self._unquoted(steps, message)
        return replace(
            one,
            path=json_pointer(self._shown_steps(steps)),
            message=self.text(message),
            hint=None if one.hint is None else self.text(one.hint),
        )

    def _unquoted(self, steps: Sequence[str], message: str) -> str:
        """A message that begins with the value at a place, which may be as plain as `true`."""
        for payload in self.payloads:
            found = _at(payload, steps)
            if found is not ABSENT and message.startswith(quoted := abbreviate(found)):
                return mask_of(found) + message.removeprefix(quoted)
        return message

    def _shown_steps(self, steps: Sequence[str]) -> list[str]:
        shown, holders = list(steps), _holders(self.payloads, steps)
        for version in self.versions:
            spot = version.places.whole
            for at, (step, holder) in enumerate(zip(steps, holders, strict=True)):
                is_place = step == "*" or (step.isdigit() and not isinstance(holder, dict))
                if not (is_place or version.places.shows_name(spot, step)):
                    shown[at] = "*"
                spot = self._step(version.places, spot, step, holder)
        return shown

    def _spot(self, places: PersonalPlaces, steps: Sequence[str]) -> Spot:
        spot = places.whole
        for step, holder in zip(steps, _holders(self.payloads, steps), strict=True):
            spot = self._step(places, spot, step, holder)
        return spot

    def _step(self, places: PersonalPlaces, spot: Spot, step: str, holder: object) -> Spot:
        """One step further; what holds it says whether a number is a place in a list."""
        if step == "*":
            return places.any_item(spot)
        if isinstance(holder, list):
            return places.into(spot, int(step)) if step.isdigit() else places.any_item(spot)
        named = places.into(spot, step)
        if step.isdigit() and not isinstance(holder, dict) and not named.schemas:
            return places.any_item(spot)
        return named

    def _of_field(self, destination: str, name: str) -> list[tuple[PersonalPlaces, Spot]]:
        known = [
            (one.places, one.destinations[destination].fields[name])
            for one in self.versions
            if name in getattr(one.destinations.get(destination), "fields", ())
        ]
        return known or [(one.places, _UNKNOWN) for one in self.versions]

    def _masked(self, value: object, spots: Sequence[tuple[PersonalPlaces, Spot]]) -> object:
        for places, spot in spots:
            value = mask_value(value, places, spot)
        return value

    @cached_property
    def _cover(self) -> Cover:
        return Cover(self._texts())

    def _texts(self) -> Iterator[str]:
        for one in self.versions:
            for payload in self.payloads:
                yield from texts_of(payload, one.places, one.places.whole)
                yield from _texts_of_facts(one, payload)
        for sent in self.sent:
            for name, value in sent.fields.items():
                for places, spot in self._of_field(sent.destination, name):
                    yield from texts_of(value, places, spot)
            if self.item(sent.destination, sent.item) != sent.item:
                yield str(sent.item)


def _steps_of(path: str) -> list[str]:
    """The names of a place that is written with dots, or as a JSON Pointer of any depth."""
    if not path.startswith("/"):
        return path.split(".") if path else []
    return pointer_steps(path)


def _texts_of_facts(one: PersonalWorkflow, payload: object) -> Iterator[str]:
    if not one.has_facts_of_its_own:
        return
    for fact, value in one.workflow.facts.each(payload):
        if value is not ABSENT and not isinstance(value, NotComputed):
            yield from texts_of(value, one.places, one.facts[fact.name])


def _holders(payloads: Sequence[object], steps: Sequence[str]) -> list[object]:
    """What holds each step of a path: of the first payload that has it all, None where none has."""
    for payload in payloads:
        found: list[object] = []
        value = payload
        for step in steps:
            found.append(value)
            value = _into(value, step)
        if value is not ABSENT:
            return found
    return [None] * len(steps)


def _at(value: object, steps: Sequence[str]) -> object:
    for step in steps:
        value = _into(value, step)
    return value


def _into(value: object, step: str) -> object:
    if isinstance(value, dict):
        return value.get(step, ABSENT)
    if isinstance(value, list) and step.isdigit() and int(step) < len(value):
        return value[int(step)]
    return ABSENT
