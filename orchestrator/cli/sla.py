"""`meshline sla`: what is late, what will be, and whom the next alert goes to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from orchestrator.cli.terminal.open_store import opened_store
from orchestrator.cli.terminal.options import AsJson, OnlyClient, OnlyWorkflow
from orchestrator.cli.terminal.screen import put, put_json, put_table
from orchestrator.cli.terminal.who import seen_clients
from orchestrator.presenting.moments import age, left, span

if TYPE_CHECKING:
    from orchestrator.domain.incidents.advice import Step
    from orchestrator.store.clocks.deadline_views import LateIncident, WorkflowClocks
    from orchestrator.store.views.success_rates import KeptRate

app = typer.Typer(help="The clocks: what is late, and what will be.", no_args_is_help=True)


@app.callback()
def sla() -> None:
    """The clocks: what is late, and what will be."""


@app.command("list")
def list_(
    client: OnlyClient = None, workflow: OnlyWorkflow = None, as_json: AsJson = False
) -> None:
    """List both clocks of every workflow, its success rate, and the incidents that are late.

    An event is late to be delivered from when it was accepted, under way or in quarantine; it is
    late to be recovered from when it came into quarantine. Both in the workflow's calendar.
    """
    with opened_store() as store:
        from orchestrator.operations.check_filters import check_filters
        from orchestrator.store.clocks.deadline_views import list_breached, list_clocks
        from orchestrator.store.views.values import now_of

        clients = seen_clients(store)
        with store.read() as tx:
            now = now_of(tx)
            check_filters(tx, client=client, workflow=workflow, clients=clients)
            clocks = list_clocks(tx, client=client, workflow=workflow, clients=clients)
            late = list_breached(tx, client=client, workflow=workflow, clients=clients)
    if as_json:
        put_json({"workflows": clocks, "incidents": late})
        return
    if not clocks:
        put("no workflow is published")
        return
    _put_clocks(clocks, now)
    if any(one.success_rate for one in clocks):
        put()
        _put_rates(clocks)
    if late:
        put()
        _put_late(late, now)


def _put_clocks(clocks: Sequence[WorkflowClocks], now: int) -> None:
    put_table(
        ("WORKFLOW", "CLOCK", "WITHIN", "EVENTS", "HELD", "LATE", "NEXT", "BREACHES, 30 DAYS"),
        [
            (
                f"{one.client}/{one.workflow}",
                name,
                span(clock.within_seconds),
                clock.events,
                one.held if name == "deliver" else None,
                clock.late,
                left(clock.next_due_at, now),
                one.breaches if name == "deliver" else None,
            )
            for one in clocks
            for name, clock in (("deliver", one.deliver), ("recover", one.recover))
        ],
    )


def _put_rates(clocks: Sequence[WorkflowClocks]) -> None:
    """The success rates, of the workflows that promise one."""
    put_table(
        ("WORKFLOW", "PROMISED", "OVER", "DELIVERED", "KEPT"),
        [
            (
                f"{one.client}/{one.workflow}",
                rate.at_least,
                rate.over,
                f"{rate.delivered} of {rate.decided}",
                _kept(rate),
            )
            for one in clocks
            if (rate := one.success_rate)
        ],
    )


def _kept(rate: KeptRate) -> str:
    if rate.decided < rate.of:
        return f"too few to tell: {rate.of} are needed"
    return "missed" if rate.missed else "yes"


def _put_late(late: Sequence[LateIncident], now: int) -> None:
    put_table(
        ("INCIDENT", "WORKFLOW", "LATE FOR", "STATE", "STEP", "NEXT", "WHAT TO DO"),
        [
            (
                one.incident,
                f"{one.client}/{one.workflow}\n{one.title}",
                age(one.breached_at, now),
                one.state,
                one.step,
                f"{one.next.to}\n{left(one.next.due_at, now)}" if one.next else None,
                _first_step(one.advice),
            )
            for one in late
        ],
        below=("WHAT TO DO",),
    )


def _first_step(advice: Sequence[Step]) -> str | None:
    """What to do first; `incidents show` has the other steps."""
    if not advice:
        return None
    first = advice[0]
    return f"{first.do}: {first.command}" if first.command else first.do
