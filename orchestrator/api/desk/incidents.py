"""Incidents: list, look, acknowledge, assign, resolve."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated

from pydantic import Field

from orchestrator.api.desk.cursors import page_of, place_of
from orchestrator.api.desk.models import Body, Name, NeedsWhy, Paged, WithWhy, number_of
from orchestrator.api.desk.routes import Answer, Asked, Handler, Route
from orchestrator.api.desk.schemas import list_of
from orchestrator.domain.acts import Act
from orchestrator.domain.errors import NotFound
from orchestrator.domain.incidents.incident import IncidentKind, IncidentState
from orchestrator.domain.incidents.seen import digest_of_seen
from orchestrator.operations.check_filters import no_incident
from orchestrator.operations.incidents.handle import (
    Handled,
    acknowledge_incidents,
    assign_incidents,
    resolve_incidents,
)
from orchestrator.operations.incidents.note import Noted, note_incident
from orchestrator.store.database.engine import Tx
from orchestrator.store.views.incidents.list import Cursor, IncidentRow, Sought, list_incidents
from orchestrator.store.views.incidents.page import IncidentView, show_incident


class Incidents(Paged):
    """Which incidents."""

    client: Name | None = None
    workflow: Name | None = None
    reason: Name | None = None
    kind: IncidentKind | None = None
    owner: Name | None = None
    state: Annotated[
        IncidentState | None, Field(description="without it, those that are not resolved")
    ] = None
    overdue: bool = False


class Acknowledgement(WithWhy):
    """Somebody is on it."""

    lasts: Annotated[
        Name | None, Field(description="a duration such as `2h`; without it there is no end")
    ] = None


class Assignment(WithWhy):
    """Whose it is."""

    owner: Annotated[Name, Field(description="an e-mail address")]


def list_(asked: Asked) -> Answer:
    """The most urgent first, the resolved ones at the end."""
    query = asked.query_as(Incidents)
    after = _cursor(query.cursor)
    with asked.store.read() as tx:
        sought = Sought(
            client=query.client,
            workflow=query.workflow,
            reason=query.reason,
            kind=None if query.kind is None else query.kind.value,
            owner=query.owner,
            state=None if query.state is None else query.state.value,
            overdue=query.overdue,
            clients=asked.some_clients(tx),
        )
        rows = list_incidents(tx, sought, limit=query.limit + 1, after=after)
    return Answer(document=page_of(rows, query.limit, _place).as_json("incidents"))


def show(asked: Asked) -> Answer:
    """One incident, with its oldest events and its history."""
    with asked.store.read() as tx:
        found = _incident(tx, asked)
    return Answer(document=found, tag=digest_of_seen(found))


def acknowledge(asked: Asked) -> Answer:
    """Say that somebody is on it."""
    body = asked.body_as(Acknowledgement)
    done = acknowledge_incidents(
        asked.store,
        [_number(asked)],
        actor=asked.actor,
        why=body.why,
        lasts=body.lasts,
        seen=asked.seen,
    )
    return Answer(document=done)


def assign(asked: Asked) -> Answer:
    """Give it to somebody."""
    body = asked.body_as(Assignment)
    done = assign_incidents(
        asked.store,
        [_number(asked)],
        owner=body.owner,
        actor=asked.actor,
        why=body.why,
        seen=asked.seen,
    )
    return Answer(document=done)


def resolve(asked: Asked) -> Answer:
    """Say that it is over."""
    done = resolve_incidents(
        asked.store,
        [_number(asked)],
        why=asked.body_as(NeedsWhy).why,
        actor=asked.actor,
        seen=asked.seen,
    )
    return Answer(document=done)


def note(asked: Asked) -> Answer:
    """Write a note into its history."""
    why = asked.body_as(NeedsWhy).why
    return Answer(document=note_incident(asked.store, _number(asked), why=why, actor=asked.actor))


def _number(asked: Asked) -> int:
    return number_of(asked.path["id"], NotFound("there is no such incident", field="id"))


def _incident(tx: Tx, asked: Asked) -> IncidentView:
    number = _number(asked)
    found = show_incident(tx, number, clients=asked.clients(tx))
    if found is None:
        raise no_incident(number)
    return found


def _place(row: IncidentRow) -> Cursor:
    deadline = datetime.fromisoformat(row.recover_by) - datetime.fromtimestamp(0, UTC)
    resolved = int(row.state == IncidentState.RESOLVED)
    return resolved, deadline // timedelta(milliseconds=1), row.id


def _cursor(text: str | None) -> Cursor | None:
    place = place_of(text, int, int, int)
    return None if place is None else (int(place[0]), int(place[1]), int(place[2]))


_ONE = "/v1/incidents/{id}"
_CONFLICTS = (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED)


def _act(act: Act, handler: Handler, body: type[Body], *, says: str) -> Route:
    return Route(
        method="POST",
        path=f"{_ONE}/{act.value}",
        name=f"{act.value}_incident",
        act=act,
        says=says,
        handler=handler,
        body=body,
        answers=Handled,
        tagged=True,
        refusals=_CONFLICTS,
    )


ROUTES = (
    Route(
        method="GET",
        path="/v1/incidents",
        name="list_incidents",
        act=Act.VIEW,
        says="List incidents, the most urgent first, the resolved ones at the end.",
        handler=list_,
        query=Incidents,
        answers=list_of(IncidentRow, "incidents"),
    ),
    Route(
        method="GET",
        path=_ONE,
        name="show_incident",
        act=Act.VIEW,
        says="Show one incident with its oldest events and its history.",
        handler=show,
        answers=IncidentView,
        tagged=True,
        refusals=(HTTPStatus.NOT_FOUND,),
    ),
    _act(
        Act.ACKNOWLEDGE, acknowledge, Acknowledgement, says="Say that somebody is on an incident."
    ),
    _act(Act.ASSIGN, assign, Assignment, says="Give an incident to somebody."),
    _act(Act.RESOLVE, resolve, NeedsWhy, says="Say that an incident is over."),
    Route(
        method="POST",
        path=f"{_ONE}/note",
        name="note_incident",
        act=Act.NOTE,
        says="Write a note into the history of an incident.",
        handler=note,
        body=NeedsWhy,
        answers=Noted,
        refusals=(HTTPStatus.NOT_FOUND,),
    ),
)
