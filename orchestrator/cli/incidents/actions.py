"""What people do with incidents: acknowledge, assign, resolve; and how much hand work there was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.terminal.open_store import opened_store
from orchestrator.cli.terminal.options import AsJson, OnlyClient, OptionalWhy, Why, number
from orchestrator.cli.terminal.screen import note, put, put_json, put_table
from orchestrator.cli.terminal.selecting import moment_given
from orchestrator.cli.terminal.usage import as_usage
from orchestrator.cli.terminal.who import actor, seen_clients
from orchestrator.presenting.moments import moment, span

if TYPE_CHECKING:
    from orchestrator.operations.incidents.handle import Handled
    from orchestrator.store.views.incidents.earlier_moves import EarlierMove

Numbers = Annotated[
    list[int],
    typer.Argument(metavar="ID...", parser=number, help="Incidents by their ids."),
]


def add_to(app: typer.Typer) -> None:
    """Add the commands to the group."""
    for command in (ack, assign, resolve, note_, work):
        app.command(command.__name__.rstrip("_"))(command)


def ack(
    ids: Numbers,
    lasts: Annotated[
        str | None,
        typer.Option(
            "--for",
            metavar="DURATION",
            help="For so long, such as 2h: then it is open again and climbs on. Without: no end.",
        ),
    ] = None,
    why: OptionalWhy = None,
    as_json: AsJson = False,
) -> None:
    """Acknowledge: say that you are on it.

    What somebody acknowledged before is left alone; the output says who did it and when. Your own
    acknowledgement gets another end with --for.
    """
    from orchestrator.domain.incidents.incident import length_of_acknowledgement

    with as_usage("--for"):
        _ = None if lasts is None else length_of_acknowledgement(lasts)
    with opened_store() as store:
        from orchestrator.operations.incidents.handle import acknowledge_incidents

        done = acknowledge_incidents(store, ids, actor=actor(store), why=why, lasts=lasts)
    _put_handled("acknowledged", done, as_json=as_json)


def assign(
    ids: Numbers,
    to: Annotated[str, typer.Option("--to", metavar="ADDRESS", help="Who owns it from now on.")],
    why: OptionalWhy = None,
    as_json: AsJson = False,
) -> None:
    """Give incidents to somebody else; a recurrence is the recovery lead's again."""
    from orchestrator.domain.text.addresses import checked_address

    with as_usage("--to"):
        checked_address(to, field="to")
    with opened_store() as store:
        from orchestrator.operations.incidents.handle import assign_incidents

        done = assign_incidents(store, ids, owner=to, actor=actor(store), why=why)
    _put_handled("assigned", done, as_json=as_json, to=to)


def resolve(
    ids: Numbers,
    why: Why = "",
    as_json: AsJson = False,
) -> None:
    """Say that it is over.

    Refused while its events are quarantined, held or under way: it resolves when they end.
    """
    with opened_store() as store:
        from orchestrator.operations.incidents.handle import resolve_incidents

        done = resolve_incidents(store, ids, why=why, actor=actor(store))
    _put_handled("resolved", done, as_json=as_json)


def note_(
    incident: Annotated[
        int, typer.Argument(metavar="ID", parser=number, help="An incident by its id.")
    ],
    why: Why = "",
    as_json: AsJson = False,
) -> None:
    """Write what --why says into the history of an incident, for whoever looks at it next.

    Its state, its owner and its alerts stay as they are.
    """
    with opened_store() as store:
        from orchestrator.operations.incidents.note import note_incident

        done = note_incident(store, incident, why=why, actor=actor(store))
    if as_json:
        put_json(done)
    else:
        put(f"noted on incident {done.incident}")


def work(
    since: Annotated[
        str, typer.Option("--since", metavar="TIME", help="Since then: 7d, or ISO 8601.")
    ] = "7d",
    client: OnlyClient = None,
    as_json: AsJson = False,
) -> None:
    """Count what people did by hand: fixes, replays, discards, pauses, and incidents they healed.

    The time of an incident runs from its acknowledgement to its resolution.
    """
    with opened_store() as store:
        from orchestrator.operations.check_filters import check_filters
        from orchestrator.store.views.manual_work import count_healed, count_touches
        from orchestrator.store.views.values import iso, now_of

        clients = seen_clients(store)
        with store.read() as tx:
            check_filters(tx, client=client, clients=clients)
            start = moment_given(since, now_of(tx), option="--since") or 0
            touches = count_touches(tx, start, client=client, clients=clients)
            healed = count_healed(tx, start, client=client, clients=clients)
    if as_json:
        put_json({"since": iso(start), "touches": touches, "healed": healed})
        return
    if not touches and not healed:
        put("nothing was done by hand")
        return
    rows: list[tuple[object, ...]] = [
        (one.actor, one.action.replace("_", " "), one.touches, one.events, None) for one in touches
    ]
    rows += [
        (one.actor, "heal incidents", one.incidents, None, span(one.seconds)) for one in healed
    ]
    put_table(("WHO", "WHAT", "TIMES", "EVENTS", "TIME"), rows)


def _put_handled(what: str, done: Handled, *, as_json: bool, to: str | None = None) -> None:
    if as_json:
        told = {what: done.ids, "unchanged": done.unchanged, "already": done.already}
        about_owner = {"unseen": done.unseen, "owner_unknown": done.owner_unknown}
        put_json(told if to is None else {**told, **about_owner})
        return
    for one in done.ids:
        put(f"{what} incident {one}")
    for one in done.unseen:
        note(f"note: {to} may not see incident {one}: give them a role for its client")
    if done.owner_unknown:
        note(f"note: nobody with the address {to} is a person here; alerts go there all the same")
    for before in done.already:
        note(f"incident {before.incident} left alone: {_already(before)}")


def _already(before: EarlierMove) -> str:
    """Who did it before, and when."""
    to = f" to {before.owner}" if before.was == "assigned" else ""
    until = f" until {moment(before.until)}" if before.until else ""
    by = f" by {before.by} at {moment(before.at)}" if before.by else ""
    return f"{before.was}{to}{by}{until} already"
