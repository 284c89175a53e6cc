"""`meshline dead-letters`: broker messages that no worker could read."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli.opening import opened_store
from orchestrator.cli.options import AsJson, Limit
from orchestrator.cli.screen import note, put, put_json, put_table, short
from orchestrator.domain.errors import NotFound

app = typer.Typer(help="Messages that no worker could read, as they were.", no_args_is_help=True)

_LONGEST = 2_000  # characters of a body that the screen shows


@app.command("list")
def list_(limit: Limit = 50, as_json: AsJson = False) -> None:
    """List dead letters, the newest first."""
    with opened_store() as store:
        from orchestrator.store.dead_letters import list_dead_letters

        with store.read() as tx:
            rows = list_dead_letters(tx, limit=limit)
    if as_json:
        put_json({"dead_letters": rows})
        return
    put_table(
        ("ID", "WHEN", "QUEUE", "TASK", "BYTES", "ERROR"),
        [
            (row["id"], short(row["at"]), row["queue"], row["task"], row["bytes"], row["error"])
            for row in rows
        ],
    )
    if len(rows) == limit:
        note(f"the newest {limit}; --limit shows more")


@app.command()
def show(
    number: Annotated[int, typer.Argument(metavar="ID", help="Its id in the list.")],
    as_json: AsJson = False,
) -> None:
    """Show one dead letter whole."""
    with opened_store() as store:
        from orchestrator.store.dead_letters import show_dead_letter

        with store.read() as tx:
            letter = show_dead_letter(tx, number)
    if letter is None:
        raise NotFound(f"there is no dead letter {number}", fix="see `meshline dead-letters list`")
    if as_json:
        put_json(letter)
        return
    for name, value in letter.items():
        text = str(value)
        cut = f"… ({len(text)} characters, --json has all)" if len(text) > _LONGEST else ""
        put(f"{name:18}{text[:_LONGEST]}{cut}")
