"""`make bench-tabs`: every page of the desk beside its bare queries; see benchmarks/README.md."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path

from benchmarks.desk.filling import POSTGRES, SQLITE
from benchmarks.machine import this_run
from benchmarks.stand import forget_environment
from benchmarks.tabs.measuring import Measured, measured
from benchmarks.tabs.tables import JUDGED_MS, LEAST_RATE, MOST_RATIO, is_too_slow, summary, told

_BOTH = "both"
_LEAST = 1_000  # events, so that each client has some of each cause


def main() -> int:
    """Print a table for each database; 1 where a page takes too much beside its queries."""
    options = _options()
    forget_environment()
    kinds = (SQLITE, POSTGRES) if options.database == _BOTH else (options.database,)
    found = {}
    for kind in kinds:
        # Each in a process of its own: settings and Flower are made once in a process.
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as apart:
            found[kind] = apart.submit(
                measured, kind, events=options.events, seed=options.seed, rounds=options.rounds
            ).result()
        print("\n".join(_said(kind, found[kind])), flush=True)
    about = this_run(sys.argv[1:], target="bench-tabs")
    if options.json:
        every = {kind: [asdict(row) for row in one.rows] for kind, one in found.items()}
        options.json.write_text(json.dumps({**about, **every}, indent=2) + "\n")
    rows = {kind: one.rows for kind, one in found.items()}
    print(f"`{about['command']}`, {about['date']}, {about['machine']}")
    print(summary(rows, events={kind: one.filled.events for kind, one in found.items()}))
    fails = any(one.not_whole or any(map(is_too_slow, one.rows)) for one in found.values())
    return 1 if fails else 0


def _said(kind: str, one: Measured) -> list[str]:
    filled = one.filled
    return [
        f"**{kind}: {filled.events:,} events, {filled.quarantined:,} of them in quarantine**",
        "",
        *told(one.rows),
        "",
        *(f"Not whole: {wrong}" for wrong in one.not_whole),
        f"To its queries: at most {MOST_RATIO:g}; in brackets: they take under {JUDGED_MS:g} ms",
        f"Exports are not judged by it; of these {LEAST_RATE:,} rows a second are wanted",
        "",
    ]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-tabs", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000, help="one of ten in quarantine")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=(POSTGRES, SQLITE, _BOTH), default=_BOTH)
    parser.add_argument("--rounds", type=int, default=20, help="times that a page is asked for")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the figures go too")
    options = parser.parse_args()
    if options.events < _LEAST:
        parser.error(f"--events: at least {_LEAST}, so that each client has some of each cause")
    return options


if __name__ == "__main__":
    sys.exit(main())
