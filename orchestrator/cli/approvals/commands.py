"""`meshline approvals`: see what waits for a yes, look at what it would send, decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.approvals.page import put_approval, put_group, put_groups, put_rows
from orchestrator.cli.terminal.open_store import opened_store
from orchestrator.cli.terminal.options import (
    AsJson,
    Limit,
    OnlyClient,
    OnlyWorkflow,
    OptionalWhy,
    Why,
)
from orchestrator.cli.terminal.personal import shown_here
from orchestrator.cli.terminal.screen import note, put, put_json
from orchestrator.cli.terminal.who import actor, seen_clients
from orchestrator.domain.approvals.requests import EventDecision, is_group, read_group

if TYPE_CHECKING:
    from orchestrator.operations.approvals.decide import DecidedEvents
    from orchestrator.store.database.engine import Store

app = typer.Typer(
    help="Events that wait for a person's yes: list, show, approve, refuse.", no_args_is_help=True
)

What = Annotated[
    str, typer.Argument(metavar="EVENT", help="The event's id, or a group of `list --groups`.")
]
Seen = Annotated[
    str | None,
    typer.Option(
        "--digest",
        metavar="DIGEST",
        help="What you looked at, from `approvals show`; a group needs it.",
    ),
]


@app.command("list")
def list_(
    *,
    client: OnlyClient = None,
    workflow: OnlyWorkflow = None,
    groups: Annotated[
        bool, typer.Option("--groups", help="By workflow and route, to decide about together.")
    ] = False,
    every: Annotated[bool, typer.Option("--all", help="Also those that are decided.")] = False,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List events that wait for a yes, the oldest first."""
    with opened_store() as store:
        from orchestrator.operations.check_filters import check_filters
        from orchestrator.store.approvals.list import list_approvals, list_groups
        from orchestrator.store.views.values import now_of

        clients = seen_clients(store)
        with store.read() as tx:
            now = now_of(tx)
            check_filters(tx, client=client, workflow=workflow, clients=clients)
            if groups:
                found = list_groups(tx, client=client, workflow=workflow, clients=clients)
            else:
                rows = list_approvals(
                    tx, client=client, workflow=workflow, every=every, clients=clients, limit=limit
                )
    if groups:
        put_json({"groups": found}) if as_json else put_groups(found, now)
        return
    shown = [row for _, row in rows]
    put_json({"approvals": shown}) if as_json else put_rows(shown, now)
    if not shown and not as_json:
        note("nothing waits for a yes; --all shows what is decided")


@app.command()
def show(event: What, as_json: AsJson = False) -> None:
    """Show what would be sent, by which digest it is approved, and who may not decide."""
    with opened_store() as store:
        from orchestrator.operations.approvals.show import find_approval, find_group
        from orchestrator.store.views.values import now_of

        clients = seen_clients(store)
        if is_group(event):
            with store.read() as tx:
                now, group = now_of(tx), find_group(tx, read_group(event), clients)
            group = shown_here(store, group)
            put_json(group) if as_json else put_group(group, now)
            return
        with store.read() as tx:
            now, found = now_of(tx), find_approval(tx, _whole(store, event), clients)
        found = shown_here(store, found)
    put_json(found) if as_json else put_approval(found, now)


@app.command()
def approve(
    event: What, why: OptionalWhy = None, digest: Seen = None, as_json: AsJson = False
) -> None:
    """Say yes: exactly what was shown is sent. For its approver, who did not amend it."""
    _decide(event, EventDecision.APPROVE, why, digest, as_json=as_json)


@app.command()
def refuse(event: What, why: Why = "", digest: Seen = None, as_json: AsJson = False) -> None:
    """Say no: it is quarantined, where somebody amends, replays or discards it."""
    _decide(event, EventDecision.REFUSE, why, digest, as_json=as_json)


def _decide(
    event: str, decision: EventDecision, why: str | None, digest: str | None, *, as_json: bool
) -> None:
    with opened_store() as store:
        from orchestrator.operations.approvals.decide import decide_event, decide_group

        who, seen = actor(store), () if digest is None else (digest,)
        if is_group(event):
            group = read_group(event)
            done = decide_group(store, group, decision, actor=who, seen=seen, why=why)
        else:
            one = _whole(store, event)
            done = decide_event(store, one, decision, actor=who, why=why, seen=seen)
    put_json(done) if as_json else _tell(done)


def _whole(store: Store, event: str) -> str:
    from orchestrator.store.views.events.short_ids import whole_id

    with store.read() as tx:
        return whole_id(tx, event)


def _tell(done: DecidedEvents) -> None:
    said = "approved" if done.decision == EventDecision.APPROVE else "refused"
    if len(done.events) == 1:
        put(f"event {done.events[0]} is {said}")
    else:
        put(f"{len(done.events)} events are {said}")
    for one in done.left:
        note(f"event {one.event} waits for somebody else: {one.detail}")
