"""`make bench-cli`: what a listing costs beside `import sqlalchemy`; see benchmarks/README.md.

Processor time of user and system, of processes that are started in turn, so that whatever else the
machine does meets them all alike.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.machine import this_run

BARE = (sys.executable, "-c", "import sqlalchemy")
LISTINGS = (
    "events list",
    "quarantine list",
    "quarantine plan list",
    "jobs list",
    "quarantine recipes",
    "incidents list",
    "incidents work",
    "destinations list",
    "alerts list",
    "dead-letters list",
    "audit",
    "workflow list",
    "change list",
    "approvals list",
    "keys list",
    "people list",
    "people signing-key list",
    "sla list",
    "connectors list",
    "sources list",
)
MOST = 1.4


def main() -> None:
    """Make the demo's data, start everything in turn, print the ratios."""
    parser = argparse.ArgumentParser(prog="make bench-cli")
    parser.add_argument("--rounds", type=int, default=15, metavar="N", help="how often each")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "MESHLINE_HOME": folder, "PYTHONDONTWRITEBYTECODE": ""}
        meshline = (sys.executable, "-m", "orchestrator.cli.main")
        subprocess.run([*meshline, "demo"], env=environment, check=True, stdout=subprocess.DEVNULL)
        environment["MESHLINE_HOME"] = str(Path(folder) / "demo")
        commands = {words: (*meshline, *words.split()) for words in LISTINGS}
        times = _measured({"": BARE, **commands}, environment, rounds=asked.rounds)
    _report(times, asked.rounds)


def _measured(
    commands: dict[str, Sequence[str]], environment: dict[str, str], *, rounds: int
) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in commands}
    for at in range(rounds + 1):
        for name, command in commands.items():
            spent = _spent(command, environment)
            if at:  # the first compiles, and fills the machine's caches
                times[name].append(spent)
    return times


def _spent(command: Sequence[str], environment: dict[str, str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environment, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _report(times: dict[str, list[float]], rounds: int) -> None:
    bare = times.pop("")
    about = this_run(sys.argv[1:], target="bench-cli")
    lines = [f"`{about['command']}`, {about['date']}, {about['machine']}", ""]
    lines += ["| command | ms of processor time | to the import |", "|---|--:|--:|"]
    lines.append(f"| `python -c 'import sqlalchemy'` | {statistics.median(bare) * 1000:.0f} | 1 |")
    for name, spent in times.items():
        ratio = statistics.median(one / other for one, other in zip(spent, bare, strict=True))
        lines.append(f"| `meshline {name}` | {statistics.median(spent) * 1000:.0f} | {ratio:.2f} |")
    lines += ["", f"Medians of {rounds}; at most {MOST} is wanted."]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
