"""`meshline retention`: how long the store keeps what events carried."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli.terminal.open_store import opened_store
from orchestrator.cli.terminal.options import AsJson
from orchestrator.cli.terminal.progress import Progress
from orchestrator.cli.terminal.screen import put, put_json
from orchestrator.cli.terminal.stopping import looking, resuming
from orchestrator.cli.terminal.who import actor

app = typer.Typer(help="Forget what finished events carried.", no_args_is_help=True)


@app.callback()
def retention() -> None:
    """Forget what finished events carried."""


@app.command()
def apply(
    days: Annotated[
        int | None,
        typer.Option(
            "--days", metavar="N", min=1, help="How long to keep it; else MESHLINE_RETENTION_DAYS."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only count what would be forgotten.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Delete the contents of events that finished N days ago: payloads, sent values, violations.

    Replay plans and jobs of that age go too. Events, deliveries, record ids and the audit stay; a
    key that comes again is still known.
    """
    from orchestrator.settings import settings

    kept = days or settings().retention_days
    if kept is None:
        raise typer.BadParameter("say how long: --days N, or MESHLINE_RETENTION_DAYS")
    with opened_store() as store:
        from orchestrator.operations.apply_retention import apply_retention

        with looking() if dry_run else resuming():
            done = apply_retention(
                store, days=kept, actor=actor(store), dry_run=dry_run, tell=Progress().tell
            )
    if as_json:
        put_json(
            {
                "days": kept,
                "dry_run": dry_run,
                "events": done.events,
                "dead_letters": done.dead_letters,
                "plans": done.plans,
                "jobs": done.jobs,
            }
        )
        return
    verb = "would be forgotten" if dry_run else "forgotten"
    put(f"{verb}: the contents of {done.events} events and {done.dead_letters} dead letters")
    verb = "would be deleted" if dry_run else "deleted"
    put(f"{verb}: {done.plans} replay plans, {done.jobs} jobs")
