"""`meshline change backtest`: what a change would have decided about past events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.jobs import Background, tell_started
from orchestrator.cli.terminal.open_store import opened_store
from orchestrator.cli.terminal.options import AsJson
from orchestrator.cli.terminal.progress import resuming_bar
from orchestrator.cli.terminal.screen import note, put, put_json, put_line, put_table
from orchestrator.cli.terminal.who import actor
from orchestrator.presenting.backtests import coverage, sentences

if TYPE_CHECKING:
    from orchestrator.domain.changes.backtest_result import BacktestResult

_MOST_SHOWN = 50  # rows of the table


def backtest(
    change: Annotated[str, typer.Argument(metavar="CHANGE", help="Its token in the list.")],
    weeks: Annotated[
        int, typer.Option("--weeks", metavar="N", min=1, max=520, help="How far back it looks.")
    ] = 4,
    seed: Annotated[
        int | None,
        typer.Option(
            "--seed",
            metavar="N",
            min=0,
            max=2**31 - 1,
            help="Choose the same sample again, where there are more than a million events.",
        ),
    ] = None,
    background: Background = False,
    as_json: AsJson = False,
) -> None:
    """Say what a change would have decided about the events of the last weeks.

    Each is decided about again, as it came, by the live version and by the proposed one. Nothing is
    sent, and no event is changed. What it found stays with the change, for who decides about it.
    One that was stopped goes on where it was.
    """
    with opened_store() as store:
        from orchestrator.operations.changes.backtest import Asked, backtest_change

        asked = Asked(weeks=weeks, seed=seed)
        if background:
            from orchestrator.operations.jobs.backtesting import start_backtest_job

            job = start_backtest_job(store, change, actor=actor(store), asked=asked)
            tell_started(store, job, as_json=as_json)
            return
        with resuming_bar("deciding again") as progress:
            done = backtest_change(
                store,
                change,
                actor=actor(store),
                asked=asked,
                progress=progress,
            )
    if as_json:
        put_json(done)
        return
    put(f"change {done.change} of {done.workflow} of client {done.client}")
    put_backtest(done.result)
    if done.subject is not None:
        note(f"an approval covers the digest {done.subject} from now on")


def put_backtest(found: BacktestResult) -> None:
    """What it found."""
    put_line(f"  backtest of {coverage(found)}")
    if not found.looked_at and (found.group is None or not found.group.events):
        note("there was no event to decide about, so it says nothing")
        return
    put_line(f"  {found.unchanged:,} would be decided as today")
    moved = [one for one in found.matrix if one.before != one.after]
    rows = [
        (one.before, one.after, f"{one.events:,}", ", ".join(one.examples[:2]))
        for one in moved[:_MOST_SHOWN]
    ]
    if rows:
        put_table(("TODAY", "WITH THE CHANGE", "EVENTS", "SUCH AS"), rows, below=("SUCH AS",))
    if (more := len(moved) - len(rows)) > 0:
        note(f"and {more} more: --json has all of them")
    for told in sentences(found):
        put_line(f"  {told}")
