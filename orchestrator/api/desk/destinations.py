"""Destinations: list, look, pause, resume."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from pydantic import Field

from orchestrator.api.desk.cursors import page_of, place_of
from orchestrator.api.desk.models import Name, NeedsWhy, Paged
from orchestrator.api.desk.routes import Answer, Asked, Route
from orchestrator.api.desk.schemas import list_of
from orchestrator.domain.acts import Act
from orchestrator.domain.errors import NotFound
from orchestrator.operations.preview_switch import digest_of_blocks, last_act_on
from orchestrator.operations.switch_destinations import (
    Switched,
    pause_destination,
    resume_destination,
)
from orchestrator.store.database.engine import Tx
from orchestrator.store.views.destinations.list import DestinationRow, list_destinations
from orchestrator.store.views.destinations.page import DestinationView, show_destination


class Destinations(Paged):
    """Which destinations."""

    client: Name | None = None
    workflow: Name | None = None


class Pause(NeedsWhy):
    """Hold deliveries back."""

    until: Annotated[
        Name | None, Field(description="a duration, a time with its zone, or `resumed`")
    ] = None


def list_(asked: Asked) -> Answer:
    """By name."""
    query = asked.query_as(Destinations)
    place = place_of(query.cursor, str)
    with asked.store.read() as tx:
        every = list_destinations(
            tx, client=query.client, workflow=query.workflow, clients=asked.some_clients(tx)
        )
    ordered = sorted(every, key=lambda row: row.name)
    rows = [one for one in ordered if place is None or one.name > str(place[0])]
    page = page_of(rows[: query.limit + 1], query.limit, lambda row: (row.name,))
    return Answer(document=page.as_json("destinations"))


def show(asked: Asked) -> Answer:
    """One destination or connector, with what stops it and what failed there."""
    with asked.store.read() as tx:
        found = _destination(tx, asked)
    return Answer(document=found, tag=digest_of_blocks(found))


def pause(asked: Asked) -> Answer:
    """Hold deliveries to it back."""
    body = asked.body_as(Pause)
    done = pause_destination(
        asked.store,
        [asked.path["name"]],
        why=body.why,
        actor=asked.actor,
        until=body.until,
        compare=lambda tx: _compare(tx, asked),
    )
    return Answer(document=done)


def resume(asked: Asked) -> Answer:
    """Let deliveries to it pass again."""
    done = resume_destination(
        asked.store,
        [asked.path["name"]],
        why=asked.body_as(NeedsWhy).why,
        actor=asked.actor,
        compare=lambda tx: _compare(tx, asked),
    )
    return Answer(document=done)


def _destination(tx: Tx, asked: Asked) -> DestinationView:
    """Raises NotFound, also for one of another client: a connector is everybody's."""
    name, clients = asked.path["name"], asked.clients(tx)
    found = show_destination(tx, name)
    client, _, rest = name.partition("/")
    if found is None or (clients is not None and not (rest and client in clients)):
        raise NotFound(
            f"no live workflow has the connector or destination {name!r}",
            field="name",
            fix="GET /v1/destinations has them all",
        )
    return found


def _compare(tx: Tx, asked: Asked) -> None:
    if asked.seen:
        found = _destination(tx, asked)
        asked.check_seen(digest_of_blocks(found), lambda: last_act_on(tx, found))


_CONFLICTS = (HTTPStatus.NOT_FOUND, HTTPStatus.PRECONDITION_FAILED)

ROUTES = (
    Route(
        method="GET",
        path="/v1/destinations",
        name="list_destinations",
        act=Act.VIEW,
        says="List the destinations of live workflows, by name.",
        handler=list_,
        query=Destinations,
        answers=list_of(DestinationRow, "destinations"),
    ),
    Route(
        method="POST",
        path="/v1/destinations/{name:circuit}/pause",
        name="pause_destination",
        act=Act.PAUSE,
        says="Hold deliveries to a destination or connector back.",
        handler=pause,
        body=Pause,
        answers=Switched,
        tagged=True,
        refusals=_CONFLICTS,
    ),
    Route(
        method="POST",
        path="/v1/destinations/{name:circuit}/resume",
        name="resume_destination",
        act=Act.RESUME,
        says="Let deliveries to a destination or connector pass again.",
        handler=resume,
        body=NeedsWhy,
        answers=Switched,
        tagged=True,
        refusals=_CONFLICTS,
    ),
    Route(
        method="GET",
        path="/v1/destinations/{name:circuit}",
        name="show_destination",
        act=Act.VIEW,
        says="Show a destination or connector: what stops it, and what failed there.",
        handler=show,
        answers=DestinationView,
        tagged=True,
        refusals=(HTTPStatus.NOT_FOUND,),
    ),
)
