"""`meshline destinations`: what becomes of calls to them, and how many deliveries wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.terminal.open_store import opened_store
from orchestrator.cli.terminal.options import AsJson, Why
from orchestrator.cli.terminal.personal import shown_here
from orchestrator.cli.terminal.screen import note, put, put_json, put_table
from orchestrator.cli.terminal.usage import as_usage
from orchestrator.cli.terminal.who import actor, seen_clients
from orchestrator.domain.delivery.blockers import told_blocker, told_calls
from orchestrator.presenting.moments import age, left, moment_and_distance

if TYPE_CHECKING:
    from orchestrator.store.database.engine import Store
    from orchestrator.store.views.destinations.list import DestinationRow

app = typer.Typer(
    help="Where events are delivered: list, pause, resume.",
    no_args_is_help=True,
)

Names = Annotated[
    list[str],
    typer.Argument(
        metavar="NAME...",
        help="A connector, such as helpdesk, or one destination, such as acme/lead-routing/desk.",
    ),
]


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the destinations of live workflows, with what blocks their calls and how many wait.

    Deliveries are held while their destination or its connector is paused, or while a circuit
    breaker on the way is open. An open breaker lets one call try now and then (half-open), and
    closes when that succeeds.
    """
    with opened_store() as store:
        from orchestrator.store.views.destinations.list import list_destinations
        from orchestrator.store.views.values import now_of

        clients = seen_clients(store)
        with store.read() as tx:
            now = now_of(tx)
            rows = list_destinations(tx, clients=clients)
        rows = shown_here(store, rows)
    if as_json:
        put_json({"destinations": rows})
        return
    if not rows:
        put("no workflow is live, so there is no destination")
        return
    put_table(
        ("NAME", "CONNECTOR", "CALLS", "WHY", "HELD", "WAITING", "AFTER OTHERS"),
        [
            (
                row.name,
                row.connector,
                told_calls(row.block, row.breaker),
                _why(row, now),
                row.held,
                row.waiting,
                row.after_others,
            )
            for row in rows
        ],
        below=("WHY",),
    )
    if any(row.circuit for row in rows):
        note("`meshline destinations resume NAME --why '...'` ends a pause or closes a breaker;")
        note("`meshline events list --held-by NAME` lists what waits for it")


@app.command()
def pause(
    names: Names,
    why: Why = "",
    until: Annotated[
        str | None,
        typer.Option(
            "--until",
            metavar="TIME",
            help="When it ends by itself: 2h, 30m or 3d (from now), or an ISO 8601 time with its"
            " zone. Without it, or with `resumed`: when somebody resumes it.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Hold deliveries back until a time, or until somebody resumes them.

    Calls that are out are not broken off. A pause with an end is planned: it stops the clocks that
    the workflow names under `pauses_stop`. A paused destination keeps its end and its reason,
    unless --until gives it another.
    """
    with opened_store() as store:
        from orchestrator.operations.switch_destinations import pause_destination
        from orchestrator.store.views.values import now_of

        _check_end(store, until)
        done = pause_destination(store, names, why=why, actor=actor(store), until=until)
        with store.read() as tx:
            now = now_of(tx)
    end = done.until
    if as_json:
        put_json(
            {
                "paused": done.names,
                "changed": done.changed,
                "unchanged": done.unchanged,
                "until": end,
            }
        )
        return
    for name in done.names + done.changed:
        until = moment_and_distance(end, now) if end else "somebody resumes it"
        put(f"paused {name} until {until}")
    for one in done.already_paused:
        note(f"{told_blocker(one, lambda at: moment_and_distance(at, now))}; left alone")
    if done.already_paused:
        note("--until gives a pause another end")


def _check_end(store: Store, until: str | None) -> None:
    """Raise BadParameter for what is not an end of a pause by the store's clock."""
    from orchestrator.domain.delivery.pauses import end_of_pause
    from orchestrator.store.database.clock import time_of

    if until is None:
        return
    with store.read() as tx:
        now = time_of(tx)
    with as_usage("--until"):
        end_of_pause(until, now)


@app.command()
def resume(
    names: Names,
    why: Why = "",
    as_json: AsJson = False,
) -> None:
    """Let deliveries pass again; what was held goes out, the oldest first.

    It also closes an open circuit breaker at once, without waiting for a call that tries.
    """
    with opened_store() as store:
        from orchestrator.operations.switch_destinations import resume_destination

        done = resume_destination(store, names, why=why, actor=actor(store))
    if as_json:
        put_json({"resumed": done.names, "unchanged": done.unchanged})
        return
    for name in done.names:
        put(f"resumed {name}")
    for name in done.unchanged:
        note(f"{name} left alone: nothing blocks it")


def _why(row: DestinationRow, now: int) -> str:
    """What blocks calls, since when, and when one is tried next; else what fails there."""
    if row.circuit is None:
        return "\n".join(filter(None, [_pause(row, now), _failing(row)]))
    whose = "" if row.circuit == row.name else f"{row.circuit}: "
    said = [f"{whose}{row.reason or 'failing'}, {age(row.since, now)} ago", row.error]
    if row.block == "pause":
        end = moment_and_distance(row.until, now) if row.until else "somebody resumes it"
        said.insert(1, f"until {end}, by {row.by}")
    if row.next_probe:
        said.append(f"tried {left(row.next_probe, now).replace('overdue', 'next, due for')}")
    if row.pauses:
        said.append(_times(row))
    return "\n".join(filter(None, said))


def _pause(row: DestinationRow, now: int) -> str:
    """A pause that the system asked for."""
    if not row.pauses:
        return ""
    until = f"{left(row.postponed_until, now)}, " if row.postponed_until else ""
    return f"it wants a pause: called again {until}{_times(row)}\n{row.pause_error}"


def _times(row: DestinationRow) -> str:
    return f"pauses in a row: {row.pauses}"


def _failing(row: DestinationRow) -> str:
    """Deliveries that fail while nothing is in the way."""
    if not row.failing:
        return ""
    if row.at_fault:
        count = row.at_fault
        waits = "waits" if count == 1 else "wait"
        return f"takes others; {_deliveries(count)} that failed before {waits} for another try"
    return f"{_deliveries(row.failing)} failed, and none got through since"


def _deliveries(count: int) -> str:
    return f"{count} delivery" if count == 1 else f"{count} deliveries"
