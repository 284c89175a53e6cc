"""`meshline emit`: triggers from the command line, straight into the store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.emit.lines import emit_lines
from orchestrator.cli.emit.source import Sender, read_document
from orchestrator.cli.terminal.open_store import opened_store
from orchestrator.cli.terminal.options import AsJson
from orchestrator.cli.terminal.payloads import STDIN
from orchestrator.cli.terminal.screen import note, put, put_json
from orchestrator.cli.terminal.who import actor

if TYPE_CHECKING:
    from orchestrator.domain.event import Accepted


def emit(
    kind: Annotated[str, typer.Argument(metavar="TYPE", help="The trigger's type.")],
    client: Annotated[str, typer.Option("--client", metavar="NAME", help="The client it is for.")],
    stdin: Annotated[
        str | None, typer.Argument(metavar="-", help="Read the data from stdin.")
    ] = None,
    data: Annotated[
        str | None, typer.Option("--data", metavar="JSON", help="The data itself.")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="FILE", help="File that holds the data; - is stdin."),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(
            "--key",
            metavar="KEY",
            help="Idempotency key: given again with the same data, it is the same event. With"
            " --lines its beginning, followed by the number of the line.",
        ),
    ] = None,
    lines: Annotated[
        bool, typer.Option("--lines", help="Every line is the data of a trigger of its own.")
    ] = False,
    first: Annotated[
        int | None,
        typer.Option(
            "--from-line", metavar="N", min=1, help="With --lines: pass over those before line N."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Accept a trigger and print the event's id.

    It is durable when the id is there; a relay and a worker do the rest.
    """
    source = _source(stdin, data, file)
    sender = Sender(client=client, kind=kind, key=key)
    if first is not None and not lines:
        raise typer.BadParameter("it goes with --lines", param_hint="--from-line")
    if lines:
        if isinstance(source, str):
            raise typer.BadParameter("lines come from --file or stdin", param_hint="--lines")
        with opened_store() as store:
            emit_lines(store, source, sender, actor=actor(store), first=first or 1, as_json=as_json)
        return
    trigger = sender.trigger(read_document(source))
    with opened_store() as store:
        from orchestrator.operations.accept_triggers import RefusedAt, accept_from

        try:
            (accepted,) = accept_from(store, [trigger], actor=actor(store))
        except RefusedAt as refused:
            raise refused.cause from None
    _put_accepted(accepted, as_json=as_json)


def _source(stdin: str | None, data: str | None, file: Path | None) -> str | Path:
    """What holds the data: a text, or a file of which `-` is stdin."""
    if stdin not in (None, "-"):
        raise typer.BadParameter(f"{stdin!r} is not understood: write --data JSON or --file FILE")
    given = [one for one in (STDIN if stdin else None, data, file) if one is not None]
    if len(given) != 1:
        raise typer.BadParameter("give the data once: --data JSON, --file FILE, or - for stdin")
    return given[0]


def _put_accepted(accepted: Accepted, *, as_json: bool) -> None:
    if as_json:
        put_json({"id": accepted.id, "duplicate": accepted.duplicate})
        return
    put(accepted.id)
    if accepted.duplicate:
        note("a duplicate: this is the event that the key was first used for")
