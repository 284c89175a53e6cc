"""Giving events up, and taking that back: discard and restore, by ids or by filters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.opening import actor, opened_store
from orchestrator.cli.options import AsJson, DryRun
from orchestrator.cli.quarantine_actions import tell_skipped, tell_some
from orchestrator.cli.screen import note, put, put_json
from orchestrator.cli.selecting import Filters, selects, selects_discarded

if TYPE_CHECKING:
    from orchestrator.store.selection import Cause

Why = Annotated[str, typer.Option("--why", help="Why; the audit keeps it.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands to the group."""
    for command in (discard, restore):
        app.command()(command)


@selects
def discard(
    *,
    why: Why,
    filters: Filters,
    as_json: AsJson = False,
) -> None:
    """Give events up for good: they are never delivered."""
    with opened_store() as store:
        from orchestrator.operations.discard_events import discard_events

        done = discard_events(store, filters.selection(store), why=why, actor=actor())
    if as_json:
        put_json(asdict(done))
    else:
        put(f"discarded {len(done.ids)}")
        tell_skipped(done.skipped)
    if any(one["state"] != "discarded" for one in done.skipped):
        raise typer.Exit(1)


@selects_discarded
def restore(
    *,
    why: Why,
    filters: Filters,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Take a discard back: the events are in quarantine again, as they were.

    They keep their reason, owner, incident and first deadline. The filters choose among discarded
    events. What retention or an erasure emptied cannot be restored.
    """
    with opened_store() as store:
        from orchestrator.operations.restore_events import restore_events

        done = restore_events(
            store, filters.selection(store), why=why, actor=actor(), dry_run=dry_run
        )
    if as_json:
        put_json(asdict(done))
    else:
        put(f"{'would restore' if dry_run else 'restored'} {len(done.ids)}")
        _put_causes(done.causes)
        for incident in done.incidents:
            note(f"incident {incident} is open again, with its first deadline")
        tell_some(f"{one['id']} not restored: {one['detail']}" for one in done.refused)
        tell_skipped(done.skipped)
    if done.refused or any(one["state"] != "quarantined" for one in done.skipped):
        raise typer.Exit(1)


def _put_causes(causes: Sequence[Cause]) -> None:
    for one in causes:
        put(f"  {one.events} of {one.client}/{one.workflow} ({one.reason})")
