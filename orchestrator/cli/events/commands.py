"""`meshline events`: the state of every event, and one event's whole story."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.events.page import put_event
from orchestrator.cli.events.read import read_event
from orchestrator.cli.terminal.open_store import opened_store
from orchestrator.cli.terminal.options import AsJson, Limit, OnlyClient, OnlyWorkflow
from orchestrator.cli.terminal.personal import shown_here
from orchestrator.cli.terminal.screen import note, put_json, put_table
from orchestrator.cli.terminal.short_ids import shown_ids
from orchestrator.cli.terminal.who import seen_clients
from orchestrator.domain.delivery.blockers import told_holds
from orchestrator.domain.errors import NotFound
from orchestrator.domain.lifecycle import State
from orchestrator.presenting.moments import age

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.store.database.engine import Tx
    from orchestrator.store.views.events.show import EventRow

app = typer.Typer(help="Events: list them, show one.", no_args_is_help=True)


@app.command("list")
def list_(
    *,
    client: OnlyClient = None,
    workflow: OnlyWorkflow = None,
    state: Annotated[
        State | None,
        typer.Option("--state", metavar="STATE", help="Only these, such as delivered."),
    ] = None,
    held: Annotated[
        bool, typer.Option("--held", help="Only those with a delivery that is held.")
    ] = False,
    held_by: Annotated[
        str | None,
        typer.Option(
            "--held-by",
            metavar="NAME",
            help="Only those that this holds back; see `destinations list`.",
        ),
    ] = None,
    limit: Limit = 50,
    before: Annotated[
        str | None,
        typer.Option("--before", metavar="ID", help="Only older ones: the last id of a page."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List events, the newest first.

    An event is routed while a delivery of it is held; the list shows it as held, and by what.
    """
    with opened_store() as store:
        from orchestrator.operations.check_filters import check_filters
        from orchestrator.store.views.events.search import Wanted
        from orchestrator.store.views.events.short_ids import known_id
        from orchestrator.store.views.events.show import list_events
        from orchestrator.store.views.values import now_of

        clients = seen_clients(store)
        with store.read() as tx:
            now = now_of(tx)
            check_filters(tx, client=client, workflow=workflow, clients=clients)
            wanted = Wanted(
                clients=clients,
                client=client,
                workflow=workflow,
                state=state,
                held=held,
                held_by=_checked(tx, held_by),
                limit=limit + 1,
                before=None if before is None else known_id(tx, before),
            )
            found = list_events(tx, wanted)
        found = shown_here(store, found)
    rows = found[:limit]
    following = rows[-1].id if len(found) > limit else None
    if as_json:
        put_json({"events": rows, "next": following})
        return
    _put_rows(rows, now)
    if following:
        note(f"there are more: --before {following}")


def _put_rows(rows: Sequence[EventRow], now: int) -> None:
    shown = shown_ids(row.id for row in rows)
    put_table(
        ("ID", "STATE", "AT", "WORKFLOW", "REASON", "AGE"),
        [
            (
                shown[row.id],
                "held" if row.held else row.state,
                row.stage,
                f"{row.client}/{row.workflow} v{row.version}",
                _why(row, now),
                age(row.accepted_at, now),
            )
            for row in rows
        ],
    )


def _why(row: EventRow, now: int) -> str | None:
    """Why it is quarantined or waits."""
    if not row.held:
        return row.reason
    return told_holds(row.held, lambda at: f"for {age(at, now)}")


def _checked(tx: Tx, held_by: str | None) -> str | None:
    """A name that may hold something back. Raises NotFound."""
    if held_by is None:
        return None
    from orchestrator.operations.switch_destinations import checked_names

    return checked_names(tx, [held_by])[0]


@app.command()
def show(
    event_id: Annotated[str, typer.Argument(metavar="ID", help="The event's id.")],
    payload: Annotated[
        bool, typer.Option("--payload", help="Also the payload, which may be personal data.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show one event: its state, its deliveries, and its history with who did what."""
    event, now = read_event(event_id, payload=payload)
    if event is None:
        raise NotFound(f"there is no event {event_id!r}", fix="see `meshline events list`")
    if as_json:
        put_json(event)
    else:
        put_event(event, now)
