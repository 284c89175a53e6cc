"""`meshline workflow rollback`: a version that was live before is live again, at once."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.terminal.open_store import opened_store
from orchestrator.cli.terminal.options import AsJson, DryRun, OnlyClient, Why
from orchestrator.cli.terminal.progress import Progress
from orchestrator.cli.terminal.screen import note, put, put_json
from orchestrator.cli.terminal.stopping import resuming
from orchestrator.cli.terminal.who import actor
from orchestrator.cli.workflow.outcomes import plan_outcomes_of, put_outcomes
from orchestrator.cli.workflow.versions import find_version

if TYPE_CHECKING:
    from orchestrator.operations.rollback_workflow import RolledBack


class Outcomes(StrEnum):
    """What becomes of what the other version made."""

    KEEP = "keep"  # it stays made
    PLAN = "plan"  # a plan says what is undone and sent again; nothing happens before it is run


class InFlight(StrEnum):
    """What becomes of events that nothing was routed of yet."""

    KEEP = "keep"  # they finish with the version that they began with
    REPIN = "repin"  # the version that is live again decides about them from the beginning


def rollback(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The workflow's name.")],
    client: OnlyClient = None,
    to: Annotated[
        int | None,
        typer.Option("--to", metavar="N", min=1, help="This version, and not the one before."),
    ] = None,
    in_flight: Annotated[
        InFlight,
        typer.Option(
            "--in-flight",
            metavar="keep|repin",
            help="Events that are not routed yet: keep their version, or begin again with this.",
        ),
    ] = InFlight.KEEP,
    outcomes: Annotated[
        Outcomes,
        typer.Option(
            "--outcomes",
            metavar="keep|plan",
            help="What the other version made: keep it, or plan what to undo and to send again.",
        ),
    ] = Outcomes.KEEP,
    of: Annotated[
        int | None,
        typer.Option(
            "--of",
            metavar="N",
            min=1,
            help="With --outcomes plan: of this version, such as a stopped candidate; nothing is"
            " rolled back.",
        ),
    ] = None,
    why: Why = "",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Make a version live again that was live before, at once and without an approval.

    Its approver and owner get an alert. Events that are routed finish with the version that they
    began with. What it made stays, unless --outcomes plan makes a plan of it. To take the rollback
    back, roll back to the later version.
    """
    if of is not None:
        _plan_of(name, client, of, plans=outcomes is Outcomes.PLAN and to is None, as_json=as_json)
        return
    with opened_store() as store:
        from orchestrator.operations.rollback_workflow import rollback_workflow

        found = find_version(store, name, client=client, version=None)
        with resuming():
            done = rollback_workflow(
                store,
                found.client,
                name,
                why=why,
                actor=actor(store),
                to=to,
                repin=in_flight is InFlight.REPIN,
                outcomes=outcomes is Outcomes.PLAN,
                dry_run=dry_run,
                progress=Progress().tell,
            )
        plan = None
        if outcomes is Outcomes.PLAN and not dry_run:
            plan = plan_outcomes_of(store, done.client, name, made_by=done.instead_of)
    if as_json:
        put_json(done if plan is None else {"rollback": done, "outcomes": plan})
        return
    _tell(done, in_flight, dry_run=dry_run)
    if plan is not None:
        put_outcomes(plan)


def _plan_of(name: str, client: str | None, of: int, *, plans: bool, as_json: bool) -> None:
    """Plan what becomes of what a version made that is not live any more, or never was for all."""
    if not plans:
        raise typer.BadParameter(
            "it goes with --outcomes plan, and without --to", param_hint="--of"
        )
    with opened_store() as store:
        found = find_version(store, name, client=client, version=None)
        plan = plan_outcomes_of(store, found.client, name, made_by=of)
    if as_json:
        put_json({"outcomes": plan})
    else:
        put_outcomes(plan)


def _tell(done: RolledBack, in_flight: InFlight, *, dry_run: bool) -> None:
    again = "would be live again" if dry_run else "is live again"
    put(f"{done.workflow} of client {done.client}: version {done.version} {again}")
    if in_flight is InFlight.REPIN:
        count, told = (done.early, "would begin") if dry_run else (done.repinned, "begin")
        put(f"{count} events that nothing was routed of {told} again with it")
    elif done.early:
        put(
            f"{done.early} events that nothing was routed of finish with version"
            f" {done.instead_of}; --in-flight repin begins them again"
        )
    if not dry_run:
        note(
            f"what version {done.instead_of} made stays made; to go back: meshline workflow"
            f" rollback {done.workflow} --client {done.client} --to {done.instead_of} --why ..."
        )
