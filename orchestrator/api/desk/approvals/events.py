"""One event that waits for a yes: list, look at what would be sent, decide."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from pydantic import Field

from orchestrator.api.desk.cursors import page_of, place_of
from orchestrator.api.desk.models import Name, Paged, WithWhy
from orchestrator.api.desk.routes import Answer, Asked, Route
from orchestrator.api.desk.schemas import list_of
from orchestrator.domain.acts import Act
from orchestrator.domain.approvals.requests import EventDecision
from orchestrator.operations.approvals.decide import DecidedEvents, decide_event
from orchestrator.operations.approvals.show import find_approval
from orchestrator.store.approvals.list import ApprovalRow, list_approvals
from orchestrator.store.approvals.views import ApprovalView


class Approvals(Paged):
    """Which requests."""

    client: Name | None = None
    workflow: Name | None = None
    every: Annotated[bool, Field(description="also those that are decided")] = False


class EventDecided(WithWhy):
    """What an approver says; whoever refuses says why."""

    decision: Annotated[EventDecision, Field(strict=False)]


def list_(asked: Asked) -> Answer:
    """The oldest first: its time is over first."""
    query = asked.query_as(Approvals)
    place = place_of(query.cursor, int)
    with asked.store.read() as tx:
        found = list_approvals(
            tx,
            client=query.client,
            workflow=query.workflow,
            every=query.every,
            clients=asked.some_clients(tx),
            after=None if place is None else int(place[0]),
            limit=query.limit + 1,
        )
    page = page_of(found, query.limit, lambda row: (row[0],))
    return Answer(document={"approvals": [row for _, row in page.rows], "next": page.next})


def show(asked: Asked) -> Answer:
    """What it would send, and by which digest it is approved."""
    with asked.store.read() as tx:
        found = find_approval(tx, asked.path["event"], asked.clients(tx))
    return Answer(document=found, tag=found.digest)


def decide(asked: Asked) -> Answer:
    """Say yes or no to one event."""
    body = asked.body_as(EventDecided)
    done = decide_event(
        asked.store,
        asked.path["event"],
        body.decision,
        actor=asked.actor,
        why=body.why,
        seen=asked.seen,
    )
    return Answer(document=done)


CONFLICTS = (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED)

ROUTES = (
    Route(
        method="GET",
        path="/v1/approvals",
        name="list_approvals",
        act=Act.VIEW,
        says="List events that wait for a person's yes, the oldest first.",
        handler=list_,
        query=Approvals,
        answers=list_of(ApprovalRow, "approvals"),
    ),
    Route(
        method="GET",
        path="/v1/approvals/{event}",
        name="show_approval",
        act=Act.VIEW,
        says="Show what an event would send, and what was said of it.",
        handler=show,
        answers=ApprovalView,
        tagged=True,
        refusals=(HTTPStatus.NOT_FOUND,),
    ),
    Route(
        method="POST",
        path="/v1/approvals/{event}/decision",
        name="decide_event",
        act=Act.DECIDE_EVENT,
        says="Approve what an event would send, or refuse it.",
        handler=decide,
        body=EventDecided,
        answers=DecidedEvents,
        tagged=True,
        refusals=CONFLICTS,
    ),
)
