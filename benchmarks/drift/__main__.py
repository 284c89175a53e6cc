"""`make bench-drift`: how often the drift diagnosis is right; see benchmarks/README.md."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable

from benchmarks.drift.cases import Case, generated
from benchmarks.drift.mutations import MAKERS
from benchmarks.drift.recorded import GITHUB
from benchmarks.drift.scores import Scores, scored, table
from benchmarks.drift.vendors import INTERCOM, breaks
from orchestrator.domain.drift.finding import ChangeKind

PRECISION, RECALL = 0.95, 0.9
"""What is aimed at for renamed, moved, retyped and removed."""
_AIMED = (ChangeKind.RENAMED, ChangeKind.MOVED, ChangeKind.RETYPED, ChangeKind.REMOVED)


def main() -> int:
    """Print both tables; 1 where an aim is missed."""
    options = _options()
    for folder in (GITHUB, INTERCOM):
        if not folder.is_dir():
            sys.exit(f"the recorded inputs are not beside this checkout: {folder}")
    started = time.monotonic()
    mutations = _told(
        f"GitHub's payloads, mutated, seed {options.seed}",
        generated(options.cases, options.seed),
        verbose=options.verbose,
    )
    real = _told(
        "Intercom's documents, 2.10 to 2.11 and 2.13 to 2.14",
        breaks(),
        verbose=options.verbose,
    )
    print(f"{time.monotonic() - started:.0f} s")
    faults = [
        *_missed_aims(mutations),
        *(["a real break was named wrong"] if real.any_wrong else []),
    ]
    for fault in faults:
        print(f"missed: {fault}", file=sys.stderr)
    return 1 if faults else 0


def _told(title: str, cases: Iterable[Case], *, verbose: bool) -> Scores:
    scores = Scores()
    for case in cases:
        wrong, missed = scored(scores, case)
        if verbose and (wrong or missed):
            print(f"{case.label}, {case.source}: wrong {sorted(wrong)}, missed {sorted(missed)}")
    print(f"**{title}: {scores.cases} cases**\n")
    print("\n".join(table(scores)))
    print()
    return scores


def _missed_aims(scores: Scores) -> Iterable[str]:
    for kind in _AIMED:
        precision, recall = scores.precision(kind), scores.recall(kind)
        if precision is not None and precision < PRECISION:
            yield f"{kind}: precision {precision:.3f} is under {PRECISION}"
        if recall is not None and recall < RECALL:
            yield f"{kind}: recall {recall:.3f} is under {RECALL}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-drift", description=__doc__)
    parser.add_argument("--cases", type=int, default=160, help=f"generated; {len(MAKERS)} kinds …")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--verbose", action="store_true", help="say each case that is not right")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
