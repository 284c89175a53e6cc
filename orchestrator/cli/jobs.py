"""`meshline jobs`: long acts that a keeper carries out, whoever goes away meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.terminal.open_store import opened_store
from orchestrator.cli.terminal.options import (
    AfterPlace,
    AsJson,
    Limit,
    OnlyClient,
    OptionalWhy,
    number,
)
from orchestrator.cli.terminal.personal import shown_here
from orchestrator.cli.terminal.screen import note, put, put_json, put_line, put_table
from orchestrator.cli.terminal.who import actor, seen_clients
from orchestrator.domain.jobs import AT_WORK, JobState
from orchestrator.presenting.moments import moment

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestrator.domain.errors import NothingSelected
    from orchestrator.operations.jobs.show import ShownJob
    from orchestrator.store.database.engine import Store
    from orchestrator.store.views.jobs import JobRow

app = typer.Typer(help="Jobs that a keeper carries out: list, show, stop.", no_args_is_help=True)

Number = Annotated[
    int, typer.Argument(metavar="NUMBER", parser=number, help="Its number in the list.")
]

Background = Annotated[
    bool, typer.Option("--background", help="Let a keeper do it, and print the job's number.")
]
"""Of a command whose act a keeper can carry out."""


@app.command("list")
def list_(
    client: OnlyClient = None,
    state: Annotated[
        JobState | None, typer.Option("--state", metavar="STATE", help="Only these.")
    ] = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List jobs, the newest first."""
    with opened_store() as store:
        from orchestrator.operations.check_filters import check_filters
        from orchestrator.store.views.jobs import list_jobs

        clients = seen_clients(store)
        with store.read() as tx:
            check_filters(tx, client=client, clients=clients)
            found = list_jobs(tx, client=client, state=state, clients=clients, limit=limit)
    if as_json:
        put_json({"jobs": found})
        return
    put_table(
        ("JOB", "WHAT", "STATE", "DONE", "FAILED", "STARTED", "BY", "WHY"),
        [
            (
                one.id,
                what(one),
                one.state,
                f"{one.done} of {one.items}",
                one.failed or None,
                moment(one.started_at),
                one.started_by,
                one.error or one.why,
            )
            for one in found
        ],
        below=("WHY",),
    )
    if not found:
        note("there is no job: `meshline quarantine run TOKEN --background` starts one")


@app.command()
def show(
    job: Number,
    failed: Annotated[
        bool, typer.Option("--failed", help="Only the events that nothing came of.")
    ] = False,
    limit: Limit = 50,
    after: AfterPlace = None,
    as_json: AsJson = False,
) -> None:
    """Show a job: how far it is, who started it, and what came of each event."""
    with opened_store() as store:
        from orchestrator.operations.jobs.show import show_job

        clients = seen_clients(store)
        with store.read() as tx:
            after_place = -1 if after is None else after
            found = show_job(
                tx, job, limit=limit, after=after_place, failed=failed, clients=clients
            )
        found = shown_here(store, found)
    if as_json:
        put_json(found)
    else:
        _put_job(found)


@app.command()
def stop(job: Number, why: OptionalWhy = None, as_json: AsJson = False) -> None:
    """Stop a job after the step that it is at; what is done stays done."""
    with opened_store() as store:
        from orchestrator.operations.jobs.stop import stop_job

        stop_job(store, job, actor=actor(store), why=why)
        told = _read(store, job)
    _tell(told, as_json=as_json)
    if not as_json:
        note(f"go on with: meshline jobs go-on {job}")


@app.command("go-on")
def go_on(job: Number, why: OptionalWhy = None, as_json: AsJson = False) -> None:
    """Let a keeper continue with a job that was stopped or failed. Each event is done once."""
    with opened_store() as store:
        from orchestrator.operations.jobs.stop import resume_job

        resume_job(store, job, actor=actor(store), why=why)
        told = _read(store, job)
    _tell(told, as_json=as_json)


def start_job(store: Store, begin: Callable[[], int], *, ids: bool, as_json: bool) -> None:
    """Start a job and say its number, and whether a keeper is there for it.

    Filters (no `ids`) that find nothing leave nothing to do, as without a job. Raises as `begin`.
    """
    from orchestrator.domain.errors import NothingSelected

    try:
        job = begin()
    except NothingSelected as nothing:
        if ids:
            raise
        tell_nothing(nothing, "job", as_json=as_json)
        return
    tell_started(store, job, as_json=as_json)


def tell_nothing(nothing: NothingSelected, what: str, *, as_json: bool) -> None:
    """Say that there is nothing to do, so that no job or plan was made."""
    if as_json:
        put_json({what: None})
    else:
        put(f"nothing to do, and no {what}: {nothing.detail}")


def tell_started(store: Store, job: int, *, as_json: bool) -> None:
    """Say the number of a job that was started, and whether a keeper is there for it."""
    told = _read(store, job)
    _tell(told, as_json=as_json)
    if as_json:
        return
    from orchestrator.domain.heartbeats import ProcessKind, presence_of
    from orchestrator.store.desk.heartbeats import list_heartbeats

    with store.read() as tx:
        keepers = presence_of(ProcessKind.KEEPER, list_heartbeats(tx)).alive
    if not keepers:
        note("no keeper is alive: it waits until `meshline keeper` runs")
    note(f"`meshline jobs show {job}` says how far it is")


def what(job: JobRow) -> str:
    """What a job does, in a few words."""
    words = job.kind.replace("_", " ")
    about = job.plan or job.change
    return f"{words} {about}" if about else words


def _read(store: Store, job: int) -> JobRow:
    from orchestrator.store.views.jobs import find_job

    with store.read() as tx:
        found = find_job(tx, job)
    assert found is not None  # noqa: S101 - it was moved just now
    return found


def _tell(job: JobRow, *, as_json: bool) -> None:
    if as_json:
        put_json(job)
    else:
        put(f"job {job.id} ({what(job)}) is {job.state}: {job.done} of {job.items} events")


def _put_job(found: ShownJob) -> None:
    job = found.job
    _tell(job, as_json=False)
    _put_fact(f"started by {job.started_by}, {moment(job.started_at)}", job.why)
    if job.state in AT_WORK:
        _put_fact(f"carried out by {job.keeper} since {moment(job.taken_at)}", None)
    elif job.ended_at:
        _put_fact(f"ended {moment(job.ended_at)}", job.error)
    if found.outcomes:
        put(f"so far: {', '.join(f'{count} {word}' for word, count in found.outcomes.items())}")
    put_table(
        ("PLACE", "ID", "OUTCOME", "WHY"),
        [(one.place, one.id, one.outcome, one.detail) for one in found.rows],
        below=("WHY",),
    )
    if found.rows and found.rows[-1].place + 1 < job.items:
        note(f"--limit shows more, and --after {found.rows[-1].place} the next")


def _put_fact(told: str, why: str | None) -> None:
    put_line(f"  {told}{f': {why}' if why else ''}")
