"""`meshline change freeze` and `thaw`: when no version of a client goes live."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.terminal.open_store import opened_store
from orchestrator.cli.terminal.options import AsJson, Why
from orchestrator.cli.terminal.screen import note, put, put_json, put_table
from orchestrator.cli.terminal.who import actor
from orchestrator.presenting.moments import moment

if TYPE_CHECKING:
    from orchestrator.store.changes.freezes import Freeze

Client = Annotated[str, typer.Argument(metavar="CLIENT", help="Whose workflows.")]


def freeze(
    client: Client,
    until: Annotated[
        str,
        typer.Option("--until", metavar="TIME", help="Its end: 3d (from now), or ISO 8601."),
    ],
    why: Why = "",
    since: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="Its begin; without it, now."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what it would hold back.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Let no version of a client's workflows go live for a while; approved changes wait."""
    with opened_store() as store:
        from orchestrator.operations.changes.freeze import freeze_changes

        done = freeze_changes(
            store,
            client,
            until=until,
            why=why,
            actor=actor(store),
            since=since,
            dry_run=dry_run,
        )
    if as_json:
        put_json(done)
        return
    window = f"{moment(done.freeze.since)} until {moment(done.freeze.until)}"
    put(f"changes of {client} {'would be' if dry_run else 'are'} frozen from {window}")
    put_table(
        ("CHANGE", "WORKFLOW", "STATE", "GOES LIVE"),
        [
            (one.change, one.workflow, one.state, moment(one.go_live_at) if one.go_live_at else "-")
            for one in done.holds
        ],
    )
    if not done.holds:
        note("no open change would go live in it")


def thaw(client: Client, why: Why = "", as_json: AsJson = False) -> None:
    """End the freezes of a client, also those to come; what waited goes live by a keeper."""
    with opened_store() as store:
        from orchestrator.operations.changes.freeze import thaw_changes

        done = thaw_changes(store, client, why=why, actor=actor(store))
    if as_json:
        put_json(done)
    else:
        put(f"changes of {client} {'are not frozen any more' if done.ended else 'were not frozen'}")


def tell_freezes(freezes: Sequence[Freeze]) -> None:
    """A note for each window that is not over."""
    for one in freezes:
        window = f"{moment(one.since)} until {moment(one.until)}"
        note(f"changes of {one.client} are frozen from {window}, by {one.by}: {one.why}")
