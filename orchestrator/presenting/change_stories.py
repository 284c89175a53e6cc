"""The story of a change as one line of time, each moment with figures and who."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.domain.changes.rollout import told_share
from orchestrator.presenting.changes import count_gates, named

if TYPE_CHECKING:
    from orchestrator.operations.changes.show import ExplainedChange
    from orchestrator.store.changes.steps import ChangeStep
    from orchestrator.store.changes.views import ShownDecision


@dataclass(frozen=True, kw_only=True, slots=True)
class Happened:
    """One moment in the story of a change."""

    at: str  # ISO 8601 in UTC
    what: str
    by: str  # without the way
    how: str | None = None  # it is known who that was: session or key
    figures: str | None = None  # what was counted
    why: str | None = None


_WORDS = {
    "propose_change": "proposed",
    "edit_change": "edited",
    "approve_change": "approved",
    "request_changes_change": "changes requested",
    "reject_change": "rejected",
    "backtest_change": "backtested",
    "rehearse_change": "rehearsed",
    "waive_gate": "gate waived",
    "withdraw_change": "withdrawn",
    "expire_change": "expired",
    "overtake_change": "overtaken by another version",
    "start_shadow_change": "shadow began",
    "start_canary_change": "canary began",
    "step_change": "canary went on",
    "go_live_change": "live",
    "break_glass_change": "live by break-glass",
    "roll_back_change": "taken back",
}
_SILENT = frozenset({"ask_change"})  # what waits is said below the story
_DECISIONS = {
    "approve_change": "approve",
    "request_changes_change": "request_changes",
    "reject_change": "reject",
}


def told_story(change: ExplainedChange) -> list[Happened]:
    """What happened to it, the oldest first; after the last edit what its gates say now."""
    return list(_told(change))


def _told(change: ExplainedChange) -> Iterator[Happened]:
    steps = [one for one in change.steps if one.action not in _SILENT]
    texts = [one for one in steps if one.action in ("propose_change", "edit_change")]
    decisions = iter(change.decisions)
    for one in steps:
        said = next(decisions, None) if one.action in _DECISIONS else None
        yield _moment(change, one, said)
        if change.gates and texts and one is texts[-1]:
            figures = count_gates(change.gates)
            yield Happened(at=one.at, what="checked", by=named(one.by), figures=figures)


def _moment(change: ExplainedChange, one: ChangeStep, said: ShownDecision | None) -> Happened:
    why = one.detail.get("why")
    how = None if said is None else said.grade
    if said is not None and said.stands_in_for is not None:
        how = f"{how}, for {named(said.stands_in_for)}, who was away"
    return Happened(
        at=one.at,
        what=_what(change, one),
        by=named(one.by),
        how=how,
        figures=_figures(change, one),
        why=why if isinstance(why, str) else None,
    )


def _what(change: ExplainedChange, one: ChangeStep) -> str:
    words = _WORDS.get(one.action, one.action.removesuffix("_change").replace("_", " "))
    detail = one.detail
    if one.action == "edit_change":
        return f"{words}: round {detail.get('round')}"
    if one.action == "waive_gate":
        return f"{words}: {detail.get('qa_gate') or detail.get('gate')}"
    if one.action in ("go_live_change", "break_glass_change"):
        version = detail.get("version")
        return "retired" if version is None else f"{words} as version {version}"
    if one.action == "roll_back_change" and change.base_version is not None:
        return f"{words}: version {change.base_version} is live"
    return words


def _figures(change: ExplainedChange, one: ChangeStep) -> str | None:
    """What was counted; of a trial that another one took the place of only how many events."""
    events, digest = one.detail.get("events"), one.detail.get("digest")
    if one.action == "backtest_change" and change.backtest is not None:
        found = change.backtest
        if found.digest == digest:
            return (
                f"{found.result.looked_at:,} events, {found.result.unchanged:,} decided as today,"
                f" {found.result.refused:,} newly refused, {found.result.passing:,} newly passing"
            )
    rehearsed = next((gate.digest for gate in change.gates if gate.gate == "audit"), None)
    if one.action == "rehearse_change" and change.rehearsal and rehearsed == digest:
        return change.rehearsal.told
    share, bad = one.detail.get("share"), one.detail.get("bad")
    parts = [
        f"{told_share(share)} of the events" if isinstance(share, int) and share else None,
        None if events is None else f"{events} judged" if bad is not None else f"{events} events",
        None if bad is None else f"{bad} of them in quarantine or late",
    ]
    return ", ".join(filter(None, parts)) or None
