"""Which workflow takes now what no workflow took when a source sent it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchestrator.domain.reasons import Reason
from orchestrator.operations.replay.plan import LeftOut
from orchestrator.store.database.engine import Tx
from orchestrator.store.quarantine.hook_requests import takers
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
    for event_id, taker in known.items():
        if taker.live is None or taker.reason is not None:
            why = taker.reason or Reason.NO_WORKFLOW
            left_out.append(LeftOut(id=event_id, reason=why.value, detail=taker.detail))
        else:
            by_version.setdefault(taker.live.id, (taker.live, []))[1].append(event_id)
    others = [one for one in reasons if one not in known]
    return Homes(found=list(by_version.values()), left_out=left_out, others=others)
