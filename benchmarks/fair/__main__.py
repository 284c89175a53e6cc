"""`make bench-fair`: how many groups one client waits beside a flood of another.

The claims and the store are the real ones; a worker takes one unit of time for each group.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.fair.playing import FLOOD, LATE, Play, publish, send
from benchmarks.machine import this_run
from benchmarks.stand import POSTGRES, SQLITE, forget_environment, standing
from orchestrator.store.database.engine import Store
from orchestrator.store.database.migrate import open_store
from orchestrator.store.drive.claim import ClaimLimits

MOST = 2.0
"""Groups that one client may wait beside a flood; less than this."""

_WORKERS = 2
_LIMITS = ClaimLimits(
    group_size=200, groups_in_flight=4, lease_seconds=3600, start_limit=6, patience_seconds=3600
)


def main() -> int:
    """Measure on both stores; 1 where a client waited for too long."""
    parser = argparse.ArgumentParser(prog="make bench-fair")
    parser.add_argument("--events", type=int, default=20_000, metavar="N", help="of the flood")
    parser.add_argument("--rounds", type=int, default=10, metavar="N", help="events that come late")
    asked = parser.parse_args()
    forget_environment()
    lines, worst = [], 0.0
    with (
        TemporaryDirectory(prefix="meshline-bench-") as folder,
        standing(Path(folder), with_postgres=True) as stand,
    ):
        for kind in (SQLITE, POSTGRES):
            for stagger in (0.0, 0.5):
                with stand.database(kind) as url, closing(open_store(url)) as store:
                    found, alone, beside = _measure(store, asked.events, asked.rounds, stagger)
                worst = max(worst, *found)
                lines.append(
                    f"| {kind} | {stagger:g} | {max(found):.2f} | {sum(found) / len(found):.2f} |"
                    f" {alone:.1f} | {beside:.1f} |"
                )
    about = this_run(sys.argv[1:], target="bench-fair")
    _say(f"`{about['command']}`, {about['date']}, {about['machine']}\n")
    _say("| store | stagger | most groups | mean | ms a claim, alone | ms a claim, beside |")
    _say("|---|--:|--:|--:|--:|--:|")
    for line in lines:
        _say(line)
    _say(f"\nfair: waited at most {worst:.2f} groups, less than {MOST:g} allowed")
    return 0 if worst < MOST else 1


def _measure(
    store: Store, count: int, rounds: int, stagger: float
) -> tuple[list[float], float, float]:
    """The waits in groups, and the milliseconds of a claim of the flood alone and beside it."""
    for client in (FLOOD, LATE):
        publish(store, client)
    numbers = list(range(count))
    for at in range(0, count, 1_000):
        send(store, FLOOD, numbers[at : at + 1_000])
    play = Play(store, _LIMITS, _WORKERS, stagger)
    play.claim()
    for _ in range(rounds):
        play.go_on()
    alone, play.claims = play.claim_ms, []
    return [play.wait_of(LATE, number) for number in range(rounds)], alone, play.claim_ms


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
