"""Jobs: which long acts keepers carry out, how far each is, and what came of each event."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from tornado.web import authenticated

from orchestrator.dashboard.given import searchable
from orchestrator.dashboard.pages.files import CSV, JSON, File, StoreFile
from orchestrator.dashboard.pages.frame import StorePage
from orchestrator.domain.errors import Refused
from orchestrator.domain.jobs import AT_WORK, JobState
from orchestrator.operations.check_filters import check_filters
from orchestrator.operations.jobs.became import what_became
from orchestrator.operations.jobs.seen import digest_of_job
from orchestrator.operations.jobs.show import show_job
from orchestrator.presenting.csv_files import to_csv
from orchestrator.presenting.documents import to_json
from orchestrator.store.database.engine import Tx
from orchestrator.store.desk.job_items import JobItem
from orchestrator.store.views.jobs import list_jobs
from orchestrator.store.views.quarantine.selection import reasons_among
from orchestrator.store.views.values import iso, now_of

PAGE_SIZE = 50
EVENTS_SHOWN = 100


class JobsPage(StorePage):
    """The jobs, the newest first."""

    tab = "jobs"

    @authenticated
    async def get(self) -> None:
        """Answer GET /jobs."""
        await self.show("jobs.html", self._look, what="client")

    def _look(self, tx: Tx, clients: frozenset[str] | None) -> dict[str, object]:
        client = searchable(self.get_argument("client", "", escape=False)).strip() or None
        state = _state(self.get_argument("state", "", escape=False).strip())
        before = _number(self.get_argument("before", ""), "before")
        check_filters(tx, client=client, clients=clients)
        found = list_jobs(
            tx, client=client, state=state, clients=clients, limit=PAGE_SIZE + 1, before=before
        )
        return {
            "now": iso(now_of(tx)),
            "client": client,
            "state": state,
            "before": before,
            "jobs": found[:PAGE_SIZE],
            "more": len(found) > PAGE_SIZE,
            "all_states": list(JobState),
            "at": lambda **changed: _query(state=state, client=client, **changed),
        }


class JobPage(StorePage):
    """One job: who started it and why, how far it is, and its events."""

    tab = "jobs"

    @authenticated
    async def get(self, number: str) -> None:
        """Answer GET /jobs/NUMBER."""
        await self.show("job.html", lambda tx, seen: self._look(tx, int(number), seen), what="job")

    def _look(self, tx: Tx, number: int, clients: frozenset[str] | None) -> dict[str, object]:
        after = _number(self.get_argument("after", ""), "after")
        failed = bool(self.get_argument("failed", ""))
        found = look_at_job(tx, number, after=after, failed=failed, clients=clients)
        return found | {"offered": self.offered(tx, *found["job"].clients)}


def look_at_job(
    tx: Tx,
    number: int,
    *,
    after: int | None = None,
    failed: bool = False,
    clients: frozenset[str] | None = None,
) -> dict[str, Any]:
    """What the page of a job shows. Raises NotFound."""
    place = -1 if after is None else after
    found = show_job(
        tx, number, limit=EVENTS_SHOWN + 1, after=place, failed=failed, clients=clients
    )
    return {
        "now": iso(now_of(tx)),
        "job": found.job,
        "outcomes": found.outcomes,
        "rows": found.rows[:EVENTS_SHOWN],
        "more": len(found.rows) > EVENTS_SHOWN,
        "after": after,
        "failed": failed,
        "at_work": found.job.state in AT_WORK,
        "command": _COMMANDS.get(JobState(found.job.state)),
        "became": what_became(tx, found),
        "seen": digest_of_job(found.job),
    }


class FailedEventsFile(StoreFile):
    """The events of a job that nothing came of, as a file."""

    tab = "jobs"

    @authenticated
    async def get(self, number: str, form: str) -> None:
        """Answer GET /jobs/NUMBER/failed.csv and .json."""
        await self.give(
            lambda tx, seen: file_of_failed(tx, int(number), form, clients=seen, veil=self.veil)
        )


def file_of_failed(
    tx: Tx,
    number: int,
    form: str,
    *,
    clients: frozenset[str] | None = None,
    veil: Callable[[Tx, tuple[JobItem, ...]], tuple[JobItem, ...]] = lambda _, rows: rows,
) -> File:
    """The events that nothing came of, with why. Raises NotFound.

    What came back into quarantine has the reason of that. A file that does not hold every event
    says so in its JSON and its name.
    """
    most = MOST_IN_A_FILE
    found = show_job(tx, number, limit=most + 1, failed=True, clients=clients)
    rows = veil(tx, found.rows[:most])
    why = reasons_among(tx, [one.id for one in rows])
    told = [(one.place, one.id, one.outcome, one.detail or why.get(one.id)) for one in rows]
    whole = len(found.rows) <= most
    name = f"job-{number}-failed" if whole else f"job-{number}-failed-first-{most}"
    if form == "csv":
        return File(name=f"{name}.csv", kind=CSV, content=to_csv(_COLUMNS, told))
    document = {
        "as_of": iso(now_of(tx)),
        "job": number,
        "complete": whole,
        "events": [dict(zip(_COLUMNS, row, strict=True)) for row in told],
    }
    return File(name=f"{name}.json", kind=JSON, content=to_json(document, indented=True))


MOST_IN_A_FILE = 10_000
_COLUMNS = ("place", "id", "outcome", "why")

_COMMANDS = {
    JobState.QUEUED: "stop",
    JobState.RUNNING: "stop",
    JobState.STOPPING: "go-on",
    JobState.STOPPED: "go-on",
    JobState.FAILED: "go-on",
}
"""What a person may do about a job of each state."""


def _query(**given: object) -> str:
    return urlencode({name: value for name, value in given.items() if value is not None})


def _state(text: str) -> JobState | None:
    if text and text not in list(JobState):
        raise Refused(
            f"there is no state {text!r}", field="state", fix=f"use {', '.join(JobState)}"
        )
    return JobState(text) if text else None


def _number(text: str, name: str) -> int | None:
    if text and not re.fullmatch("[0-9]{1,9}", text):
        raise Refused(f"{text!r} is not a number", field=name, fix="write one such as 7")
    return int(text) if text else None
