"""The actions of an HTTP definition, compiled: each request, and where its answer has what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
from connectors.http.definition import ErrorRule, HttpAction, Lookup, Read, Update
from connectors.http.error_rules import Rules
from connectors.http.requests import RequestTemplate
from connectors.http.templates import ABSENT, Template, Values, compile_text
from orchestrator.domain.delivery.comparing import Comparison
from orchestrator.domain.delivery.handoff import Action
from orchestrator.domain.errors import ConnectorError, DestinationRefused, DestinationUnavailable

_CONNECT_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class ActionPlan:
    """One action, compiled."""

    action: Action
    write: RequestTemplate
    written_id: Steps | None
    updates: bool  # whether the write changes the record that the look-up finds
    lookup: Finder | None
    read: Reader | None
    undo: RequestTemplate | None
    batch: BatchPlan | None
    rules: Rules
    connect_seconds: float


class Finder:
    """A look-up: its request, and what its answer says."""

    def __init__(self, said: Lookup) -> None:
        self.request = RequestTemplate("look-up", said)
        self.absent_status = said.absent_status
        self._items = None if said.items is None else steps(said.items)
        self._record_id = steps(said.record_id)
        self._where = _where(said.where)

    def found(self, answer: object, values: Values) -> str | None:
        """The id of the one record that the answer has, or None. Raises Unreadable."""
        items: object = [answer] if self._items is None else dig(answer, self._items)
        if not isinstance(items, list):
            raise Unreadable(f"what the answer has at {shown(self._items or ())} is not a list")
        wanted = _wanted(self._where, values)
        items = [one for one in items if _reads(one, wanted)]
        if len(items) > 1:
            raise Unreadable(f"{len(items)} records carry the key, where one was expected")
        return record_id_at(items[0], self._record_id) if items else None


class Reader:
    """A read: its request, and where its answer has the fields."""

    def __init__(self, said: Read) -> None:
        self.request = RequestTemplate("read", said)
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


def plan_of(name: str, said: HttpAction, errors: Sequence[ErrorRule]) -> ActionPlan:
    """An action, compiled; `errors` are its connector's rules."""
    write_name, write = said.writes()[0]
    read = said.read
    return ActionPlan(
        action=action_of(
            name,
            said,
            compare=_compare(read),
            confirm_seconds=read.within_seconds if read else 0.0,
            can_undo=said.undo is not None,
            batch_size=said.batch.most if said.batch else 1,
        ),
        write=RequestTemplate(write_name, write),
        written_id=None if write.record_id is None else steps(write.record_id),
        updates=isinstance(write, Update),
        lookup=Finder(said.lookup) if said.lookup else None,
        read=Reader(read) if read else None,
        undo=RequestTemplate("undo", said.undo) if said.undo else None,
        batch=BatchPlan(said.batch) if said.batch else None,
        rules=Rules(said.conflict, (*said.errors, *errors)),
        connect_seconds=min(_CONNECT_SECONDS, said.timeout_seconds / 2),
    )


def misread(template: RequestTemplate, error: Unreadable) -> ConnectorError:
    """What an answer that lacks what it should have means, where nothing was written."""
    text = f"{template.name}: {error}"
    # A proxy's page passes; an answer of another shape stays until the definition is changed.
    return DestinationUnavailable(text) if isinstance(error, NotJson) else DestinationRefused(text)


def _compare(read: Read | None) -> dict[str, Comparison]:
    named: Mapping[str, FieldPlace] = {}
    if read and isinstance(read.fields, dict):
        named = read.fields
    return {name: place.compare for name, place in named.items()}


def _where(said: Mapping[str, str]) -> list[tuple[Steps, Template]]:
    return [(steps(path), compile_text(text)) for path, text in said.items()]


def _wanted(where: list[tuple[Steps, Template]], values: Values) -> list[tuple[Steps, object]]:
    wanted = [(at, template.fill(values)) for at, template in where]
    if any(text is ABSENT for _, text in wanted):
        raise Unreadable("a field that `where` compares with was not sent")
    return wanted


def _reads(item: object, wanted: list[tuple[Steps, object]]) -> bool:
    return all(as_text(dig_or_none(item, at)) == text for at, text in wanted)
