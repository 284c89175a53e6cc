"""Jobs: list, look, stop, resume."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from pydantic import Field

from orchestrator.api.desk.cursors import Page, cursor_of, page_of, place_of
from orchestrator.api.desk.models import Name, Paged, WithWhy, number_of
from orchestrator.api.desk.routes import Answer, Asked, Route, tag_of
from orchestrator.api.desk.schemas import list_of
from orchestrator.domain.acts import Act
from orchestrator.domain.errors import NotFound
from orchestrator.domain.jobs import JobState
from orchestrator.operations.jobs.show import ShownJob, show_job
from orchestrator.operations.jobs.stop import resume_job, stop_job
from orchestrator.store.database.engine import Tx
from orchestrator.store.views.jobs import JobRow, list_jobs


class Jobs(Paged):
    """Which jobs."""

    client: Name | None = None
    state: JobState | None = None


class JobItems(Paged):
    """Which of its events."""

    failed: Annotated[bool, Field(description="only those that nothing came of")] = False


def list_(asked: Asked) -> Answer:
    """The newest first."""
    query = asked.query_as(Jobs)
    place = place_of(query.cursor, int)
    with asked.store.read() as tx:
        rows = list_jobs(
            tx,
            client=query.client,
            state=query.state,
            clients=asked.some_clients(tx),
            limit=query.limit + 1,
            before=None if place is None else int(place[0]),
        )
    return Answer(document=page_of(rows, query.limit, lambda row: (row.id,)).as_json("jobs"))


def show(asked: Asked) -> Answer:
    """How far it is, with some of its events."""
    query = asked.query_as(JobItems)
    place = place_of(query.cursor, int)
    with asked.store.read() as tx:
        found = show_job(
            tx,
            _number(asked),
            limit=query.limit + 1,
            after=-1 if place is None else int(place[0]),
            failed=query.failed,
            clients=asked.clients(tx),
        )
    rows, more = found.rows[: query.limit], len(found.rows) > query.limit
    page = Page(rows=rows, next=cursor_of(rows[-1].place) if more else None)
    return Answer(document=found.as_json() | page.as_json("rows"), tag=_tag(found.job))


def stop(asked: Asked) -> Answer:
    """Stop it after the step that it is at."""
    state = stop_job(
        asked.store,
        _number(asked),
        actor=asked.actor,
        why=asked.body_as(WithWhy).why,
        compare=lambda tx: _compare(tx, asked),
    )
    return Answer(document={"state": state})


def resume(asked: Asked) -> Answer:
    """Go on with what is left."""
    state = resume_job(
        asked.store,
        _number(asked),
        actor=asked.actor,
        why=asked.body_as(WithWhy).why,
        compare=lambda tx: _compare(tx, asked),
    )
    return Answer(document={"state": state})


def _number(asked: Asked) -> int:
    return number_of(asked.path["id"], NotFound("there is no such job", field="id"))


def _compare(tx: Tx, asked: Asked) -> None:
    if asked.seen:
        job = show_job(tx, _number(asked), limit=0, clients=asked.clients(tx)).job
        at = job.ended_at or job.taken_at or job.started_at
        asked.check_seen(_tag(job), lambda: f"it is {job.state}, and moved last at {at}")


def _tag(job: JobRow) -> str:
    return tag_of({"id": job.id, "state": job.state, "ended_at": job.ended_at})


_STATE = {"type": "object", "required": ["state"], "properties": {"state": JobState}}
_CONFLICTS = (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED)

ROUTES = (
    Route(
        method="GET",
        path="/v1/jobs",
        name="list_jobs",
        act=Act.VIEW,
        says="List jobs, the newest first.",
        handler=list_,
        query=Jobs,
        answers=list_of(JobRow, "jobs"),
    ),
    Route(
        method="GET",
        path="/v1/jobs/{id}",
        name="show_job",
        act=Act.VIEW,
        says="Show how far a job is, with its events, page by page.",
        handler=show,
        query=JobItems,
        answers=ShownJob,
        tagged=True,
        refusals=(HTTPStatus.NOT_FOUND,),
    ),
    Route(
        method="POST",
        path="/v1/jobs/{id}/stop",
        name="stop_job",
        act=Act.STOP_JOB,
        says="Stop a job after the step that it is at; what is done stays done.",
        handler=stop,
        body=WithWhy,
        answers=_STATE,
        tagged=True,
        refusals=_CONFLICTS,
    ),
    Route(
        method="POST",
        path="/v1/jobs/{id}/resume",
        name="resume_job",
        act=Act.RESUME_JOB,
        says="Let a keeper go on with a job that was stopped or failed.",
        handler=resume,
        body=WithWhy,
        answers=_STATE,
        tagged=True,
        refusals=_CONFLICTS,
    ),
)
