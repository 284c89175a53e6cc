"""A payload tried on a workflow: what its stages would decide, and how they come to it.

The stages' own functions decide. This module adds only what they leave unsaid.
"""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.domain.delivery.verdicts import Amended, Rejected, Routed, Valid
from orchestrator.domain.lifecycle import Stage
from orchestrator.domain.workflows.absence import why_absent
from orchestrator.domain.workflows.cel.compile import NotComputed
from orchestrator.domain.workflows.compiled import CompiledWorkflow
from orchestrator.domain.workflows.facts import ABSENT, CompiledFact
from orchestrator.domain.workflows.sending.records import NO_RECORDS, Records
from orchestrator.pipeline.route import route
from orchestrator.pipeline.validate import validate, validate_or_amend


@dataclass(frozen=True, kw_only=True)
class TriedFact:
    """One fact of a payload."""

    name: str
    text: str  # the expression
    value: object  # as JSON; None where there is none, see `missing`
    missing: str | None  # why there is no value


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What becomes of one payload, before anything is called."""

    came: Valid | Rejected  # the contract on the payload as it came
    amended: Amended | None  # by the workflow's amendment
    facts: tuple[TriedFact, ...]  # up to the one that stops the event; none of a broken contract
    route: int | None  # the one that matched, from 0, also where a field of it then failed
    outcome: Routed | Rejected
    stage: Stage  # the one that decided

    @property
    def present(self) -> frozenset[str]:
        """The names of the facts that have a value."""
        return frozenset(fact.name for fact in self.facts if fact.missing is None)


def try_payload(
    payload: object, workflow: CompiledWorkflow, records: Records = NO_RECORDS
) -> Trial:
    """The trial of a payload that is JSON; `records` are what destinations would make of it."""
    verdict = validate_or_amend(payload, workflow)
    if isinstance(verdict, Rejected):
        return Trial(
            came=verdict, amended=None, facts=(), route=None, outcome=verdict, stage=Stage.VALIDATE
        )
    amended = verdict if isinstance(verdict, Amended) else None
    taken = amended.payload if amended else payload
    outcome = route(taken, workflow, records)
    return Trial(
        came=validate(payload, workflow) if amended else Valid(),
        amended=amended,
        facts=_facts(taken, workflow),
        route=_route(taken, workflow),
        outcome=outcome,
        stage=Stage.ROUTE,
    )


def _facts(payload: object, workflow: CompiledWorkflow) -> tuple[TriedFact, ...]:
    tried = []
    for fact, value in workflow.facts.each(payload):
        tried.append(_fact(fact, value, payload))
        if isinstance(value, NotComputed) or (value is ABSENT and not fact.optional):
            break
    return tuple(tried)


def _fact(fact: CompiledFact, value: object, payload: object) -> TriedFact:
    missing = None
    if isinstance(value, NotComputed):
        missing = f"it cannot be computed: {value.error}"
    elif value is ABSENT:
        missing = why_absent(fact.text, payload)
    return TriedFact(
        name=fact.name, text=fact.text, value=None if missing else value, missing=missing
    )


def _route(payload: object, workflow: CompiledWorkflow) -> int | None:
    facts = workflow.facts.read(payload)
    if isinstance(facts, Rejected):
        return None
    decided = workflow.decide(facts)
    return None if isinstance(decided, Rejected) else decided
