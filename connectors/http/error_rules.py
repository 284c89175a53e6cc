"""What a definition says about answers that the general table would read otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from connectors.definition.paths import Steps, Unreadable, as_text, dig_or_none, record_id_at, steps
from connectors.http.answer_signs import AnswerSign, document_or_none
from connectors.http.definition import Conflict, ErrorRule, Means, RequestKind, Wait
from connectors.http.wire.exchange import Answer
from orchestrator.domain.delivery.retries import usable_wait


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a rule makes of an answer."""

    means: Means
    retry_after: float | None = None  # seconds
    record_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class _Rule:
    matches: AnswerSign
    on: frozenset[RequestKind]
    means: Means
    wait_at: Steps | None = None
    wait_unit: float = 1.0  # seconds
    record_id: Steps | None = None


class Rules:
    """Every rule that an action's answers go through; the first that fits decides."""

    def __init__(self, conflict: Conflict | None, errors: Sequence[ErrorRule]) -> None:
        self._rules = [_of_error(rule, conflict) for rule in errors]
        if conflict:
            self._rules.insert(0, _of_conflict(conflict))

    def verdict(self, stage: RequestKind, answer: Answer) -> Verdict | None:
        """What the first rule that fits makes of an answer; None where none fits."""
        asked = [rule for rule in self._rules if stage in rule.on]
        document = document_or_none(answer) if asked else None
        for rule in asked:
            if rule.matches(answer, document):
                return Verdict(
                    means=rule.means,
                    retry_after=_wait(rule, document),
                    record_id=_record_id(rule.record_id, document),
                )
        return None


def _of_conflict(said: Conflict) -> _Rule:
    return _Rule(
        matches=AnswerSign(said),
        on=frozenset({RequestKind.WRITE}),
        means=Means.CONFLICT,
        record_id=_in_body(said),
    )


def _of_error(said: ErrorRule, conflict: Conflict | None) -> _Rule:
    wait: Wait | None = said.retry_after
    says_there = said.means is Means.CONFLICT
    # That a tool left out what it was sent is a refusal; no other conclusion is drawn from a gap.
    refuses = said.means is Means.REFUSED
    return _Rule(
        matches=AnswerSign(said, missing_is_null=refuses),
        on=said.on & {RequestKind.WRITE, RequestKind.STEP} if says_there else said.on,
        means=said.means,
        wait_at=None if wait is None else steps(wait.at),
        wait_unit=0.001 if wait and wait.unit == "ms" else 1.0,
        record_id=_in_body(conflict) if conflict and says_there else None,
    )


def _in_body(said: Conflict) -> Steps | None:
    """Where the body names the record; what a header says, or we know, is read where it is met."""
    at = None if said.record_id is None else said.record_id.at
    return None if at is None else steps(at)


def _wait(rule: _Rule, document: object) -> float | None:
    if rule.wait_at is None:
        return None
    try:
        seconds = float(as_text(dig_or_none(document, rule.wait_at)) or "") * rule.wait_unit
    except ValueError:
        return None
    return usable_wait(seconds)


def _record_id(at: Steps | None, document: object) -> str | None:
    try:
        return None if at is None else record_id_at(document, at)
    except Unreadable:
        return None
