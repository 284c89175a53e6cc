"""What follows a record's first request: its message, its address, its attachment, each once."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.definition.paths import dig, has, steps
from connectors.http.calls import Calls
from connectors.http.paging.look_up import look_up
from connectors.http.placeholders.values import Values
from connectors.http.plan import ActionPlan, StepPlan
from orchestrator.domain.errors import AlreadyThere, StepUnknown


async def complete(calls: Calls, plan: ActionPlan, values: Values, *, fresh: bool) -> None:
    """Do what is not done yet of a record's steps, in order. Raises ConnectorError.

    `fresh` says that no earlier call can have done any of them. Otherwise each is looked up first,
    or sent again where that changes nothing.
    """
    for step in plan.steps:
        if step.is_left_out(values) or (not fresh and await _is_done(calls, plan, step, values)):
            continue
        reply = await calls.ask(plan, step.request, values)
        if reply.error and not isinstance(reply.error, AlreadyThere):
            raise reply.error


async def _is_done(calls: Calls, plan: ActionPlan, step: StepPlan, values: Values) -> bool:
    if step.done is not None:
        return await look_up(calls, plan, step.done, values) is not None
    if step.repeatable:
        return False
    told = "an earlier call may have done it, and there is no way to look it up"
    raise StepUnknown(f"{step.request.name}: {told}")


async def step_fields(calls: Calls, plan: ActionPlan, values: Values) -> Mapping[str, object]:
    """The fields that the look-ups of steps say. Raises ConnectorError."""
    found: dict[str, object] = {}
    for step in plan.steps:
        if step.done is None or not step.fields or step.is_left_out(values):
            continue
        told = await look_up(calls, plan, step.done, values)
        if told is None:
            continue
        places = {name: steps(place.at) for name, place in step.fields.items()}
        found |= {name: dig(told[0], at) for name, at in places.items() if has(told[0], at)}
    return found
