"""The ten gates as data: docs/reference/gates.md is generated from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class GateState(StrEnum):
    """What a gate says of a change."""

    PASS = "pass"  # noqa: S105 - the word that people read
    FAIL = "fail"
    WAIVED = "waived"  # it fails, and an approver lets that be until a time
    CANNOT_TELL = "cannot_tell"  # there is no evidence for it


class Force(StrEnum):
    """What a gate that fails does."""

    BLOCKS = "blocks"  # nobody can approve the change, and it cannot go live
    WARNS = "warns"


class GateName(StrEnum):
    """The gates that are built in."""

    OWNERS = "owners"
    CASES = "cases"
    CLOCKS = "clocks"
    AUDIT = "audit"
    CONTRACT = "contract"
    LOAD = "load"
    LOGINS = "logins"
    WAY_BACK = "way_back"
    QUARANTINE = "quarantine"
    DRILL = "drill"


@dataclass(frozen=True, kw_only=True, slots=True)
class Gate:
    """One gate that is built in."""

    number: int
    name: GateName
    asks: str
    force: Force  # unless the file of gates says otherwise


_B, _W = Force.BLOCKS, Force.WARNS

GATES: tuple[Gate, ...] = (
    Gate(
        # A mail server that is down must not keep a fix from going live.
        number=1, name=GateName.OWNERS, force=_W,
        asks="owner, recovery lead, approver and backstop are named, and an alert reached each of"
        " them in the last 30 days",
    ),
    Gate(
        number=2, name=GateName.CASES, force=_B,
        asks="each required field was tried valid, missing, with a wrong type and renamed, and the"
        " file's own tests pass",
    ),
    Gate(
        number=3, name=GateName.CLOCKS, force=_B,
        asks="the clocks for delivery and recovery are set, and a keeper is alive that looks at"
        " them",
    ),
    Gate(
        number=4, name=GateName.AUDIT, force=_B,
        asks="the audit of a rehearsed event has the trigger, the decision and who did it",
    ),
    Gate(
        number=5, name=GateName.CONTRACT, force=_B,
        asks="the contract takes all that it takes today, or no real event would newly be refused",
    ),
    Gate(
        number=6, name=GateName.LOAD, force=_W,
        asks="the busiest minute fits the rate budget of each destination",
    ),
    Gate(
        number=7, name=GateName.LOGINS, force=_W,
        asks="the login of each destination was proven in the last 24 hours",
    ),
    Gate(
        number=8, name=GateName.WAY_BACK, force=_B,
        asks="the steps of the rollout are named, and there is a way back",
    ),
    Gate(
        number=9, name=GateName.QUARANTINE, force=_B,
        asks="every reason for quarantine has an owner and a deadline",
    ),
    Gate(
        number=10, name=GateName.DRILL, force=_W,
        asks="the last drill is younger than 90 days",
    ),
)  # fmt: skip
"""Every gate that is built in, in the order in which it is shown."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiver:
    """Who lets a gate fail, why, and until when. Times are ISO 8601 in UTC."""

    by: str  # an actor
    why: str
    at: str
    until: str
    expired: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgedGate:
    """One gate of a change."""

    gate: str  # its name, by which it is waived; of a house rule its id
    number: int | None  # 1 to 10; None: a house rule
    asks: str
    state: str  # a GateState: pass, fail, waived or cannot_tell
    force: str  # a Force: blocks or warns
    stops: bool  # it fails and blocks: nobody can approve the change
    evidence: str  # one sentence
    do: str | None  # what to do about it; None: nothing
    digest: str | None  # of the recorded evidence that it rests on: 64 hex digits
    waivable: bool  # an approver may waive it
    waiver: Waiver | None  # the last one


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What one gate found, before force and waivers."""

    state: GateState  # never WAIVED
    evidence: str
    do: str | None = None


def passed(evidence: str) -> Finding:
    """The gate is proven."""
    return Finding(state=GateState.PASS, evidence=evidence)


def failed(evidence: str, do: str) -> Finding:
    """The evidence speaks against it."""
    return Finding(state=GateState.FAIL, evidence=evidence, do=do)


def cannot_tell(evidence: str, do: str | None = None) -> Finding:
    """There is no evidence; that never blocks, and is never taken for a pass."""
    return Finding(state=GateState.CANNOT_TELL, evidence=evidence, do=do)
