"""The `meshline` command: what there is, in the order in which people meet it."""

from __future__ import annotations

import gc
import os
import sys
from typing import Annotated

import typer

from orchestrator import __version__
from orchestrator.cli import (
    alerts,
    audit,
    connectors,
    dead_letters,
    destinations,
    doctor,
    emit,
    erase,
    events,
    incidents,
    keys,
    processes,
    quarantine,
    retention,
    sla,
    workflow,
)
from orchestrator.cli.failures import run
from orchestrator.cli.screen import put

app = typer.Typer(
    name="meshline",
    rich_markup_mode=None,
    help="Holds the rules of your automations, proves each handoff, and keeps the record.",
    epilog="Exit codes: 0 done, 1 refused or failed, 2 wrong usage. Errors are one line on stderr.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        put(f"meshline {__version__}")
        raise typer.Exit


@app.callback()
def meshline(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """Holds the rules of your automations, proves each handoff, and keeps the record."""


processes.add_to(app)
app.add_typer(workflow.app, name="workflow")
app.command("emit")(emit.emit)
app.add_typer(events.app, name="events")
app.add_typer(incidents.app, name="incidents")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(destinations.app, name="destinations")
app.add_typer(connectors.app, name="connectors")
app.add_typer(sla.app, name="sla")
app.add_typer(alerts.app, name="alerts")
app.add_typer(retention.app, name="retention")
app.command("erase")(erase.erase)
app.command("audit")(audit.audit)
app.add_typer(keys.app, name="keys")
app.command("doctor")(doctor.doctor)


def main() -> None:
    """The console script."""
    # What a command imports and builds stays to its end: looking through it for garbage every few
    # hundred objects takes a tenth of its time.
    gc.set_threshold(50_000, 20, 20)
    for name in ("stdout", "stderr"):  # a shell can close both, with `>&-`
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - until the process ends
    sys.exit(run(app, sys.argv[1:]))


if __name__ == "__main__":
    main()
