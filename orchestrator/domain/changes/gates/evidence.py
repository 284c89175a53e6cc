"""What was found out about a proposed version: recorded with it, and a part of what is approved."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

import orjson
from pydantic import TypeAdapter, ValidationError

from orchestrator.domain.changes.backtest_result import BacktestSaid
from orchestrator.domain.changes.rehearsing.result import Rehearsal

TRIAL_DAYS = 28


@dataclass(frozen=True, kw_only=True, slots=True)
class ContractTrial:
    """What the contract of a change would make of what its workflow takes today."""

    covers: str  # yes, no or unknown: whether it takes every payload that is taken today
    says: str  # the same in a sentence
    since: str  # ISO 8601 in UTC: events that were accepted since then were tried
    events: int  # that were tried, as they came and with the standing amendments of each version
    whole: bool  # they are all of them; else the newest ones
    newly_refused: int  # that pass today
    newly_passing: int  # that are refused today
    examples: tuple[str, ...]  # ids of the first events that are newly refused

    @property
    def told(self) -> str:
        """The counts in a sentence."""
        if not self.events:
            return f"no event of the last {TRIAL_DAYS} days has its payload, so none was tried"
        which = "all" if self.whole else "the newest"
        of = f"{which} {self.events} events of the last {TRIAL_DAYS} days"
        return (
            f"of {of} it newly refuses {self.newly_refused}, and newly passes {self.newly_passing}"
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class FailedCase:
    """A case that did not come out as it has to."""

    case: str  # such as "`tier` missing"
    problem: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CasesRun:
    """The cases that were made from the contract, and the tests of the file."""

    example: str | None  # where the valid payload comes from: contract or tests; None: from nowhere
    fields: tuple[str, ...]  # the required fields that were tried, by path
    made: int  # cases
    failed: tuple[FailedCase, ...]
    tests: int  # of the file
    failed_tests: tuple[str, ...]  # their names


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """How many calls one destination takes."""

    destination: str
    per_minute: float | None  # calls, from all workflows together; None: as many as there are
    several: bool  # an event may make more than one delivery there


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """The busiest minute of real events."""

    events: int  # that were looked at
    whole: bool  # they are all of the last weeks; else the newest ones
    busiest: int  # events that were accepted in one minute
    at: str | None  # that minute, ISO 8601 in UTC; None: there was no event
    budgets: tuple[Budget, ...] | None = None  # None: whoever proposed it knew of none


@dataclass(frozen=True, kw_only=True, slots=True)
class Commit:
    """From where in git a proposal comes, as whoever proposed it says: nobody has looked there."""

    id: str  # hex digits
    url: str | None  # where people look at it
    file_digest: str | None  # sha256 over the bytes of the workflow's file: 64 hex digits


class EvidenceKind(StrEnum):
    """What was found out."""

    CONTRACT = "contract"
    CASES = "cases"
    LOAD = "load"
    COMMIT = "commit"
    REHEARSAL = "rehearsal"
    BACKTEST = "backtest"


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """All that was recorded of one round; None: it was not."""

    contract: ContractTrial | None = None  # also None where nothing was live before
    cases: CasesRun | None = None
    load: Load | None = None
    commit: Commit | None = None
    rehearsal: Rehearsal | None = None
    backtest: BacktestSaid | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """One piece of evidence as it is kept."""

    kind: EvidenceKind
    body: str  # canonical JSON
    digest: str  # sha256 over the body: 64 hex digits


def recorded(evidence: Evidence) -> tuple[Recorded, ...]:
    """The pieces that there are."""
    pieces = {
        EvidenceKind.CONTRACT: evidence.contract,
        EvidenceKind.CASES: evidence.cases,
        EvidenceKind.LOAD: evidence.load,
        EvidenceKind.COMMIT: evidence.commit,
        EvidenceKind.REHEARSAL: evidence.rehearsal,
        EvidenceKind.BACKTEST: evidence.backtest,
    }
    return tuple(_record(kind, one) for kind, one in pieces.items() if one is not None)


def _record(kind: EvidenceKind, value: object) -> Recorded:
    body = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return Recorded(kind=kind, body=body.decode(), digest=body_digest(body.decode()))


def body_digest(body: str) -> str:
    """What a piece of evidence is known by."""
    return hashlib.sha256(body.encode()).hexdigest()


def read_evidence(pieces: tuple[Recorded, ...]) -> Evidence:
    """The evidence of what was kept; what an older version wrote otherwise is not there."""
    bodies = {one.kind: one.body for one in pieces}
    return Evidence(
        contract=_read(_CONTRACT, bodies.get(EvidenceKind.CONTRACT)),
        cases=_read(_CASES, bodies.get(EvidenceKind.CASES)),
        load=_read(_LOAD, bodies.get(EvidenceKind.LOAD)),
        commit=_read(_COMMIT, bodies.get(EvidenceKind.COMMIT)),
        rehearsal=_read(_REHEARSAL, bodies.get(EvidenceKind.REHEARSAL)),
        backtest=_read(_BACKTEST, bodies.get(EvidenceKind.BACKTEST)),
    )


_CONTRACT = TypeAdapter(ContractTrial)
_CASES = TypeAdapter(CasesRun)
_LOAD = TypeAdapter(Load)
_COMMIT = TypeAdapter(Commit)
_REHEARSAL = TypeAdapter(Rehearsal)
_BACKTEST = TypeAdapter(BacktestSaid)
_T = TypeVar("_T")


def _read(adapter: TypeAdapter[_T], body: str | None) -> _T | None:
    if body is None:
        return None
    try:
        return adapter.validate_json(body)
    except ValidationError:
        return None
