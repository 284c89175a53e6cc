"""`make bench-sdk`: what `import meshline` costs beside `import requests`; see the README here.

Processor time of user and system, of processes that are started in turn, so that whatever else the
machine does meets them both alike.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys

from benchmarks.machine import this_run

IMPORTS = ("pass", "import requests", "import meshline", "from meshline import AsyncProducer")
MOST = 0.5
"""Of what requests takes; where `import meshline` takes more, the run exits with 1."""


def main() -> int:
    """Start everything in turn, and print the ratios."""
    parser = argparse.ArgumentParser(prog="make bench-sdk")
    parser.add_argument("--rounds", type=int, default=15, metavar="N", help="how often each")
    rounds: int = parser.parse_args().rounds
    times = _measured(rounds)
    ratio = _ratio(times, "import meshline")
    about = this_run(sys.argv[1:], target="bench-sdk")
    lines = [f"`{about['command']}`, {about['date']}, {about['machine']}", ""]
    lines += ["| statement | ms of processor time | to `import requests` |", "|---|--:|--:|"]
    for statement, spent in times.items():
        median = statistics.median(spent) * 1000
        lines.append(f"| `{statement}` | {median:.0f} | {_ratio(times, statement):.2f} |")
    verdict = "as wanted" if ratio <= MOST else "too much"
    lines += ["", f"Medians of {rounds}; at most {MOST} is wanted: {verdict}."]
    sys.stdout.write("\n".join(lines) + "\n")
    return int(ratio > MOST)


def _measured(rounds: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {statement: [] for statement in IMPORTS}
    for at in range(rounds + 1):
        for statement, spent in times.items():
            took = _spent(statement)
            if at:  # the first compiles, and fills the machine's caches
                spent.append(took)
    return times


def _spent(statement: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", statement], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _ratio(times: dict[str, list[float]], statement: str) -> float:
    pairs = zip(times[statement], times["import requests"], strict=True)
    return statistics.median(one / other for one, other in pairs)


if __name__ == "__main__":
    sys.exit(main())
