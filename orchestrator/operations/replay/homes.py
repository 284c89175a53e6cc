"""Which workflow takes now what no workflow took when a source sent it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchestrator.domain.reasons import Reason
from orchestrator.operations.replay.plan import LeftOut
from orchestrator.store.database.engine import Tx
from orchestrator.store.quarantine.hook_requests import Taker, takers
from orchestrator.store.quarantine.unclaimed import keys_taken
from orchestrator.store.quarantine.workflows import LiveWorkflow


@dataclass(frozen=True, kw_only=True)
class Homes:
    """Where events go when they are replayed."""

    found: Sequence[tuple[LiveWorkflow, Sequence[str]]]  # ids of those that got a home
    left_out: Sequence[LeftOut]  # those that no workflow takes now either
    others: Sequence[str]  # ids of those that have had one all along


def find_homes(tx: Tx, reasons: Mapping[str, str]) -> Homes:
    """The homes of these events, by the reasons that they are in quarantine for."""
    homeless = [one for one, why in reasons.items() if why == Reason.NO_WORKFLOW]
    if not homeless:
        return Homes(found=(), left_out=(), others=tuple(reasons))
    by_version: dict[int, tuple[LiveWorkflow, list[str]]] = {}
    left_out = []
    known = takers(tx, homeless)
    for event_id in homeless:
        taker = known[event_id]
        if taker.live is None:
            left_out.append(_left_out(event_id, taker))
        else:
            by_version.setdefault(taker.live.id, (taker.live, []))[1].append(event_id)
    found = []
    for live, ids in by_version.values():
        there = keys_taken(tx, ids, live)
        left_out += [_there(one, live) for one in ids if one in there]
        found.append((live, [one for one in ids if one not in there]))
    others = [one for one in reasons if one not in known]
    return Homes(found=found, left_out=left_out, others=others)


def _left_out(event_id: str, taker: Taker) -> LeftOut:
    told = f"no live workflow takes {taker.type!r}" if taker.type else "it does not say a type"
    return LeftOut(id=event_id, reason=Reason.NO_WORKFLOW.value, detail=told)


def _there(event_id: str, live: LiveWorkflow) -> LeftOut:
    told = f"the workflow {live.name} has an event with its key already: discard this one"
    return LeftOut(id=event_id, reason=Reason.CONFLICTING_DUPLICATE.value, detail=told)
