"""Why events are stopped, so that all that are stopped for one cause are one incident.

A cause leaves out what differs from one payload to the next, such as values, places in arrays and
names that the sender makes up: one renamed field is one cause.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.domain.delivery.verdicts import Violation
from orchestrator.domain.documents.json_pointer import pointer_steps
from orchestrator.domain.incidents.incident import (
    AWAITING,
    BAD_SIGNATURES,
    BROKE_GLASS,
    FURTHER,
    HELD,
    LATE,
    LOW_RATE,
    MOST_NEW_INCIDENTS,
    OLD_SPOOL,
    OLD_SPOOL_SECONDS,
    IncidentKind,
)
from orchestrator.domain.lifecycle import Stage
from orchestrator.domain.reasons import Reason
from orchestrator.domain.text.abbreviate import shorten

_LONGEST_TITLE = 200  # characters


@dataclass(frozen=True, kw_only=True)
class Cause:
    """What the events of one incident have in common."""

    key: str  # 64 hex digits, the same for the same cause in every process
    kind: IncidentKind
    reason: str  # a Reason, or `held`
    stage: str
    destination: str | None
    title: str  # for people; it holds names of fields, never values


def cause_of(
    reason: str,
    stage: str,
    *,
    destination: str | None = None,
    violations: Sequence[Violation] = (),
) -> Cause:
    """The cause of a stopped event; violations count as a set of places and keywords."""
    broken = sorted({(_place(one), one.kind) for one in violations})
    named = json.dumps([str(reason), str(stage), destination, broken])
    return Cause(
        key=hashlib.sha256(named.encode()).hexdigest(),
        kind=_kind(reason, stage),
        reason=str(reason),
        stage=str(stage),
        destination=destination,
        title=shorten(_title(str(reason), str(stage), destination, broken), _LONGEST_TITLE),
    )


def held_cause(destination: str) -> Cause:
    """The cause of deliveries that wait at a circuit, whatever blocks it."""
    return cause_of(HELD, Stage.DISPATCH, destination=destination)


def late_cause() -> Cause:
    """The cause of events that are under way and late, whatever keeps them."""
    return cause_of(LATE, "delivery")


def awaiting_cause() -> Cause:
    """The cause of events that wait for their approver, whatever route asks."""
    return cause_of(AWAITING, "approval")


def low_rate_cause() -> Cause:
    """The cause of a workflow that delivers too few of its events, whatever keeps them."""
    return cause_of(LOW_RATE, "delivery")


def broken_glass_cause(change: str) -> Cause:
    """The cause of a change that went live by break-glass; each is an incident of its own."""
    named = json.dumps([BROKE_GLASS, change])
    return Cause(
        key=hashlib.sha256(named.encode()).hexdigest(),
        kind=IncidentKind.GOVERNANCE,
        reason=BROKE_GLASS,
        stage="change",
        destination=None,
        title=f"change {change} went live by break-glass",
    )


def bad_signatures_cause(source: str, day: str) -> Cause:
    """The cause of requests that a source does not prove, one for each day in UTC."""
    named = json.dumps([BAD_SIGNATURES, source, day])
    return Cause(
        key=hashlib.sha256(named.encode()).hexdigest(),
        kind=IncidentKind.CONTRACT,
        reason=BAD_SIGNATURES,
        stage="accept",
        destination=None,
        title=f"bad signatures at the source {source} on {day}: was the secret rotated?",
    )


def old_spool_cause(key: str, spool: str, kind: str = "spool") -> Cause:
    """The cause of one spool, or outbox, of a producer's key in which events wait too long."""
    named = json.dumps([OLD_SPOOL, key, spool])
    which = f"the {kind} {spool}" if spool else f"a {kind}"
    minutes = OLD_SPOOL_SECONDS // 60
    return Cause(
        key=hashlib.sha256(named.encode()).hexdigest(),
        kind=IncidentKind.CONTRACT,
        reason=OLD_SPOOL,
        stage="accept",
        destination=None,
        title=f"events wait over {minutes} minutes in {which} of the key {key}",
    )


def further_cause() -> Cause:
    """What stands for more causes than may open incidents of their own in an hour."""
    return cause_of(FURTHER, Stage.VALIDATE)


_OURS = {
    Reason.START_LIMIT,
    Reason.CONNECTOR_MISSING,
    Reason.POISON_MESSAGE,
    Reason.APPROVAL_REFUSED,
    Reason.APPROVAL_LATE,
}
_SENDERS = {
    Reason.CONTRACT_VIOLATION,
    Reason.CONTRACT_LIMIT,
    Reason.MISSING_FACT,
    Reason.NO_ROUTE,
    Reason.RULE_ERROR,
    Reason.DUPLICATE_ITEM,
    Reason.NO_WORKFLOW,
    Reason.CONFLICTING_DUPLICATE,
}


def _kind(reason: str, stage: str) -> IncidentKind:
    if reason in _SENDERS or reason == FURTHER:
        return IncidentKind.CONTRACT
    if reason in _OURS or stage != Stage.DISPATCH:
        return IncidentKind.PLATFORM
    return IncidentKind.DESTINATION


_Steps = tuple[str, ...]

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')


def _place(violation: Violation) -> _Steps:
    """Where a violation is, `*` for what differs from payload to payload; a missing field by name.

    A row from before places were kept has none: then no step of its path is known to be a name.
    """
    if violation.place is None:
        place = ("*",) * len(pointer_steps(violation.path))
    else:
        place = tuple(pointer_steps(violation.place))
    if violation.kind == "required" and (name := _QUOTED.match(violation.message)):
        return (*place, str(json.loads(name[0])))  # the contract's name, not the sender's
    return place


_SAID = {
    HELD: "deliveries are held back",
    FURTHER: f"further causes, beyond {MOST_NEW_INCIDENTS} new ones in an hour",
    LATE: "events are late",
    AWAITING: "events await an approval",
    LOW_RATE: "too few events are delivered",
    Reason.CONTRACT_LIMIT: "the contract takes too many steps",
    Reason.MISSING_FACT: "a fact is missing",
    Reason.NO_ROUTE: "no route matches",
    Reason.RULE_ERROR: "a rule cannot be computed",
    Reason.DUPLICATE_ITEM: "two items have the same key",
    Reason.DESTINATION_REFUSED: "what is sent is refused",
    Reason.HANDOFF_MISMATCH: "the record is not what was sent",
    Reason.UNKNOWN_OUTCOME: "nobody knows what became of calls",
    Reason.UNDO_FAILED: "what was made cannot be taken back",
    Reason.RETRIES_EXHAUSTED: "the last retry failed",
    Reason.CONNECTOR_MISSING: "a worker does not know the connector",
    Reason.START_LIMIT: "started again and again without progress",
    Reason.APPROVAL_REFUSED: "the approver said no",
    Reason.APPROVAL_LATE: "nobody approved it in time",
    Reason.NO_WORKFLOW: "no workflow takes what the source sends",
    Reason.CONFLICTING_DUPLICATE: "the source sent a key with another payload",
    Reason.POISON_MESSAGE: "a message that no worker can read",
}


_OF_NO_STAGE = (
    FURTHER,
    LATE,
    LOW_RATE,
    AWAITING,
    Reason.APPROVAL_REFUSED,
    Reason.APPROVAL_LATE,
    Reason.NO_WORKFLOW,
    Reason.CONFLICTING_DUPLICATE,
)


def _title(
    reason: str, stage: str, destination: str | None, broken: Sequence[tuple[_Steps, str]]
) -> str:
    if broken:
        return ", ".join(_said_violation(place, keyword) for place, keyword in broken)
    said = _SAID.get(reason, reason.replace("_", " "))
    if reason in _OF_NO_STAGE:
        return said
    return f"{destination}: {said}" if destination else f"{said} at {stage}"


def _said_violation(place: _Steps, keyword: str) -> str:
    where = ".".join(place)
    if keyword == "required":
        return f"`{where}` is missing"
    if keyword in {"additionalProperties", "unevaluatedProperties"}:
        return f"undeclared fields in `{where}`" if where else "undeclared fields"
    return f"`{where}` breaks {keyword}" if where else f"the payload breaks {keyword}"
