"""`meshline keys`: what producers prove themselves with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.terminal.open_store import actor, opened_store
from orchestrator.cli.terminal.options import AsJson
from orchestrator.cli.terminal.screen import note, put, put_json, put_table
from orchestrator.presenting.moments import moment

if TYPE_CHECKING:
    from orchestrator.store.database.engine import Store

app = typer.Typer(help="Keys of producers: create, list, revoke.", no_args_is_help=True)


@app.command()
def create(
    label: Annotated[str, typer.Option("--label", metavar="TEXT", help="What the key is for.")],
    client: Annotated[
        list[str] | None,
        typer.Option("--client", metavar="NAME", help="A client it serves; may be repeated."),
    ] = None,
    all_clients: Annotated[
        bool, typer.Option("--all-clients", help="It serves every client, also later ones.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Create a key and print it, this one time: the store keeps only its digest."""
    named = list(dict.fromkeys(client or ()))
    if bool(named) == all_clients:
        raise typer.BadParameter("give --client at least once, or --all-clients")
    if not 1 <= len(label) <= 255:
        raise typer.BadParameter("write 1 to 255 characters", param_hint="--label")
    with opened_store(create=True) as store:
        from orchestrator.operations.manage_keys import EVERY_CLIENT, create_key

        clients = [EVERY_CLIENT] if all_clients else named
        key = create_key(store, clients=clients, label=label, actor=actor())
        _note_unknown(store, named)
    if as_json:
        put_json({"key": key, "clients": clients, "label": label})
        return
    put(key)
    note("this is the only time that it is shown; keep it as MESHLINE_KEY where the producer runs")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List keys, without their secrets."""
    with opened_store() as store:
        from orchestrator.store.desk.keys import list_keys

        with store.read() as tx:
            rows = list_keys(tx)
    if as_json:
        put_json({"keys": rows})
        return
    put_table(
        ("ID", "CLIENTS", "LABEL", "CREATED", "BY", "REVOKED"),
        [
            (
                row.id,
                ", ".join(row.clients),
                row.label,
                moment(row.created_at),
                row.created_by,
                moment(row.revoked_at),
            )
            for row in rows
        ],
        below=("LABEL",),
    )


@app.command()
def revoke(
    key: Annotated[str, typer.Argument(metavar="ID", help="Its id in the list.")],
    as_json: AsJson = False,
) -> None:
    """Revoke a key: from now on the door refuses it."""
    with opened_store() as store:
        from orchestrator.operations.manage_keys import revoke_key

        revoke_key(store, key, actor=actor())
    if as_json:
        put_json({"id": key, "revoked": True})
    else:
        put(f"revoked {key}")


def _note_unknown(store: Store, clients: Sequence[str]) -> None:
    from orchestrator.store.quarantine.workflows import live_workflows

    with store.read() as tx:
        known = {client for client, _ in live_workflows(tx)}
    for client in clients:
        if client not in known:
            note(f"note: client {client!r} has no live workflow yet")
