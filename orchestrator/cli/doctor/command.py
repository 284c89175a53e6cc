"""`meshline doctor`: what is missing on this machine, and what to do about it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from orchestrator.cli.doctor.checks import look_at_everything
from orchestrator.cli.doctor.findings import Health
from orchestrator.cli.doctor.process_checks import look_at_own
from orchestrator.cli.terminal.options import AsJson
from orchestrator.cli.terminal.screen import put_json, put_table
from orchestrator.domain.heartbeats import ProcessKind


def doctor(
    process: Annotated[
        ProcessKind | None,
        typer.Option("--process", help="Look only whether this one is alive on this machine."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what is broken on this machine, and what to do.

    Looks at settings, broker, connectors, contacts, store, workflows, processes, alerts and disk; 1
    if anything is broken. With --process it is a probe, as a container's health check needs it.
    """
    findings = list(look_at_everything()) if process is None else [look_at_own(process)]
    broken = any(one.health is Health.BROKEN for one in findings)
    if as_json:
        put_json({"ok": not broken, "checks": [asdict(one) for one in findings]})
    else:
        put_table(
            ("CHECK", "HEALTH", "FOUND", "WHAT TO DO"),
            [(one.check, one.health, one.found, one.fix) for one in findings],
            below=("FOUND", "WHAT TO DO"),
        )
    if broken:
        raise typer.Exit(1)
