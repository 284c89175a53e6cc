"""The drift diagnosis: findings from broken and accepted payloads and the contract; no guesses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.domain.delivery.verdicts import Violation
from orchestrator.domain.drift.changes import ComparedPayloads, compared
from orchestrator.domain.drift.differing import new_values, retyped
from orchestrator.domain.drift.finding import ChangeKind, Finding, placed
from orchestrator.domain.drift.matching import matched
from orchestrator.domain.drift.pairs import Pair
from orchestrator.domain.drift.rejected import unexplained, unfit
from orchestrator.domain.drift.report import Story, examples, presence
from orchestrator.domain.drift.unmatched import added, gone


@dataclass(frozen=True, kw_only=True)
class Broken:
    """The payload of a quarantined event."""

    payload: object
    since: int | None = None  # milliseconds
    violations: tuple[Violation, ...] = ()


def diagnose_drift(
    accepted: Sequence[object], broken: Sequence[Broken], contract: Mapping[str, object] | None
) -> tuple[Finding, ...]:
    """What the sender changed, the most frequent first.

    Compares profiles of both sets; whatever of a broken payload no finding explains is `unclear`.
    """
    if not broken:
        return ()
    comparison = compared(accepted, [one.payload for one in broken], contract)
    found = [_finding(story, broken) for story in _stories(comparison, broken)]
    order = list(ChangeKind)
    return tuple(sorted(found, key=lambda one: (-one.events, order.index(one.kind), one.path)))


def _stories(comparison: ComparedPayloads, broken: Sequence[Broken]) -> Iterator[Story]:
    found = matched(comparison)
    violations = [one.violations for one in broken]
    stories = [_paired(comparison, pair) for pair in found.pairs]
    stories += [_torn(comparison, pairs) for pairs in found.unclear]
    torn = [pair for pairs in found.unclear for pair in pairs]
    stories += retyped(comparison)
    stories += unfit(comparison, violations, {story.path for story in stories})
    stories += new_values(comparison)
    stories += gone(comparison, [pair.missing.path for pair in torn])
    stories += added(comparison, [pair.new.path for pair in torn])
    yield from stories
    explained = {number for story in stories for number in story.events}
    yield from unexplained(violations, explained)


def _paired(comparison: ComparedPayloads, pair: Pair) -> Story:
    was, now = pair.missing.path, pair.new.path
    before, after = examples(comparison.old, was), examples(comparison.new, was)
    return Story(
        kind=ChangeKind.RENAMED if pair.beside else ChangeKind.MOVED,
        path=was,
        to=now,
        events=pair.events,
        evidence=(
            presence(comparison, was),
            f"`{placed(now)}` came in its place: {', '.join(pair.likeness.told())}",
            f"before {before}, now {after}",
        ),
    )


def _torn(comparison: ComparedPayloads, pairs: Sequence[Pair]) -> Story:
    """A field that one of several new ones may be, or one of which too little is known."""
    missing = pairs[0].missing
    return Story(
        kind=ChangeKind.UNCLEAR,
        path=missing.path,
        events=missing.certain,
        evidence=(
            presence(comparison, missing.path),
            *(f"it may be `{placed(one.new.path)}`: {', '.join(one.likeness.told())}"
              for one in pairs[:5]),
        ),
    )  # fmt: skip


def _finding(story: Story, broken: Sequence[Broken]) -> Finding:
    times = [one for number in story.events if (one := broken[number].since) is not None]
    return Finding(
        kind=story.kind,
        path=placed(story.path),
        to=placed(story.to) if story.to is not None else None,
        events=len(story.events),
        of=len(broken),
        since=min(times, default=None),
        evidence=story.evidence,
    )
