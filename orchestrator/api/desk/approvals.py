"""Events that wait for a yes: list, look at what would be sent, decide; alone or in groups."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from pydantic import Field

from orchestrator.api.desk.cursors import page_of, place_of
from orchestrator.api.desk.models import Name, Paged, WithWhy
from orchestrator.api.desk.routes import Answer, Asked, Route
from orchestrator.api.desk.schemas import list_of
from orchestrator.domain.acts import Act
from orchestrator.domain.approvals.requests import EventDecision, read_group
from orchestrator.operations.approvals.decide import DecidedEvents, decide_event, decide_group
from orchestrator.operations.approvals.show import find_approval, find_group
from orchestrator.store.approvals.views import (
    ApprovalRow,
    ApprovalView,
    GroupRow,
    GroupView,
    list_approvals,
    list_groups,
)


class Approvals(Paged):
    """Which requests."""

    client: Name | None = None
    workflow: Name | None = None
    every: Annotated[bool, Field(description="also those that are decided")] = False


class Groups(Paged):
    """Which groups; all that wait are on one page."""

    client: Name | None = None
    workflow: Name | None = None


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


def groups(asked: Asked) -> Answer:
    """By client, workflow and route."""
    query = asked.query_as(Groups)
    with asked.store.read() as tx:
        found = list_groups(
            tx, client=query.client, workflow=query.workflow, clients=asked.some_clients(tx)
        )
    return Answer(document={"groups": found, "next": None})


def show_group(asked: Asked) -> Answer:
    """What each event of it would send."""
    group = read_group(asked.path["group"])
    with asked.store.read() as tx:
        found = find_group(tx, group, asked.clients(tx))
    return Answer(document=found, tag=found.digest)


def decide_all(asked: Asked) -> Answer:
    """Say yes or no to all events of a group as it was looked at."""
    body = asked.body_as(EventDecided)
    done = decide_group(
        asked.store,
        read_group(asked.path["group"]),
        body.decision,
        actor=asked.actor,
        why=body.why,
        seen=asked.seen,
    )
    return Answer(document=done)


_CONFLICTS = (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED)

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
        refusals=_CONFLICTS,
    ),
    Route(
        method="GET",
        path="/v1/approval-groups",
        name="list_approval_groups",
        act=Act.VIEW,
        says="List what waits for a yes by workflow and route, to decide about it together.",
        handler=groups,
        query=Groups,
        answers=list_of(GroupRow, "groups"),
    ),
    Route(
        method="GET",
        path="/v1/approval-groups/{group}",
        name="show_approval_group",
        act=Act.VIEW,
        says="Show what each event of a group would send.",
        handler=show_group,
        answers=GroupView,
        tagged=True,
        refusals=(HTTPStatus.NOT_FOUND,),
    ),
    Route(
        method="POST",
        path="/v1/approval-groups/{group}/decision",
        name="decide_events",
        act=Act.DECIDE_EVENT,
        says="Approve or refuse all events of a group; it needs `If-Match`.",
        handler=decide_all,
        body=EventDecided,
        answers=DecidedEvents,
        tagged=True,
        refusals=_CONFLICTS,
    ),
)
