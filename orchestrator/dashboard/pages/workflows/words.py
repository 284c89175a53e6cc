"""A workflow in sentences: its map for whoever cannot see the drawing, and how old figures are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from orchestrator.dashboard.pages.workflows.said import Destination, SaidWorkflow
from orchestrator.domain.delivery.blockers import told_calls
from orchestrator.domain.lifecycle import Stage
from orchestrator.presenting.moments import age, moment
from orchestrator.store.views.destinations.list import DestinationRow
from orchestrator.store.views.workflows.flow import WorkflowFlow
from orchestrator.store.views.workflows.list import LastEvent

_QUIET_SECONDS = 86_400  # a workflow without an event for longer is said to be quiet


def tell_last_event(last: LastEvent, now: int) -> str:
    """When a workflow's last event came, so that old figures are not taken for new ones.

    `now` is the store's time, in milliseconds.
    """
    known = last.at or last.before
    if known is None:
        return "No event came yet."
    if last.at is None:
        return f"No event came since {moment(known)}, for more than {age(known, now)}."
    if now - datetime.fromisoformat(last.at).timestamp() * 1000 > _QUIET_SECONDS * 1000:
        return f"Quiet: no event came for {age(known, now)}, since {moment(known)}."
    return f"The last event came {age(known, now)} ago, at {moment(known)}."


def tell_map(said: SaidWorkflow, flow: WorkflowFlow) -> list[str]:
    """Each part, where events go on from it, and how many are there now."""
    return [
        f"Trigger: events of the type {said.type} are accepted. {_wait(flow.accepted)} validated.",
        f"Contract: {_needs(said)}. {_wait(flow.validated)} routed.",
        _wrong("What breaks the contract", flow.stalled_at(Stage.VALIDATE)),
        *_routes(said),
        _wrong("An event that no route takes", flow.stalled_at(Stage.ROUTE)),
        *(_destination(one, flow) for one in said.destinations),
        _wrong("What cannot be delivered", flow.not_delivered),
        f"In quarantine: {flow.in_quarantine:,}, healed by {said.owners['recovery lead']}.",
    ]


def _wait(count: int) -> str:
    return "1 event waits to be" if count == 1 else f"{count:,} events wait to be"


def _wrong(what: str, count: int) -> str:
    return f"{what} goes into quarantine: {count:,} now."


def _needs(said: SaidWorkflow) -> str:
    return f"an event must have {said.required}" if said.required else "no field is required"


def _routes(said: SaidWorkflow) -> Iterator[str]:
    for number, route in enumerate(said.routes, start=1):
        yield f"Route {number}: when {route.when}, to {', '.join(route.to)}."


def _destination(one: Destination, flow: WorkflowFlow) -> str:
    told = f"Destination {one.name}: calls {one.calls}"
    if one.after:
        told += f", once {', '.join(one.after)} confirmed"
    row = next((row for row in flow.destinations if row.destination == one.name), None)
    if row is None:
        return f"{told}. The live version does not have it."
    return f"{told}. {_deliveries(row)}; {flow.stalled_by(one.name):,} in quarantine."


def _deliveries(row: DestinationRow) -> str:
    here = row.waiting + row.after_others
    told = f"{here:,} {'delivery' if here == 1 else 'deliveries'} under way, {row.held:,} held"
    return told if row.block is None else f"{told}: {told_calls(row.block, row.breaker)}"
