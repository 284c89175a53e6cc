"""Several deliveries by one request, where a tool takes that; each is proven by itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from connectors.handoff.single import Handoff, guarded, place_of
from orchestrator.domain.delivery.handoff import Action, Batching, Outcome, Outgoing
from orchestrator.domain.errors import (
    ConnectorError,
    DestinationRefused,
    OutcomeUnknown,
    Unauthorized,
)

Made = str | ConnectorError
"""What became of one of several: its record's id, or why there is none."""


async def hand_over_together(
    connector: Batching,
    action: Action,
    calls: Sequence[tuple[Outgoing, tuple[str, ...]]],
    *,
    longest: float,
) -> list[Outcome]:
    """Hand over several deliveries of one action, each with what is to be confirmed; in order.

    None of them was tried before. An answer that was lost is lost for all of them.
    """
    seconds = min(longest, action.timeout_seconds)
    last_moment = time.monotonic() + seconds
    handoffs = [
        Handoff(connector, action, call, may_be_there=False, known=None, last_moment=last_moment)
        for call, _ in calls
    ]
    outcomes: list[Outcome | None] = [
        handoff.problem(confirm, undo=False)
        for handoff, (_, confirm) in zip(handoffs, calls, strict=True)
    ]
    going = [place for place, problem in enumerate(outcomes) if problem is None]
    made = await _make(connector, [calls[place][0] for place in going], seconds)
    reading = asyncio.Semaphore(action.max_in_flight)

    async def go_on(place: int, one: Made | None) -> Outcome:
        handoff, confirm = handoffs[place], calls[place][1]
        async with reading:
            work = handoff.run(confirm) if one is None else handoff.go_on(one, confirm)
            return await guarded(handoff, work, max(last_moment - time.monotonic(), 0.0))

    each: Sequence[Made | None] = [None] * len(going) if made is None else made
    proven = await asyncio.gather(*map(go_on, going, each))
    found = dict(zip(going, proven, strict=True))
    return [found[place] if one is None else one for place, one in enumerate(outcomes)]


async def _make(
    connector: Batching, calls: Sequence[Outgoing], seconds: float
) -> list[Made] | None:
    """What became of each call, in order; one error is everybody's.

    None where the tool refused the request as a whole: nothing was stored, and one of them may
    have spoilt it for all, so each is to be made alone.
    """
    if not calls:
        return []
    try:
        async with asyncio.timeout(seconds):
            made = list(await connector.create_many(calls))
    except Unauthorized as error:
        return [error] * len(calls)
    except DestinationRefused:
        return None
    except ConnectorError as error:
        return [error] * len(calls)
    except TimeoutError:
        return [OutcomeUnknown(f"it took longer than {seconds:g} s")] * len(calls)
    except Exception as error:  # noqa: BLE001 -- a fault in a connector must not become a lost delivery
        return [OutcomeUnknown(place_of(error))] * len(calls)
    if len(made) != len(calls):
        told = f"{len(calls)} went out, and {len(made)} were answered"
        return [OutcomeUnknown(told)] * len(calls)
    return made
