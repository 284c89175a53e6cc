"""Precision and recall by kind: a finding counts when kind, place and target are right."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from benchmarks.drift.cases import Case
from benchmarks.drift.mutations import Truth
from orchestrator.domain.drift.compare import Broken, diagnose_drift
from orchestrator.domain.drift.finding import ChangeKind, placed

NAMED = tuple(kind for kind in ChangeKind if kind is not ChangeKind.UNCLEAR)

Named = tuple[ChangeKind, str, str | None]


@dataclass(kw_only=True)
class Scores:
    """Counts of findings by kind."""

    cases: int = 0
    seconds: float = 0.0  # of processor time that the diagnosis took
    right: Counter[ChangeKind] = field(default_factory=Counter)
    wrong: Counter[ChangeKind] = field(default_factory=Counter)
    missed: Counter[ChangeKind] = field(default_factory=Counter)
    torn: Counter[ChangeKind] = field(default_factory=Counter)  # of the missed, said to be unclear

    def add(self, other: Scores) -> None:
        """Count in what another has."""
        self.cases += other.cases
        self.seconds += other.seconds
        for counts, more in (
            (self.right, other.right),
            (self.wrong, other.wrong),
            (self.missed, other.missed),
            (self.torn, other.torn),
        ):
            counts.update(more)

    def precision(self, kind: ChangeKind) -> float | None:
        """The share of the findings of a kind that are right; None without one."""
        return _share(self.right[kind], self.wrong[kind])

    def recall(self, kind: ChangeKind) -> float | None:
        """The share of the changes of a kind that were found; None without one."""
        return _share(self.right[kind], self.missed[kind])


def scored(scores: Scores, case: Case) -> tuple[set[Named], set[Named]]:
    """Diagnose a case and count; answers what was named wrong, and what missed."""
    broken = [Broken(payload=one) for one in case.broken]
    started = time.process_time()
    findings = diagnose_drift(case.accepted, broken, case.schema)
    scores.seconds += time.process_time() - started
    found: set[Named] = {(one.kind, one.path, one.to) for one in findings}
    true = {_as_named(one) for one in case.truth}
    unclear = {path for kind, path, _ in found if kind is ChangeKind.UNCLEAR}
    wrong = {one for one in found - true if one[0] is not ChangeKind.UNCLEAR}
    scores.cases += 1
    scores.right.update(one[0] for one in found & true)
    scores.wrong.update(one[0] for one in wrong)
    scores.missed.update(one[0] for one in true - found)
    scores.torn.update(one[0] for one in true - found if one[1] in unclear)
    return wrong, true - found


def table(scores: Scores) -> Iterator[str]:
    """The scores as a table in Markdown."""
    yield "| kind | changes | found right | unclear | missed | named wrong | precision | recall |"
    yield "| --- | --: | --: | --: | --: | --: | --: | --: |"
    for kind in NAMED:
        right, missed, torn = scores.right[kind], scores.missed[kind], scores.torn[kind]
        counts = (right + missed, right, torn, missed - torn, scores.wrong[kind])
        shares = map(_shown, (scores.precision(kind), scores.recall(kind)))
        yield f"| {' | '.join((kind.replace('_', ' '), *map(str, counts), *shares))} |"


def _as_named(truth: Truth) -> Named:
    """What should be said, as a finding says it."""
    kind, path, to = truth
    return kind, placed(path), placed(to) if to else None


def _share(some: int, others: int) -> float | None:
    return some / (some + others) if some + others else None


def _shown(share: float | None) -> str:
    return "" if share is None else f"{share:.3f}"
