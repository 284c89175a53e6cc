"""`meshline events`: where every event stands, and one event's whole story."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli.event_page import put_event
from orchestrator.cli.opening import opened_store
from orchestrator.cli.options import AsJson, Limit, OnlyClient, OnlyWorkflow
from orchestrator.cli.screen import age, note, put_json, put_table
from orchestrator.domain.errors import NotFound
from orchestrator.domain.lifecycle import State

app = typer.Typer(help="Events: list them, show one.", no_args_is_help=True)


@app.command("list")
def list_(
    client: OnlyClient = None,
    workflow: OnlyWorkflow = None,
    state: Annotated[
        State | None,
        typer.Option("--state", metavar="STATE", help="Only these, such as delivered."),
    ] = None,
    limit: Limit = 50,
    before: Annotated[
        str | None,
        typer.Option("--before", metavar="ID", help="Only older ones: the last id of a page."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List events, the newest first."""
    with opened_store() as store:
        from orchestrator.store.views import list_events, now_of

        with store.read() as tx:
            now = now_of(tx)
            found = list_events(
                tx, client=client, workflow=workflow, state=state, limit=limit + 1, before=before
            )
    rows = found[:limit]
    following = rows[-1]["id"] if len(found) > limit else None
    if as_json:
        put_json({"events": rows, "next": following})
        return
    put_table(
        ("ID", "STATE", "AT", "WORKFLOW", "REASON", "ACCEPTED"),
        [
            (
                row["id"],
                row["state"],
                row["stage"],
                f"{row['workflow']} v{row['version']}",
                row["reason"],
                f"{age(row['accepted_at'], now)} ago",
            )
            for row in rows
        ],
    )
    if following:
        note(f"there are more: --before {following}")


@app.command()
def show(
    event_id: Annotated[str, typer.Argument(metavar="ID", help="The event's id.")],
    payload: Annotated[
        bool, typer.Option("--payload", help="Also the payload, which may be personal data.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show one event: where it stands, its deliveries, and its history with who did what."""
    with opened_store() as store:
        from orchestrator.store.views import now_of, show_event

        with store.read() as tx:
            now = now_of(tx)
            event = show_event(tx, event_id, with_payload=payload)
    if event is None:
        raise NotFound(f"there is no event {event_id!r}", fix="see `meshline events list`")
    if as_json:
        put_json(event)
    else:
        put_event(event, now)
