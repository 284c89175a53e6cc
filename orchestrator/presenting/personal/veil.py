"""Views with masks in them. Each text of a view is covered, unless its field is named as ours.

So a field that is added to a view is covered until somebody says that no sender's value is in it.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, TypeVar, cast

import orjson

from orchestrator.domain.workflows.compiled import compile_workflow
from orchestrator.domain.workflows.personal.event import PersonalEvent, SentFields
from orchestrator.domain.workflows.personal.taint import PersonalWorkflow
from orchestrator.domain.workflows.workflow import Workflow
from orchestrator.presenting.personal.gate import Shown
from orchestrator.presenting.personal.views import (
    MASKED,
    OURS,
    event_of,
    events_in,
    names_in,
    workflows_of,
)
from orchestrator.store.database.engine import Tx
from orchestrator.store.quarantine.workflows import definition_of, live_workflow
from orchestrator.store.views.events.carried import Carried, carried_by

Value = TypeVar("Value")
Marked = Collection[tuple[str, str]]


def veiled(tx: Tx, value: Value, marked: Marked, *, sees: Container[str]) -> Shown[Value]:
    """The view with masks for what the reader may not see; `marked` are workflows."""
    return _Veil(tx, value, marked, sees).shown(value)


class _Veil:
    def __init__(self, tx: Tx, value: object, marked: Marked, sees: Container[str]) -> None:
        self._tx, self._marked, self._sees = tx, marked, sees
        self._carried = carried_by(tx, events_in(value), marked)
        self._known: dict[str, PersonalEvent] = {}
        self._workflows: dict[tuple[str, str], PersonalEvent] = {}
        self._asked: dict[tuple[str, str, int | None], tuple[PersonalWorkflow, ...]] = {}
        self._seen: dict[str, None] = {}

    def shown(self, value: Value) -> Shown[Value]:
        masked = self._of(value, None)
        return Shown(value=cast("Value", masked), seen=tuple(self._seen))

    def _of(self, value: Any, about: PersonalEvent | None) -> Any:
        if isinstance(value, str):
            return about.text(value) if about else value
        if value is None or isinstance(value, int):
            return value
        if isinstance(value, list | tuple):
            return type(value)([self._of(one, about) for one in value])
        if names_in(value):
            return self._of_view(value, about)
        if isinstance(value, Mapping):
            return {name: self._of(one, about) for name, one in value.items()}
        return value

    def _of_view(self, view: Any, about: PersonalEvent | None) -> Any:
        event_id = event_of(view)
        carried = None if event_id is None else self._carried.get(event_id)
        if carried is not None:
            masked = self._masked(view, self._event(carried))
            if carried.client not in self._sees:
                return masked
            if masked != view:
                self._seen[carried.id] = None
            return view
        if event_id is not None:
            return self._masked(view, None)
        return self._masked(view, self._of_workflows(view) or about)

    def _of_workflows(self, view: object) -> PersonalEvent | None:
        """What is personal of a view about no one event, where the reader may not see it."""
        named = workflows_of(view)
        for client, name in sorted(self._marked) if named is None else named:
            if (client, name) in self._marked and client not in self._sees:
                return self._workflow(client, name)
        return None

    def _masked(self, view: Any, about: PersonalEvent | None) -> Any:
        own = MASKED.get(type(view)) if about else None
        changes = own(view, about) if own and about else {}
        for name in names_in(view):
            before = getattr(view, name)
            if before is None or name in changes or (name in OURS and _is_text(before)):
                continue
            after = self._of(before, about)
            if after != before:
                changes[name] = after
        return replace(view, **changes) if changes else view

    def _event(self, carried: Carried) -> PersonalEvent:
        if carried.id not in self._known:
            self._known[carried.id] = PersonalEvent(
                versions=self._versions(carried.client, carried.workflow, carried.workflow_id),
                payloads=carried.payloads,
                sent=tuple(
                    SentFields(destination=one.destination, item=one.item, fields=one.fields)
                    for one in carried.sent
                ),
            )
        return self._known[carried.id]

    def _workflow(self, client: str, name: str) -> PersonalEvent:
        key = (client, name)
        if key not in self._workflows:
            self._workflows[key] = PersonalEvent(versions=self._versions(client, name))
        return self._workflows[key]

    def _versions(
        self, client: str, name: str, running: int | None = None
    ) -> tuple[PersonalWorkflow, ...]:
        """The version that an event runs under, and the live one."""
        key = (client, name, running)
        if key not in self._asked:  # a list has many events of few workflows
            self._asked[key] = tuple(one for one in self._read(*key) if one.has_marks)
        return self._asked[key]

    def _read(self, client: str, name: str, running: int | None) -> list[PersonalWorkflow]:
        live = live_workflow(self._tx, client, name)
        ids = (running, live.id if live else None)
        wanted = dict.fromkeys(one for one in ids if one is not None)
        return [_personal(definition_of(self._tx, one)) for one in wanted]


def _is_text(value: object) -> bool:
    if isinstance(value, str):
        return True
    return isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)


@lru_cache(maxsize=64)
def _personal(definition: str) -> PersonalWorkflow:
    """A version by its text: the same text is the same version, whatever store it is in."""
    return PersonalWorkflow(compile_workflow(Workflow.from_published(orjson.loads(definition))))
