"""A batch with an outcome for each trigger (`Prefer: outcome=each`)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from http import HTTPStatus

import orjson
from starlette.responses import Response

from orchestrator.api.door import Door
from orchestrator.api.headers.preferences import EACH
from orchestrator.api.problems import problem_of
from orchestrator.domain.errors import Refused, StoreUnavailable
from orchestrator.domain.event import Accepted, Trigger
from orchestrator.operations.accept_triggers import RefusedAt
from orchestrator.telemetry import RequestRefused, emit


async def answer_each(door: Door, items: Sequence[Trigger | Refused], *, actor: str) -> Response:
    """207 with what became of each trigger, in their order; what is accepted is committed.

    Raises StoreUnavailable where it took none of them.
    """
    outcomes = await asyncio.gather(*(_outcome(door, item, actor) for item in items))
    lost = [one for one in outcomes if isinstance(one, StoreUnavailable)]
    if lost and not any(isinstance(one, Accepted) for one in outcomes):
        raise lost[0]
    answer = orjson.dumps({"events": [_told(one) for one in outcomes]})
    headers = {"preference-applied": EACH}
    return Response(answer, HTTPStatus.MULTI_STATUS, headers, media_type="application/json")


async def _outcome(door: Door, item: Trigger | Refused, actor: str) -> Accepted | Exception:
    """What the door answers to one trigger, as a batch of its own."""
    if isinstance(item, Refused):
        return item
    try:
        (accepted,) = await door.accept([item], actor=actor)
    except RefusedAt as refused:
        return refused.cause
    except Exception as error:  # noqa: BLE001 - logged where it becomes an answer
        return error
    return accepted


def _told(outcome: Accepted | Exception) -> dict[str, object]:
    if isinstance(outcome, Accepted):
        return {
            "status": HTTPStatus.ACCEPTED.value,
            "id": outcome.id,
            "duplicate": outcome.duplicate,
        }
    problem = problem_of(outcome)
    emit(RequestRefused(code=problem.code))
    return {"status": problem.status_code, "problem": problem.document}
