"""`meshline change rollout` and `stop`: how far a rollout is, and an end to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.terminal.open_store import opened_store
from orchestrator.cli.terminal.options import AsJson, Why
from orchestrator.cli.terminal.screen import note, put, put_field, put_json, put_line, put_table
from orchestrator.cli.terminal.who import actor, seen_clients
from orchestrator.cli.workflow.outcomes import plan_outcomes_of, put_outcomes
from orchestrator.domain.changes.states import ChangeState
from orchestrator.presenting.moments import moment

if TYPE_CHECKING:
    from orchestrator.domain.changes.rollout import Rollout
    from orchestrator.operations.changes.rollout.figures import RolloutFigures
    from orchestrator.store.rollout.outcomes import Taken

Token = Annotated[str, typer.Argument(metavar="CHANGE", help="Its token in the list.")]
Shadow = Annotated[
    str | None,
    typer.Option(
        "--shadow",
        metavar="TIME",
        help="First decide beside the live version for so long, such as 24h, and send nothing.",
    ),
]
Canary = Annotated[
    str | None,
    typer.Option(
        "--canary",
        metavar="SHARES",
        help="Then decide about these shares of the events, one after the other: 5%,25%,100%.",
    ),
]
Each = Annotated[
    str | None,
    typer.Option(
        "--each",
        metavar="EVENTS,TIME",
        help="How long each share lasts: so many events and so much time, such as 100ev,2h.",
    ),
]


def rollout_of(shadow: str | None, canary: str | None, each: str | None) -> Rollout | None:
    """The rollout that these options name; None: live for all events at once. Raises Refused."""
    from orchestrator.domain.changes.rollout import read_rollout

    return read_rollout(shadow, canary, each)


def rollout(change: Token, as_json: AsJson = False) -> None:
    """Show how far a rollout is: its steps, what became of its events, what is missing."""
    with opened_store() as store:
        from orchestrator.operations.changes.rollout.figures import show_rollout

        clients = seen_clients(store)
        with store.read() as tx:
            found = show_rollout(tx, change, clients)
    if as_json:
        put_json(found)
        return
    put(f"change {found.change} of {found.workflow} of client {found.client} is {_told(found)}")
    put_rollout(found)


def stop(change: Token, why: Why = "", as_json: AsJson = False) -> None:
    """Stop a rollout: the version before decides about all events again, at once.

    It takes no approval. Events that the candidate has routed go on as they are; the version before
    decides about the others.
    """
    with opened_store() as store:
        from orchestrator.operations.changes.rollout.figures import show_rollout
        from orchestrator.operations.changes.rollout.go_back import stop_rollout

        done = stop_rollout(store, change, why=why, actor=actor(store))
        with store.read() as tx:
            found = show_rollout(tx, change, None)
    if as_json:
        put_json(done)
        return
    put(f"change {done.change} of {done.workflow} of client {done.client} is {_told(found)}")
    put_rollout(found)


def outcomes(change: Token, as_json: AsJson = False) -> None:
    """Plan what to undo and send again of what a candidate delivered before it went back.

    It lists every delivery that the candidate made. Nothing is undone before somebody runs the plan
    by its token.
    """
    with opened_store() as store:
        from orchestrator.operations.changes.rollout.figures import show_rollout

        clients = seen_clients(store)
        with store.read() as tx:
            found = show_rollout(tx, change, clients)
        plan = plan_outcomes_of(store, found.client, found.workflow, made_by=found.version)
    if as_json:
        put_json(plan)
    else:
        put_outcomes(plan)


def put_rollout(found: RolloutFigures) -> None:
    """Its figures, below the line that names the change."""
    put_field("rollout", found.rollout)
    put_field("tried", f"version {found.version} beside version {found.base_version}")
    put_field("says", found.says)
    put_table(
        ("STEP", "SHARE", "SINCE", "UNTIL", "EVENTS", "BAD"),
        [
            (
                one.mode,
                one.share if one.mode == "canary" else "-",
                moment(one.since),
                moment(one.stopped_at) if one.stopped_at else "-",
                f"{one.events:,}" + (f" of {one.events + one.left:,}" if one.left else ""),
                one.bad,
            )
            for one in found.steps
        ],
    )
    _put_taken(found.taken)
    put_line(
        f"  {found.base_events:,} events in the 28 days before, {found.base_bad:,} of them bad"
    )
    if found.differences:
        put_table(
            ("SHADOW", "LIVE", "CANDIDATE", "EVENTS", "SUCH AS"),
            [
                (one.kind.replace("_", " "), one.before, one.after, f"{one.events:,}", one.example)
                for one in found.differences
            ],
            below=("SUCH AS",),
        )
    for one in found.stopped:
        put_line(f"  in quarantine: {one}")
    if found.not_routed:
        note(f"{found.not_routed:,} events wait until a keeper gives them to the version before")
    if found.state == ChangeState.ROLLED_BACK and found.taken.delivered + found.taken.late:
        note(f"what it delivered stays; `meshline change outcomes {found.change}` plans to undo it")


def _put_taken(taken: Taken) -> None:
    put_line(
        f"  {taken.events:,} events taken: {taken.delivered:,} delivered, {taken.late} late,"
        f" {taken.quarantined} in quarantine, {taken.under_way} under way, {taken.waiting:,} wait"
        + (
            f", {taken.awaiting} wait for an approver or their turn after it"
            if taken.awaiting
            else ""
        )
    )


def _told(found: RolloutFigures) -> str:
    return found.state.replace("_", " ")
