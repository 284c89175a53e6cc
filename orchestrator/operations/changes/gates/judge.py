"""Judge the gates of a change, and stop what a blocking one does not let pass."""

from __future__ import annotations

import orjson

from orchestrator.domain.changes.gates.evidence import Recorded, read_evidence
from orchestrator.domain.changes.gates.gate import JudgedGate
from orchestrator.domain.changes.gates.judge import judge_gates
from orchestrator.domain.changes.gates.present import BacktestCounts, Present
from orchestrator.domain.changes.states import ChangeKind
from orchestrator.domain.changes.words.difference import difference_in_words
from orchestrator.domain.changes.words.wording import Direction
from orchestrator.domain.errors import Refused
from orchestrator.domain.heartbeats import ProcessKind, presence_of
from orchestrator.domain.workflows.workflow import Workflow
from orchestrator.operations.changes.gates.house import house_gates
from orchestrator.store.changes.backtests import find_backtest
from orchestrator.store.changes.changes import LockedChange
from orchestrator.store.changes.evidence import GateSubject, list_evidence, subject_of_locked
from orchestrator.store.changes.reach import proven_connectors, reached
from orchestrator.store.changes.waivers import list_waivers
from orchestrator.store.database.engine import Tx
from orchestrator.store.desk.heartbeats import list_heartbeats
from orchestrator.store.quarantine.workflows import definition_of_version


def judged_gates(
    tx: Tx, subject: GateSubject, pieces: tuple[Recorded, ...] | None = None
) -> tuple[JudgedGate, ...]:
    """Every gate of a change as it is now, by the `pieces` of its evidence, if they were read.

    A retirement and a rollback have no gates. Raises Refused.
    """
    if subject.kind in (ChangeKind.RETIRE, ChangeKind.ROLLBACK):
        return ()
    if pieces is None:
        pieces = list_evidence(tx, subject)
    found = judge_gates(
        read_evidence(pieces),
        _present(tx, subject),
        house=house_gates(),
        digests={one.kind: one.digest for one in pieces},
        waivers=list_waivers(tx, subject),
    )
    return tuple(found)


def check_gates(tx: Tx, change: LockedChange) -> None:
    """Raises Refused where a gate that blocks fails and is not waived."""
    stopping = [one for one in judged_gates(tx, subject_of_locked(change)) if one.stops]
    if not stopping:
        return
    first, more = stopping[0], len(stopping) - 1
    others = f" (and {more} more)" if more else ""
    raise Refused(
        f"the gate `{first.gate}` fails{others}: {first.evidence}",
        field="gate",
        fix=f"see `meshline change check {change.token}`: mend it, or have it waived",
    )


def _present(tx: Tx, subject: GateSubject) -> Present:
    after = _read(subject)
    base = _base(tx, subject)
    words = difference_in_words(base, after)
    keepers = presence_of(ProcessKind.KEEPER, list_heartbeats(tx))
    connectors = tuple(dict.fromkeys(one.connector for one in after.destinations.values()))
    return Present(
        reached=reached(tx, after.owners.model_dump()),
        keeper=None if keepers.newest is None else keepers.vital.value,
        base=subject.base_version,
        recovery_lead=after.owners.recovery_lead,
        deliver_within=after.sla.deliver_within,
        recover_within=after.sla.recover_within,
        calendar=after.sla.calendar is not None,
        connectors=connectors,
        proven=proven_connectors(tx, connectors),
        client=subject.client,
        workflow=subject.workflow,
        stricter=sum(one.direction is Direction.STRICTER for one in words),
        breaking=sum(one.breaks is not None for one in words),
        parts=tuple(dict.fromkeys(one.part.value for one in words)),
        backtest=_backtest(tx, subject),
    )


def _backtest(tx: Tx, subject: GateSubject) -> BacktestCounts | None:
    found = find_backtest(tx, subject.token, subject.round, subject.base_version)
    if found is None or found.result is None:
        return None
    return BacktestCounts(
        events=found.result.looked_at,
        newly_refused=sum(one.events for one in found.result.newly_refused),
        newly_passing=sum(one.events for one in found.result.newly_passing),
        fields_changed=len(found.result.fields_changed),
        peaks={one.destination: one.after for one in found.result.peak_per_minute},
    )


def _read(subject: GateSubject) -> Workflow:
    try:
        return Workflow.from_published(orjson.loads(subject.definition))
    except ValueError:
        raise Refused(
            f"the file of change {subject.token} is not right any more",
            field="change",
            fix="see what `meshline workflow check` says of it, and propose it again",
        ) from None


def _base(tx: Tx, subject: GateSubject) -> Workflow | None:
    version = subject.base_version
    if version is None:
        return None
    found = definition_of_version(tx, subject.client, subject.workflow, version)
    return None if found is None else Workflow.from_published(orjson.loads(found))
