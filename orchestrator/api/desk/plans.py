"""Replay plans: list, look, make, and run as a job."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from pydantic import Field

from connectors.registry import catalog, load_connectors
from orchestrator.api.desk.cursors import Page, cursor_of, page_of, place_of
from orchestrator.api.desk.models import Body, Name, Paged, Why
from orchestrator.api.desk.routes import Answer, Asked, Route, tag_of
from orchestrator.api.desk.schemas import list_of
from orchestrator.api.desk.selections import Conditions, selection_of
from orchestrator.domain.acts import Act
from orchestrator.operations.jobs.start import start_plan_job
from orchestrator.operations.replay.plan import ReplayPlan, plan_replay
from orchestrator.operations.replay.show_plan import ShownPlan, show_plan
from orchestrator.store.database.engine import Tx
from orchestrator.store.desk.plans import PlanRow, StoredPlan, list_plans

_LOWEST_RATE = 0.1  # events in a second; a job that waits longer for one looks as if it hung
_HIGHEST_RATE = 1_000_000


class NewPlan(Body):
    """What to plan."""

    selection: Conditions
    order_by: Annotated[
        Name | None, Field(description="a fact: events with the same one go one after the other")
    ] = None
    change: Annotated[
        Name | None, Field(description="a change's token: under the version that it would make")
    ] = None


class Run(Body):
    """How to run a plan."""

    send_again: Annotated[
        bool, Field(description="also deliveries that may have arrived, and cannot be looked up")
    ] = False
    rate: Annotated[
        float | None,
        Field(ge=_LOWEST_RATE, le=_HIGHEST_RATE, description="events in a second at most"),
    ] = None
    why: Why | None = None


def list_(asked: Asked) -> Answer:
    """The newest first."""
    query = asked.query_as(Paged)
    place = place_of(query.cursor, int)
    with asked.store.read() as tx:
        rows = list_plans(
            tx,
            limit=query.limit + 1,
            clients=asked.some_clients(tx),
            before=None if place is None else int(place[0]),
        )
    return Answer(document=page_of(rows, query.limit, lambda row: (row.id,)).as_json("plans"))


def show(asked: Asked) -> Answer:
    """One plan, with some of its events."""
    query = asked.query_as(Paged)
    place = place_of(query.cursor, int)
    after = -1 if place is None else int(place[0])
    with asked.store.read() as tx:
        found = _plan(tx, asked, limit=query.limit + 1, after=after)
    rows, more = found.rows[: query.limit], len(found.rows) > query.limit
    page = Page(rows=rows, next=cursor_of(rows[-1].place) if more else None)
    return Answer(document=found.as_json() | page.as_json("rows"), tag=_tag(found.plan))


def make(asked: Asked) -> Answer:
    """Freeze which events, and what is sent where."""
    body = asked.body_as(NewPlan)
    with asked.store.read() as tx:
        chosen = selection_of(tx, asked, body.selection)
    plan = plan_replay(
        asked.store,
        chosen,
        catalog=catalog(load_connectors(asked.config.connectors)),
        actor=asked.actor,
        order_by=body.order_by,
        change=body.change,
        progress=asked.goes_on,
    )
    return Answer(document=plan, status=HTTPStatus.CREATED, location=f"/v1/plans/{plan.token}")


def run(asked: Asked) -> Answer:
    """Let a keeper run it."""
    body = asked.body_as(Run)
    number = start_plan_job(
        asked.store,
        asked.path["token"],
        actor=asked.actor,
        send_again=body.send_again,
        rate=body.rate,
        why=body.why,
        compare=lambda tx: _compare(tx, asked),
    )
    return Answer(
        document={"job": number}, status=HTTPStatus.ACCEPTED, location=f"/v1/jobs/{number}"
    )


def _plan(tx: Tx, asked: Asked, *, limit: int, after: int = -1) -> ShownPlan:
    clients = asked.clients(tx)
    return show_plan(tx, asked.path["token"], limit=limit, after=after, clients=clients)


def _compare(tx: Tx, asked: Asked) -> None:
    if asked.seen:
        plan = _plan(tx, asked, limit=0).plan
        asked.check_seen(_tag(plan), lambda: f"{plan.started_by} ran it at {plan.started_at}")


def _tag(plan: StoredPlan) -> str:
    names = ("token", "state", "started_by", "started_at", "finished_at", "events", "repeats")
    return tag_of({name: getattr(plan, name) for name in names})


ROUTES = (
    Route(
        method="GET",
        path="/v1/plans",
        name="list_plans",
        act=Act.VIEW,
        says="List replay plans, the newest first.",
        handler=list_,
        query=Paged,
        answers=list_of(PlanRow, "plans"),
    ),
    Route(
        method="POST",
        path="/v1/plans",
        name="make_plan",
        act=Act.REPLAY,
        says="Freeze which events are replayed and what is sent where; nothing is sent yet.",
        handler=make,
        body=NewPlan,
        answers=ReplayPlan,
        status=HTTPStatus.CREATED,
        refusals=(HTTPStatus.NOT_FOUND,),
    ),
    Route(
        method="GET",
        path="/v1/plans/{token}",
        name="show_plan",
        act=Act.VIEW,
        says="Show a plan with its events, page by page.",
        handler=show,
        query=Paged,
        answers=ShownPlan,
        tagged=True,
        refusals=(HTTPStatus.NOT_FOUND,),
    ),
    Route(
        method="POST",
        path="/v1/plans/{token}/run",
        name="run_plan",
        act=Act.RUN_PLAN,
        says="Let a keeper run a plan as a job.",
        handler=run,
        body=Run,
        answers={"type": "object", "required": ["job"], "properties": {"job": int}},
        status=HTTPStatus.ACCEPTED,
        tagged=True,
        refusals=(HTTPStatus.NOT_FOUND, HTTPStatus.PRECONDITION_FAILED),
    ),
)
