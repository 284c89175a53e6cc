"""`meshline audit`: who did what, when and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.terminal.open_store import opened_store
from orchestrator.cli.terminal.options import AsJson, Limit, OnlyClient, OnlyIncident
from orchestrator.cli.terminal.personal import shown_here
from orchestrator.cli.terminal.screen import note, put_json, put_table
from orchestrator.cli.terminal.who import seen_clients
from orchestrator.presenting.audit_lines import what, why
from orchestrator.presenting.moments import moment

if TYPE_CHECKING:
    from orchestrator.store.views.audit import AuditRow


def audit(
    event: Annotated[
        str | None, typer.Option("--event", metavar="ID", help="Only of this event.")
    ] = None,
    incident: OnlyIncident = None,
    client: OnlyClient = None,
    actor: Annotated[
        str | None,
        typer.Option("--actor", metavar="WHO", help="Only by this one, such as cli:root."),
    ] = None,
    action: Annotated[
        str | None, typer.Option("--action", metavar="WHAT", help="Only this, such as publish.")
    ] = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """Show who did what, when and why, the newest first."""
    with opened_store() as store:
        from orchestrator.operations.check_filters import check_filters
        from orchestrator.store.views.audit import list_audit
        from orchestrator.store.views.events.short_ids import known_id

        clients = seen_clients(store)
        with store.read() as tx:
            check_filters(tx, client=client, incident=incident, clients=clients)
            rows = list_audit(
                tx,
                event_id=None if event is None else known_id(tx, event),
                incident=incident,
                client=client,
                actor=actor,
                action=action,
                clients=clients,
                limit=limit,
            )
        if not rows and action is not None:
            _check_action(action)
        rows = shown_here(store, rows)
    if as_json:
        put_json({"audit": rows})
        return
    put_table(
        ("WHEN", "WHO", "WHAT", "ABOUT", "WHY"),
        [(moment(row.at), row.actor, what(row), _about(row), why(row)) for row in rows],
        below=("WHY",),
    )
    if len(rows) == limit:
        note(f"the newest {limit}; --limit shows more")


def _check_action(action: str) -> None:
    """Raises BadParameter for a word that no row has: it would look as if nobody had done it."""
    from orchestrator.domain.audit_words import KNOWN_ACTIONS

    if action not in KNOWN_ACTIONS:
        known = ", ".join(sorted(KNOWN_ACTIONS))
        raise typer.BadParameter(f"{action!r} is none of {known}", param_hint="--action")


def _about(row: AuditRow) -> str | None:
    workflow = f"{row.client}/{row.workflow}" if row.workflow else row.client
    return row.event_id or workflow
