"""Whether a payload came to what a test of its workflow's file expects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.domain.delivery import comparing
from orchestrator.domain.delivery.verdicts import Rejected, Routed
from orchestrator.domain.documents import strict_json
from orchestrator.domain.event import MadeRecord, PlannedDelivery
from orchestrator.domain.text.abbreviate import abbreviate, shorten
from orchestrator.domain.workflows.compiled import CompiledWorkflow
from orchestrator.domain.workflows.tests import Expected, WorkflowTest
from orchestrator.pipeline.trial import try_payload

_LONGEST = 300  # characters of what a quarantine says
_AROUND = 20  # characters of a text on each side of where it differs


@dataclass(frozen=True, kw_only=True)
class Unmet:
    """One expectation of a test that is not met."""

    path: str  # in the test, dotted: "expect.sends.crm.email"
    problem: str


def run_test(test: WorkflowTest, workflow: CompiledWorkflow) -> tuple[Unmet, ...]:
    """Every expectation of the test that is not met; none where it passes."""
    records = {
        name: MadeRecord(record_id=one.record_id, url=one.url) for name, one in test.records.items()
    }
    outcome = try_payload(test.payload, workflow, records).outcome
    if isinstance(outcome, Rejected):
        return tuple(_of_rejected(test.expect, outcome))
    return tuple(_of_routed(test.expect, outcome, workflow.workflow.routes[outcome.route].to))


def _of_rejected(expect: Expected, outcome: Rejected) -> Iterator[Unmet]:
    said = shorten(outcome.detail, _LONGEST)
    if expect.reason is None:
        problem = f"it would be quarantined as {outcome.reason}: {said}"
        yield Unmet(path="expect", problem=problem)
    elif expect.reason != outcome.reason:
        problem = f"it would be quarantined as {outcome.reason}, not {expect.reason}: {said}"
        yield Unmet(path="expect.reason", problem=problem)
    elif expect.says is not None and expect.says not in _all_said(outcome):
        problem = f"the quarantine does not say {abbreviate(expect.says)}, but: {said}"
        yield Unmet(path="expect.says", problem=problem)


def _all_said(outcome: Rejected) -> str:
    lines = (f"{one.path}: {one.message}" for one in outcome.violations)
    return "\n".join((outcome.detail, *lines))


def _of_routed(expect: Expected, outcome: Routed, to: tuple[str, ...]) -> Iterator[Unmet]:
    if expect.reason is not None:
        problem = f"{_route(outcome)} would be taken, to {', '.join(to)}, and nothing quarantined"
        yield Unmet(path="expect.reason", problem=problem)
        return
    if isinstance(expect.route, int) and expect.route != outcome.route + 1:
        problem = f"{_route(outcome)} would be taken, not route {expect.route}"
        yield Unmet(path="expect.route", problem=problem)
    if isinstance(expect.route, tuple) and sorted(expect.route) != sorted(to):
        problem = f"it would go to {', '.join(to)}, not to {', '.join(expect.route)}"
        yield Unmet(path="expect.route", problem=problem)
    planned = {one.destination: one for one in outcome.deliveries if one.item is None}
    items: dict[str, dict[str, PlannedDelivery]] = {}
    for one in outcome.deliveries:
        if one.item is not None:
            items.setdefault(one.destination, {})[str(one.item)] = one
    for name, fields in expect.sends.items():
        path = f"expect.sends.{name}"
        if name in items:
            yield from _of_items(path, name, fields, items[name])
        else:
            yield from _of_sent(path, name, fields, planned)
    for name, omitted in expect.omits.items():
        yield from _of_omitted(f"expect.omits.{name}", name, omitted, planned)


def _of_sent(
    path: str, name: str, fields: dict[str, object], planned: dict[str, PlannedDelivery]
) -> Iterator[Unmet]:
    if name not in planned:
        yield _not_called(path, name, planned)
        return
    sent = planned[name].send
    for field, wanted in fields.items():
        if field in planned[name].left_open:
            yield Unmet(path=f"{path}.{field}", problem=_left_open(field, planned[name]))
        elif field not in sent:
            problem = f"`{field}` would not be sent: a fact that it needs is absent"
            yield Unmet(path=f"{path}.{field}", problem=problem)
        elif comparing.differences({field: wanted}, sent, (field,)):
            yield Unmet(path=f"{path}.{field}", problem=_differs(sent[field], wanted))


def _of_items(
    path: str, name: str, wanted: dict[str, object], items: dict[str, PlannedDelivery]
) -> Iterator[Unmet]:
    """By the items' keys: the fields that each is sent."""
    for key, fields in wanted.items():
        if not isinstance(fields, dict):
            problem = f"`{name}` is sent once per item: write the fields under the item's key"
            yield Unmet(path=f"{path}.{key}", problem=problem)
        else:
            yield from _of_sent(f"{path}.{key}", key, fields, items)


def _of_omitted(
    path: str, name: str, fields: tuple[str, ...], planned: dict[str, PlannedDelivery]
) -> Iterator[Unmet]:
    if name not in planned:
        yield _not_called(path, name, planned)
        return
    sent = planned[name].send
    for place, field in enumerate(fields):
        if field in planned[name].left_open:
            yield Unmet(path=f"{path}.{place}", problem=_left_open(field, planned[name]))
        elif field in sent:
            problem = f"`{field}` would be sent: {_told(sent[field])}"
            yield Unmet(path=f"{path}.{place}", problem=problem)


def _not_called(path: str, name: str, planned: dict[str, PlannedDelivery]) -> Unmet:
    problem = f"nothing would be sent to `{name}`, but to {', '.join(planned)}"
    return Unmet(path=path, problem=problem)


def _left_open(field: str, planned: PlannedDelivery) -> str:
    missing = ", ".join(f"{name}: {{record_id: ...}}" for name in planned.waits_for)
    return f"`{field}` is computed from records; give the test `records: {{{missing}}}`"


def _route(outcome: Routed) -> str:
    return f"route {outcome.route + 1}"


def _differs(sent: object, wanted: object) -> str:
    told, expected = _told(sent), _told(wanted)
    if told == expected:
        both_text = isinstance(sent, str) and isinstance(wanted, str)
        one, other = (str(v) if both_text else strict_json.dumps(v) for v in (sent, wanted))
        at = _first_difference(one, other)
        start = max(at - _AROUND, 0)
        told, expected = (_told(text[start : at + _AROUND]) for text in (one, other))
        return f"from character {at + 1} on {told} would be sent, not {expected}"
    return f"{told} would be sent, not {expected}"


def _told(value: object) -> str:
    return abbreviate(value, 200)


def _first_difference(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))
