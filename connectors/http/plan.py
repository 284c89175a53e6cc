"""The actions of an HTTP definition, compiled: each request, and where its answer has what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connectors.definition.origins import Origin
from connectors.definition.paths import (
    Steps,
    Unreadable,
    as_text,
    dig,
    dig_or_none,
    has,
    record_id_at,
    shown,
    steps,
)
from connectors.definition.shared_keys import action_of
from connectors.definition.values import FieldPlace
from connectors.http.answers import NotJson
from connectors.http.batches import BatchPlan
from connectors.http.definition import ErrorRule, HttpAction, Lookup, Read, Step, Write
from connectors.http.error_rules import Rules
from connectors.http.paging.whole_lists import WholeList
from connectors.http.placeholders.values import ABSENT, Values
from connectors.http.records.naming import Naming
from connectors.http.requests import RequestTemplate
from connectors.http.templates import Template, compile_text, names_key
from connectors.http.wire.exchange import Answer
from orchestrator.domain.delivery.comparing import DAMAGED
from orchestrator.domain.delivery.handoff import Action
from orchestrator.domain.errors import ConnectorError, DestinationRefused, DestinationUnavailable

_CONNECT_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class ActionPlan:
    """One action, compiled."""

    action: Action
    make: RequestTemplate | None  # makes or upserts the record
    update: RequestTemplate | None  # changes the record that the look-up finds
    written_id: Naming | None
    there_id: Naming | None  # the id of a record that a conflict says is there
    url: Naming | None  # where people find the record
    lookup: Finder | None
    read: Reader | None
    steps: tuple[StepPlan, ...]  # what follows the first request, in order
    undo: RequestTemplate | None
    batch: BatchPlan | None
    rules: Rules
    connect_seconds: float


class Finder:
    """A look-up: its request, and what its answer says."""

    def __init__(self, said: Lookup, name: str = "look-up") -> None:
        self.request = RequestTemplate(name, said)
        self._items = None if said.items is None else steps(said.items)
        self._record_id = steps(said.record_id)
        self._version = None if said.version is None else Naming(said.version)
        self._where = _where(said.where)
        self.whole_list = WholeList(said)
        names = self.request.names.union(*(template.names for _, template in self._where))
        self.by_key = names_key(names)
        # The fields that the record is found by.
        self.asks_for = {name.removeprefix("send.") for name in names if name.startswith("send.")}

    def item(self, answer: object, values: Values) -> object:
        """The one record that the answer has, or None. Raises Unreadable."""
        wanted = _wanted(self._where, values)
        if self._items is None:  # an answer of another shape is not that of another record
            for at, _ in wanted:
                dig(answer, at)
        items = [one for one in self._list(answer) if _reads(one, wanted)]
        if len(items) > 1:
            raise Unreadable(f"{len(items)} records carry the key, where one was expected")
        return items[0] if items else None

    def record_id(self, item: object) -> str:
        """The id of a record that was found. Raises Unreadable."""
        return record_id_at(item, self._record_id)

    def version_of(self, item: object, answer: Answer) -> str | None:
        """How the state of a record is called that was found; None where that is not said."""
        if self._version is None:
            return None
        return (
            self._version.version(answer)
            if self._version.header
            else (self._version.version_in(item))
        )

    def identities(self, answer: object) -> list[str]:
        """What tells the records that the answer lists from each other, of whoever they are."""
        return [self.identity(one) for one in self._list(answer)]

    def identity(self, item: object) -> str:
        """What tells a record from others: its id, or all that is said of it."""
        try:
            return self.record_id(item)
        except Unreadable:
            return repr(item)

    def _list(self, answer: object) -> list[object]:
        items: object = [answer] if self._items is None else dig(answer, self._items)
        if not isinstance(items, list):
            raise Unreadable(f"what the answer has at {shown(self._items or ())} is not a list")
        return items


class Reader:
    """A read: its request, and where its answer has the fields."""

    def __init__(self, said: Read) -> None:
        self.request = RequestTemplate("read", said)
        self.version = None if said.version is None else Naming(said.version)
        self._where = _where(said.where)
        self._all: Steps = ()
        self._each: dict[str, Steps] | None = None
        if isinstance(said.fields, dict):
            self._each = {name: steps(place.at) for name, place in said.fields.items()}
        else:
            self._all = steps(said.fields)

    def is_ours(self, answer: object, values: Values) -> bool:
        """Whether the answer has the record that was asked for. Raises Unreadable."""
        return _reads(answer, _wanted(self._where, values))

    def fields(self, answer: object) -> Mapping[str, object]:
        """The record's fields. Raises Unreadable."""
        if self._each is not None:
            return {name: dig(answer, at) for name, at in self._each.items() if has(answer, at)}
        found = dig(answer, self._all)
        if not isinstance(found, dict):
            raise Unreadable("what the answer has where the fields should be is not an object")
        return found


class StepPlan:
    """One request that follows the one that makes the record."""

    def __init__(self, said: Step) -> None:
        self.request = RequestTemplate(said.name, said)
        self.done = Finder(said.done, f"look-up of {said.name}") if said.done else None
        self.fields: Mapping[str, FieldPlace] = (said.done.fields if said.done else None) or {}
        self.repeatable = said.repeatable or said.method == "put"
        self._sent = {name for name in self.request.names if name.startswith("send.")}

    def is_left_out(self, values: Values) -> bool:
        """Whether there is nothing to send: none of the fields that it names was given."""
        given = (name.removeprefix("send.") in values.send for name in self._sent)
        return bool(self._sent) and not any(given)


def plan_of(name: str, said: HttpAction, errors: Sequence[ErrorRule]) -> ActionPlan:
    """An action, compiled; `errors` are its connector's rules."""
    make = said.create or said.upsert
    read = said.read
    return ActionPlan(
        action=action_of(
            name,
            said,
            places=_places(said),
            confirm_seconds=read.within_seconds if read else 0.0,
            can_undo=said.undo is not None,
            batch_size=said.batch.most if said.batch else 1,
            upserts=said.either,
            steps=tuple(one.name for one in said.then),
            gives_url=said.url is not None,
        ),
        make=RequestTemplate("create" if said.create else "upsert", make) if make else None,
        update=RequestTemplate("update", said.update) if said.update else None,
        written_id=_naming(make.record_id if make else None),
        there_id=_there_id(said, make),
        url=_naming(said.url),
        lookup=Finder(said.lookup) if said.lookup else None,
        read=Reader(read) if read else None,
        steps=tuple(StepPlan(one) for one in said.then),
        undo=RequestTemplate("undo", said.undo) if said.undo else None,
        batch=BatchPlan(said.batch) if said.batch else None,
        rules=Rules(said.conflict, (*said.errors, *errors)),
        connect_seconds=min(_CONNECT_SECONDS, said.timeout_seconds / 2),
    )


def _naming(said: Origin | None) -> Naming | None:
    return None if said is None else Naming(said)


def _there_id(said: HttpAction, make: Write | None) -> Naming | None:
    """Where a conflict names the record: as it says, or as we named it ourselves."""
    named = said.conflict.record_id if said.conflict else None
    own = make.record_id if make else None
    return _naming(own if named is None and own and own.value is not None else named)


def misread(template: RequestTemplate, error: Unreadable) -> ConnectorError:
    """What an answer that lacks what it should have means, where nothing was written."""
    text = f"{template.name}: {error}"
    # A proxy's page passes; an answer of another shape stays until the definition is changed.
    return DestinationUnavailable(text) if isinstance(error, NotJson) else DestinationRefused(text)


def _places(said: HttpAction) -> Mapping[str, FieldPlace]:
    """Where each field is read, of the record and of its steps."""
    named: dict[str, FieldPlace] = {}
    for one in (said.read, *(step.done for step in said.then)):
        if one is not None and isinstance(one.fields, dict):
            named |= one.fields
    return named


def _where(said: Mapping[str, str]) -> list[tuple[Steps, Template]]:
    return [(steps(path), compile_text(text)) for path, text in said.items()]


def _wanted(where: list[tuple[Steps, Template]], values: Values) -> list[tuple[Steps, object]]:
    wanted = [(at, template.fill(values)) for at, template in where]
    if any(text is ABSENT for _, text in wanted):
        raise Unreadable("a field that `where` compares with was not sent")
    return wanted


def _reads(item: object, wanted: list[tuple[Steps, object]]) -> bool:
    """Whether an item is the one that is wanted. Raises Unreadable where nobody can tell."""
    found = [(at, as_text(dig_or_none(item, at)), text) for at, text in wanted]
    # What differs elsewhere is another's, whatever cannot be read of it.
    if any(read != text and DAMAGED not in (read or "") for _, read, text in found):
        return False
    for at, read, _ in found:
        if DAMAGED in (read or ""):
            raise Unreadable(f"what the answer has at {shown(at)} cannot be read in its charset")
    return True
