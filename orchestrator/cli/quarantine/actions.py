"""Mending quarantined events: fix and replay; by ids or by filters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.cli.quarantine.plans import make_plan
from orchestrator.cli.terminal.left_alone import (
    Again,
    fail_where_left,
    left_alone,
    tell_left_out,
    tell_untouched,
)
from orchestrator.cli.terminal.open_store import opened_store
from orchestrator.cli.terminal.options import AsJson, DryRun
from orchestrator.cli.terminal.personal import shown_here
from orchestrator.cli.terminal.progress import counting
from orchestrator.cli.terminal.screen import note, put, put_json
from orchestrator.cli.terminal.selecting import Filters, selects
from orchestrator.cli.terminal.usage import as_usage
from orchestrator.cli.terminal.who import actor
from orchestrator.domain.delivery.blockers import told_blocker
from orchestrator.presenting.moments import moment

if TYPE_CHECKING:
    from orchestrator.domain.recipes.amendment import Amendment
    from orchestrator.operations.quarantine.select import LeftAlone
    from orchestrator.operations.repair.amend import Fixed
    from orchestrator.operations.replay.without_plan import Replayed, ReplayedEvent

_MOST_TOLD = 20  # refused events that are told one by one; --json has them all

Changes = list[str] | None


def add_to(app: typer.Typer) -> None:
    """Add the commands to the group."""
    for command in (fix, replay):
        app.command()(command)


@selects
def fix(
    *,
    filters: Filters,
    rename: Annotated[
        Changes,
        typer.Option("--rename", metavar="OLD=NEW", help="Rename a field; may be repeated."),
    ] = None,
    assign: Annotated[
        Changes,
        typer.Option("--set", metavar="PATH=VALUE", help="Set a field: JSON, or else text."),
    ] = None,
    unset: Annotated[
        Changes, typer.Option("--unset", metavar="PATH", help="Take a field out.")
    ] = None,
    reset: Annotated[
        bool,
        typer.Option("--reset", help="Remove the amendments: the payloads are as they came."),
    ] = False,
    again: Again = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Amend payloads; what would still break the contract is refused, and nothing is replayed.

    The payload as it came is kept. Paths are dotted (a.b.0.c), or JSON Pointers (/a/b).
    """
    amendments = _amendments(rename or [], assign or [], unset or [], reset=reset)
    with opened_store() as store:
        selection = filters.needed(store)
        given: dict[str, Any] = {"actor": actor(store), "again": again, "dry_run": dry_run}
        with counting(store, selection, "fixing", acts=not dry_run) as progress:
            if reset:
                from orchestrator.operations.repair.amend import reset_events

                done = reset_events(store, selection, **given, progress=progress)
            else:
                from orchestrator.operations.repair.amend import fix_events

                done = fix_events(store, selection, amendments, **given, progress=progress)
        done = shown_here(store, done)
    if as_json:
        put_json(done)
    else:
        _put_fixed(done, ("reset", "would reset") if reset else ("fixed", "would fix"))
    fail_where_left(done.refused, done.skipped, done.changed, done.passed_over)


def _amendments(
    renames: list[str], sets: list[str], unsets: list[str], *, reset: bool
) -> tuple[Amendment, ...]:
    """What is to be changed; nothing by itself for a --reset. Raises BadParameter."""
    from orchestrator.domain.recipes.amendment import parse_amendments

    if not reset:
        with as_usage():
            return parse_amendments(renames, sets, unsets)
    if renames or sets or unsets:
        raise typer.BadParameter("--reset takes no --rename, --set or --unset")
    return ()


def _put_fixed(done: Fixed, words: tuple[str, str]) -> None:
    put(f"{words[done.dry_run]} {len(done.ids)}")
    if done.unchanged:
        put(f"unchanged {len(done.unchanged)}")
    tell_untouched(done.passed_over, done.changed)
    tell_some(f"{one.id} refused: {one.detail}" for one in done.refused)
    tell_skipped(done.skipped)
    if done.ids and not done.dry_run:
        note("they stay in quarantine until `meshline quarantine replay`")


@selects
def replay(
    *,
    filters: Filters,
    plan: Annotated[
        bool,
        typer.Option(
            "--plan",
            help="Send nothing: freeze the selection, say what would be sent where and what would"
            " be repeated, and give a token for `quarantine run`.",
        ),
    ] = False,
    order_by: Annotated[
        str | None,
        typer.Option(
            "--order-by",
            metavar="FACT",
            help="With --plan: events for which this fact is the same go one after the other, each"
            " when the one before it is at its end.",
        ),
    ] = None,
    change: Annotated[
        str | None,
        typer.Option(
            "--change",
            metavar="CHANGE",
            help="With --plan: under the version that this change would make, to run once it is"
            " live.",
        ),
    ] = None,
    send_again: Annotated[
        bool,
        typer.Option(
            "--send-again",
            help="Also send deliveries whose outcome is unknown and cannot be looked up. They may"
            " then arrive twice.",
        ),
    ] = False,
    anyway: Annotated[
        bool,
        typer.Option("--anyway", help="Also send what would be refused again as it is."),
    ] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Send events on their way again, from the start, under the live version of their workflow.

    Done again, it changes nothing. Deliveries that are confirmed are not sent again. What the
    contract or the routes would refuse again is left out.
    """
    if plan:
        if send_again or dry_run or anyway:
            raise typer.BadParameter("a plan takes no --send-again, --dry-run or --anyway")
        make_plan(filters, order_by=order_by, change=change, as_json=as_json)
        return
    if order_by or change:
        raise typer.BadParameter("--order-by and --change go with --plan")
    with opened_store() as store:
        from orchestrator.operations.replay.without_plan import replay_events

        selection = filters.needed(store)
        with counting(store, selection, "replaying", acts=not dry_run) as progress:
            done = replay_events(
                store,
                selection,
                actor=actor(store),
                dry_run=dry_run,
                send_again=send_again,
                anyway=anyway,
                progress=progress,
            )
        done = shown_here(store, done)
    if as_json:
        put_json(done)
    else:
        _put_replayed(done)
    fail_where_left(done.left_out, [one for one in done.skipped if one.state == "discarded"])


def _put_replayed(done: Replayed) -> None:
    put(f"{'would replay' if done.dry_run else 'replayed'} {len(done.events)}")
    for name, count in _by_version(done.events).items():
        put(f"  {count} under {name}")
    for circuit in done.held:
        note(f"{circuit.events} will be held: {told_blocker(circuit, moment)}")
    tell_left_out(done.left_out)
    tell_skipped(done.skipped)


def _by_version(events: Iterable[ReplayedEvent]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for one in events:
        name = f"{one.workflow} version {one.version}"
        counts[name] = counts.get(name, 0) + 1
    return counts


def tell_skipped(skipped: Iterable[LeftAlone]) -> None:
    """Say of events that a command left alone in which state they are, and who did what to them."""
    tell_some(left_alone(one) for one in skipped)


def tell_some(lines: Iterable[str]) -> None:
    """The first lines of a long list, and how many more there are."""
    every = list(lines)
    for line in every[:_MOST_TOLD]:
        note(line)
    if len(every) > _MOST_TOLD:
        note(f"and {len(every) - _MOST_TOLD} more; --json has them all")
