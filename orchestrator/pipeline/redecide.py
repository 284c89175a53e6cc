"""Decide about past events again: by the version that is live, and by one that is proposed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import orjson

from orchestrator.domain.changes.backtest import Decided, Late, Place, Recorded, Tally
from orchestrator.domain.changes.past import PastEvent, outcome_of
from orchestrator.domain.delivery.verdicts import Amended, Rejected, Valid
from orchestrator.domain.workflows.compiled import CompiledWorkflow, compile_workflow
from orchestrator.domain.workflows.hours.calendar import deadline
from orchestrator.domain.workflows.workflow import Workflow
from orchestrator.pipeline.route import route
from orchestrator.pipeline.validate import validate_or_amend

_JUDGING = ("contract", "formats", "amend")
"""All that validation reads of a definition."""


class Bench:
    """The two versions, compiled, and what they decide about events."""

    def __init__(self, before: Mapping[str, object], after: Mapping[str, object]) -> None:
        """Take two definitions. Raises InvalidFile and ValueError where one is not right."""
        self._before = _compiled(before)
        self._after = _compiled(after)
        # Most changes leave the contract alone, and validation is the half of the work.
        self._judged_alike = all(before.get(one) == after.get(one) for one in _JUDGING)
        promises = (self._before.workflow.sla, self._after.workflow.sla)
        self._promised_alike = promises[0] == promises[1]

    def look_at(self, events: Iterable[PastEvent]) -> Tally:
        """What both decide about each event, counted."""
        tally = Tally()
        for one in events:
            before, after = self.decide(one.body)
            tally.add(one.id, one.accepted_at, before, after, _recorded(one), weight=one.weight)
            self._time(tally.late, one)
        return tally

    def decide(self, body: str) -> tuple[Decided, Decided]:
        """What the live version decides about a payload, and what the other would."""
        payload = orjson.loads(body)
        judged = validate_or_amend(payload, self._before)
        before = _decided(payload, judged, self._before)
        if not self._judged_alike:
            judged = validate_or_amend(payload, self._after)
        return before, _decided(payload, judged, self._after)

    def decide_after(self, body: str) -> Decided:
        """What the proposed version decides about a payload."""
        payload = orjson.loads(body)
        return _decided(payload, validate_or_amend(payload, self._after), self._after)

    def _time(self, late: Late, one: PastEvent) -> None:
        if one.delivered_at is None:
            return
        late.delivered += one.weight
        is_late = _is_late(one, self._before.workflow)
        late.before += one.weight * is_late
        if not self._promised_alike:
            is_late = _is_late(one, self._after.workflow)
        late.after += one.weight * is_late


@lru_cache(maxsize=8)
def bench_of(before: str, after: str) -> Bench:
    """The two versions by their definitions as JSON, compiled once. Raises as `Bench`."""
    return Bench(orjson.loads(before), orjson.loads(after))


def _compiled(definition: Mapping[str, object]) -> CompiledWorkflow:
    return compile_workflow(Workflow.from_published(definition))


def _decided(
    payload: object, judged: Valid | Amended | Rejected, workflow: CompiledWorkflow
) -> Decided:
    if isinstance(judged, Rejected):
        return _stopped(judged)
    routed = route(judged.payload if isinstance(judged, Amended) else payload, workflow)
    if isinstance(routed, Rejected):
        return _stopped(routed)
    sends = {one.place: one.send for one in routed.deliveries}
    return Decided(outcome=outcome_of(sends), passes=True, sends=sends)


def _stopped(rejected: Rejected) -> Decided:
    first = rejected.violations[0].place if rejected.violations else None
    return Decided(outcome=rejected.reason.value, passes=False, place=first or "")


def _recorded(one: PastEvent) -> Recorded:
    sends: dict[Place, Mapping[str, object]] = {}
    if one.by_hand and one.delivered_at is not None:
        sends = {
            (destination, None if item is None else orjson.loads(item)): orjson.loads(text)
            for destination, item, text in one.sends
        }
    return Recorded(outcome=one.outcome, by_hand=bool(sends), sends=sends)


_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)


def _is_late(one: PastEvent, workflow: Workflow) -> bool:
    took, promised = (one.delivered_at or 0) - one.accepted_at, workflow.deliver_within_seconds
    if workflow.calendar is None:
        return took > 1_000 * promised
    accepted = _BEGIN + timedelta(milliseconds=one.accepted_at)
    ended = _BEGIN + timedelta(milliseconds=one.delivered_at or 0)
    try:
        return ended > deadline(accepted, promised, workflow.calendar)
    except OverflowError:  # the calendar has no such end
        return False
