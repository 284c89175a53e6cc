"""`make bench-drift`: how often the drift diagnosis is right; see benchmarks/README.md."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path as File

from benchmarks.drift.cases import WIDE, Case, generated
from benchmarks.drift.mutations import MAKERS
from benchmarks.drift.real.sets import real_sets
from benchmarks.drift.recorded import GITHUB, INPUTS
from benchmarks.drift.scores import Scores, scored, table
from orchestrator.domain.drift.finding import ChangeKind

PRECISION = 0.95
"""What is aimed at for every kind."""
REAL_RECALL: Mapping[ChangeKind, float] = {
    ChangeKind.RENAMED: 0.85,
    ChangeKind.MOVED: 0.8,
    ChangeKind.REMOVED: 0.85,
    ChangeKind.ADDED: 0.85,
    ChangeKind.RETYPED: 0.85,
    ChangeKind.PARTIAL: 0.85,
    ChangeKind.NEW_VALUE: 0.85,
}
"""What is aimed at on real changes, all sets together."""
GENERATED = (ChangeKind.RENAMED, ChangeKind.MOVED, ChangeKind.RETYPED, ChangeKind.NEW_VALUE)
"""The kinds whose precision is aimed at on generated changes: a field that got a name and values
that resemble nothing is removed and added to whoever sees only payloads."""


def main() -> int:
    """Print the tables; 1 where an aim is missed."""
    options = _options()
    for folder in (GITHUB, options.real):
        if not folder.is_dir():
            sys.exit(f"the recorded inputs are not beside this checkout: {folder}")
    started = time.monotonic()
    faults = [] if options.only_real else list(_generated(options))
    faults += _real(options)
    print(f"{time.monotonic() - started:.0f} s")
    for fault in faults:
        print(f"missed: {fault}", file=sys.stderr)
    return 1 if faults else 0


def _generated(options: argparse.Namespace) -> Iterable[str]:
    cases = list(generated(options.cases, options.seed))
    rows, others = Scores(), Scores()
    title = f"GitHub's payloads, mutated, seed {options.seed}"
    _told(title, [one for one in cases if one.label != WIDE], others, verbose=options.verbose)
    wide = [one for one in cases if one.label == WIDE]
    _told("Wide rows, made up", wide, rows, verbose=options.verbose)
    yield from _missed_aims(others, dict.fromkeys(GENERATED, 0.75), GENERATED)
    yield from _missed_aims(rows, REAL_RECALL, tuple(ChangeKind))


def _real(options: argparse.Namespace) -> Iterable[str]:
    together = Scores()
    for title, cases in real_sets(options.real):
        scores = Scores()
        _told(title, cases, scores, verbose=options.verbose)
        together.add(scores)
    print(f"**All real sets: {together.cases} cases, {together.seconds:.1f} s of diagnosis**\n")
    print("\n".join(table(together)), end="\n\n")
    return _missed_aims(together, REAL_RECALL, tuple(ChangeKind))


def _told(title: str, cases: Iterable[Case], scores: Scores, *, verbose: bool) -> None:
    for case in cases:
        wrong, missed = scored(scores, case)
        if verbose and (wrong or missed):
            print(f"{case.label}, {case.source}: wrong {sorted(wrong)}, missed {sorted(missed)}")
    if scores.cases:
        print(f"**{title}: {scores.cases} cases, {scores.seconds:.1f} s of diagnosis**\n")
        print("\n".join(table(scores)), end="\n\n")


def _missed_aims(
    scores: Scores, recalls: Mapping[ChangeKind, float], kinds: Iterable[ChangeKind]
) -> Iterable[str]:
    for kind in kinds:
        precision, recall = scores.precision(kind), scores.recall(kind)
        if precision is not None and precision < PRECISION and kind is not ChangeKind.UNCLEAR:
            yield f"{kind}: precision {precision:.3f} is under {PRECISION}"
        least = recalls.get(kind, 0)
        if recall is not None and recall < least:
            yield f"{kind}: recall {recall:.3f} is under {least}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-drift", description=__doc__)
    parser.add_argument("--cases", type=int, default=160, help=f"generated; {len(MAKERS)} kinds …")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--real", type=File, default=None, metavar="DIR",
                        help="only the real changes below this folder")  # fmt: skip
    parser.add_argument("--verbose", action="store_true", help="say each case that is not right")
    options = parser.parse_args()
    options.only_real = options.real is not None
    options.real = options.real or INPUTS
    return options


if __name__ == "__main__":
    sys.exit(main())
