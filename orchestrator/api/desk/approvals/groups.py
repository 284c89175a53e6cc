"""What waits for a yes by workflow and route: list, look at all of it, decide together."""

from __future__ import annotations

from http import HTTPStatus

from orchestrator.api.desk.approvals.events import CONFLICTS, EventDecided
from orchestrator.api.desk.models import Name, Paged
from orchestrator.api.desk.routes import Answer, Asked, Route
from orchestrator.api.desk.schemas import list_of
from orchestrator.domain.acts import Act
from orchestrator.domain.approvals.requests import read_group
from orchestrator.operations.approvals.decide import DecidedEvents, decide_group
from orchestrator.operations.approvals.show import find_group
from orchestrator.store.approvals.list import GroupRow, list_groups
from orchestrator.store.approvals.views import GroupView


class Groups(Paged):
    """Which groups; all that wait are on one page."""

    client: Name | None = None
    workflow: Name | None = None


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


ROUTES = (
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
        refusals=CONFLICTS,
    ),
)
