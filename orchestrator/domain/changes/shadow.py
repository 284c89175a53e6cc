"""How two versions differ about one event: in names and reasons, never in values of a payload."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from orchestrator.domain.changes.backtest import Decided, changed_fields

_LONGEST = 500  # characters


class DifferenceKind(StrEnum):
    """What is different."""

    REFUSED = "newly_refused"  # the live version lets it pass
    PASSES = "newly_passing"  # the live version does not
    OTHERWISE = "otherwise"  # other destinations, or another reason
    FIELDS = "fields"  # the same destinations are sent other fields


@dataclass(frozen=True, kw_only=True, slots=True)
class ShadowDifference:
    """What a candidate would have done otherwise with one event."""

    event: str
    kind: DifferenceKind
    before: str  # destinations, or the reason of a quarantine
    after: str  # the same; of `fields`, which of them: `crm.title changed`


def difference_of(event_id: str, before: Decided, after: Decided) -> ShadowDifference | None:
    """The difference between what was decided and what would be; None: there is none."""
    kind, told = _kind(before, after), after.outcome
    if kind is None:
        changes = sorted(changed_fields(before.sends, after.sends))
        if not changes:
            return None
        kind = DifferenceKind.FIELDS
        told = ", ".join(f"{where}.{name} {what}" for where, name, what in changes)
    elif kind is DifferenceKind.REFUSED and after.place:
        told = f"{after.outcome} at {after.place}"
    return ShadowDifference(
        event=event_id, kind=kind, before=before.outcome[:_LONGEST], after=told[:_LONGEST]
    )


def _kind(before: Decided, after: Decided) -> DifferenceKind | None:
    if before.passes and not after.passes:
        return DifferenceKind.REFUSED
    if after.passes and not before.passes:
        return DifferenceKind.PASSES
    return DifferenceKind.OTHERWISE if before.outcome != after.outcome else None
