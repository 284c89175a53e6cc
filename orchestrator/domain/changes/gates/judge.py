"""Every gate of a change: what it finds, what follows from that, and whether that is waived."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orchestrator.domain.changes.gates.evidence import Evidence, EvidenceKind
from orchestrator.domain.changes.gates.findings import FINDERS
from orchestrator.domain.changes.gates.gate import (
    GATES,
    Finding,
    Force,
    GateName,
    GateState,
    JudgedGate,
    Waiver,
)
from orchestrator.domain.changes.gates.house import HouseGates, judge_rule
from orchestrator.domain.changes.gates.present import Present

_RESTS_ON = {
    GateName.CASES: EvidenceKind.CASES,
    GateName.AUDIT: EvidenceKind.REHEARSAL,
    GateName.CONTRACT: EvidenceKind.CONTRACT,
    GateName.LOAD: EvidenceKind.LOAD,
}


def judge_gates(
    evidence: Evidence,
    now: Present,
    *,
    house: HouseGates,
    digests: Mapping[EvidenceKind, str],
    waivers: Mapping[str, Waiver],
) -> Iterator[JudgedGate]:
    """The ten, and then the house's rules."""
    for one in GATES:
        kind = _RESTS_ON.get(one.name)
        yield _judged(
            FINDERS[one.name](evidence, now),
            name=one.name.value,
            number=one.number,
            asks=one.asks,
            force=house.force_of(one.name, one.force),
            digest=None if kind is None else digests.get(kind),
            waivable=True,
            waiver=waivers.get(one.name.value),
        )
    for rule in house.rules:
        yield _judged(
            judge_rule(rule, evidence, now),
            name=rule.id,
            number=None,
            asks=rule.say,
            force=rule.force,
            digest=None,
            waivable=rule.waive == "approver",
            waiver=waivers.get(rule.id),
        )


def _judged(
    found: Finding,
    *,
    name: str,
    number: int | None,
    asks: str,
    force: Force,
    digest: str | None,
    waivable: bool,
    waiver: Waiver | None,
) -> JudgedGate:
    waived = waivable and waiver is not None and not waiver.expired
    state = GateState.WAIVED if found.state is GateState.FAIL and waived else found.state
    return JudgedGate(
        gate=name,
        number=number,
        asks=asks,
        state=state.value,
        force=force.value,
        stops=state is GateState.FAIL and force is Force.BLOCKS,
        evidence=found.evidence,
        do=None if state is GateState.WAIVED else found.do,
        digest=digest,
        waivable=waivable,
        waiver=waiver,
    )
