"""`meshline change rehearse`: run a change through the real chain where nothing is real."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.terminal.open_store import opened_store
from orchestrator.cli.terminal.options import AsJson
from orchestrator.cli.terminal.screen import note, put, put_json, put_line, put_table
from orchestrator.cli.terminal.who import actor

if TYPE_CHECKING:
    from orchestrator.domain.changes.rehearsing.result import Rehearsal


def rehearse(
    change: Annotated[str, typer.Argument(metavar="CHANGE", help="Its token in the list.")],
    events: Annotated[
        int,
        typer.Option(
            "--events", metavar="N", min=0, max=500, help="So many of the newest real events."
        ),
    ] = 50,
    within: Annotated[
        int,
        typer.Option(
            "--seconds", metavar="N", min=1, max=3600, help="How long they may take together."
        ),
    ] = 120,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="FILE", help="Its file: the tests in it are rehearsed too."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run a change through the real chain, with a store, a broker and a worker of its own.

    Real events go through it with made-up values in personal fields. Each destination is the tool's
    sandbox account that the file names, our sandbox, or dry: what would be sent is made, and not
    sent. What it found stays with the change, and an approval covers that too. The change has to be
    proposed and not approved yet, so the client needs an approver: where nobody has to approve, a
    proposal begins at once, and there is nothing to rehearse.
    """
    from orchestrator.cli.workflow.files import one_workflow
    from orchestrator.settings import settings

    workflow = None if file is None else one_workflow(file)
    with opened_store() as store:
        from orchestrator.rehearsal.conduct import Asked, rehearse_change

        done = rehearse_change(
            store,
            change,
            actor=actor(store),
            asked=Asked(
                home=settings().home,
                connectors=settings().connectors,
                events=events,
                seconds=within,
                file=workflow,
            ),
            tell=_tell,
        )
    if as_json:
        put_json(done)
        return
    put(f"change {done.change} of {done.workflow} of client {done.client}")
    put_rehearsal(done.result)
    note(f"an approval covers the digest {done.subject} from now on")


def _tell(says: str, done: int, total: int) -> None:
    note(f"{says}: {done} of {total} events are at their end" if says == "rehearsing" else says)


def put_rehearsal(found: Rehearsal) -> None:
    """What it found."""
    put_line(f"  rehearsal: {found.told}")
    rows = [
        (one.destination, one.instead, str(one.made), str(one.failed), str(one.unmade))
        for one in found.destinations
    ]
    put_table(("DESTINATION", "CALLED", "MADE", "FAILED", "CANNOT BE MADE"), rows)
    for stop in found.stops:
        why = "as the version says" if stop.decided else "at a destination"
        put_line(f"  {stop.events} stopped {why}: {stop.reason} ({', '.join(stop.examples)})")
    if found.replaced:
        put_line(f"  {found.replaced} personal values were made up")
    if found.left_out:
        put_line(f"  {found.left_out} events were left out: their made-up payloads do not fit")
