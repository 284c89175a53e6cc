"""Show a job: how far it is, and event by event what came of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from orchestrator.domain.documents.fields_of import fields_of
from orchestrator.domain.errors import NotFound
from orchestrator.store.database.engine import Tx
from orchestrator.store.desk.job_items import JobItem, count_outcomes, job_items_of
from orchestrator.store.desk.plans import find_plan, outcomes, planned_events
from orchestrator.store.views.jobs import JobRow, find_job


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownJob:
    """A job with some of its events."""

    job: JobRow
    outcomes: Mapping[str, int]  # how many of its events are where
    rows: tuple[JobItem, ...]  # in the order of the job

    def as_json(self) -> dict[str, object]:
        """The job as a document, with `outcomes` and `rows` beside its own keys."""
        return fields_of(self.job) | {"outcomes": self.outcomes, "rows": self.rows}


def show_job(
    tx: Tx,
    number: int,
    *,
    limit: int,
    after: int = -1,
    failed: bool = False,
    clients: Collection[str] | None = None,
) -> ShownJob:
    """A job with at most `limit` of its events, those after the place `after`.

    With `failed` only the events that nothing came of. Raises NotFound, also where it is about
    others than these `clients`; None: about any.
    """
    job = find_job(tx, number)
    if job is None or not (clients is None or set(job.clients) <= set(clients)):
        raise no_job(number)
    if job.plan is not None:
        return _of_plan(tx, job, job.plan, limit=limit, after=after, failed=failed)
    items = job_items_of(tx, number, limit=limit, after=after, failed=failed)
    return ShownJob(job=job, outcomes=count_outcomes(tx, number), rows=tuple(items))


def _of_plan(tx: Tx, job: JobRow, token: str, *, limit: int, after: int, failed: bool) -> ShownJob:
    """The events of its plan, and where they are now."""
    plan = find_plan(tx, token)
    if plan is None:  # retention takes plans as old as the job
        return ShownJob(job=job, outcomes={}, rows=())
    found = planned_events(tx, plan.id, limit=limit, after=after, failed=failed)
    rows = [JobItem(place=one.place, id=one.id, outcome=one.outcome, detail=None) for one in found]
    return ShownJob(job=job, outcomes=outcomes(tx, plan.id), rows=tuple(rows))


def no_job(number: int) -> NotFound:
    """What is said of a job that is not there, or is not the asker's to see."""
    return NotFound(f"there is no job {number}", field="job", fix="see `meshline jobs list`")
