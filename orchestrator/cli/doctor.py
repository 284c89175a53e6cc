"""`meshline doctor`: what is missing on this machine, and what to do about it."""

from __future__ import annotations

from dataclasses import asdict

import typer

from orchestrator.cli.checks import look_at_everything
from orchestrator.cli.findings import Health
from orchestrator.cli.options import AsJson
from orchestrator.cli.screen import put_json, put_table


def doctor(as_json: AsJson = False) -> None:
    """Say what is broken on this machine, and what to do.

    Looks at settings, broker, connectors, contacts, store, workflows, alerts and disk; 1 if
    anything is broken.
    """
    findings = list(look_at_everything())
    broken = any(one.health is Health.BROKEN for one in findings)
    if as_json:
        put_json({"ok": not broken, "checks": [asdict(one) for one in findings]})
    else:
        put_table(
            ("CHECK", "HEALTH", "FOUND", "WHAT TO DO"),
            [(one.check, one.health, one.found, one.fix) for one in findings],
        )
    if broken:
        raise typer.Exit(1)
