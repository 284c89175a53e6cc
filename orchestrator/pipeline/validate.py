"""The first stage: does the payload satisfy its workflow's contract?"""

from __future__ import annotations

from orchestrator.domain.compiled import CompiledWorkflow
from orchestrator.domain.contract import MOST_VIOLATIONS
from orchestrator.domain.reasons import Reason
from orchestrator.domain.verdicts import Rejected, Valid, Violation

_VALID = Valid()


def validate(payload: object, workflow: CompiledWorkflow) -> Valid | Rejected:
    """Valid, or Rejected with every violation of the contract."""
    violations = workflow.contract.violations(payload)
    if not violations:
        return _VALID
    return Rejected(
        reason=Reason.CONTRACT_VIOLATION, detail=_sentence(violations), violations=violations
    )


def _sentence(violations: tuple[Violation, ...]) -> str:
    first, more = violations[0], len(violations) - 1
    where = f"{first.path}: " if first.path else ""
    at_least = "at least " if len(violations) == MOST_VIOLATIONS else ""
    rest = f" (and {at_least}{more} more)" if more else ""
    return f"{where}{first.message}{rest}"
