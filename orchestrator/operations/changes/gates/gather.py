"""Find out about a proposed version what its gates rest on: before it is proposed, not after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

import orjson

from orchestrator.domain.changes.gates.cases import run_cases
from orchestrator.domain.changes.gates.evidence import (
    Budget,
    CasesRun,
    Evidence,
    Load,
    Recorded,
    recorded,
)
from orchestrator.domain.errors import InvalidFile
from orchestrator.domain.event import TIME_DIGITS
from orchestrator.domain.workflows.compiled import compile_workflow
from orchestrator.domain.workflows.workflow import Workflow
from orchestrator.operations.changes.try_contract import DAYS, MOST_EVENTS, try_contract
from orchestrator.operations.run_tests import run_tests
from orchestrator.store.changes.recent_payloads import RecentEvents, recent_events
from orchestrator.store.database.engine import Tx
from orchestrator.store.quarantine.workflows import LiveWorkflow, definition_of
from orchestrator.store.views.values import iso_time

_MINUTE_MS = 60_000


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """What was found out, and upon which version."""

    base: int | None  # the version that was live; None: none was
    pieces: tuple[Recorded, ...]

    def is_upon(self, live: LiveWorkflow | None) -> bool:
        """Whether what was live then still is."""
        return self.base == (None if live is None else live.version)


Rates = Mapping[str, float | None]
"""By connector, how many calls a minute its system takes; None: as many as there are."""


def gather_evidence(
    tx: Tx, workflow: Workflow, live: LiveWorkflow | None, rates: Rates | None = None
) -> Gathered:
    """Try a proposed version on real events, on cases from its contract and on its file's tests.

    It takes seconds where there are many events and tests, so no transaction that writes waits.
    """
    recent = recent_events(tx, workflow.client, workflow.name, days=DAYS, most=MOST_EVENTS)
    before = None
    if live is not None:
        before = Workflow.from_published(orjson.loads(definition_of(tx, live.id)))
    evidence = Evidence(
        contract=None if before is None else try_contract(tx, before, workflow, recent),
        cases=_cases(workflow),
        load=replace(_load(recent), budgets=_budgets(workflow, rates)),
    )
    return Gathered(base=None if live is None else live.version, pieces=recorded(evidence))


def _budgets(workflow: Workflow, rates: Rates | None) -> tuple[Budget, ...] | None:
    if rates is None:
        return None
    return tuple(
        Budget(destination=name, per_minute=rates.get(one.connector), several=one.each is not None)
        for name, one in workflow.destinations.items()
    )


def _cases(workflow: Workflow) -> CasesRun | None:
    try:
        contract = compile_workflow(workflow).contract
    except InvalidFile:  # a rule is stricter since it was checked
        return None
    payloads = [one.payload for one in workflow.tests]
    ran = run_tests(workflow)
    failed = [one.name for one in ran if not one.passed]
    return run_cases(contract, payloads, tests=len(ran), failed_tests=failed)


def _load(recent: RecentEvents) -> Load:
    minutes = Counter(int(one[:TIME_DIGITS], 16) // _MINUTE_MS for one in recent.ids)
    most = minutes.most_common(1)
    return Load(
        events=len(recent.ids),
        whole=recent.whole,
        busiest=most[0][1] if most else 0,
        at=iso_time(most[0][0] * _MINUTE_MS) if most else None,
    )
