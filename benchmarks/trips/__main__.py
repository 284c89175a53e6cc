"""`make trace`: how many files one event passes, and how often a reader who follows it turns."""

from __future__ import annotations

import argparse
import io
import json
import logging
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from benchmarks.stand import forget_environment
from benchmarks.trips.house import environment, open_house
from benchmarks.trips.limits import LIMITS, excesses
from benchmarks.trips.playing import PARTS, Trips, play
from benchmarks.trips.recording import Recorder

console = Console(width=None if sys.stdout.isatty() else 140, highlight=False)


def main() -> int:
    """Play and print. Ends with 1 where a trip is longer than its limit."""
    options = _options()
    forget_environment()
    recorder = Recorder()  # before there is any thread
    with tempfile.TemporaryDirectory(prefix="meshline-trace-") as folder:
        os.environ |= environment(Path(folder))
        logging.disable(logging.CRITICAL)
        with redirect_stdout(io.StringIO()), open_house() as house:  # the door says where it is
            trips = play(house, recorder, rounds=options.rounds)
    if options.json:
        console.print_json(json.dumps(_described(trips)), indent=None)
    else:
        console.print(_table(trips))
        for part in options.list or ():
            _put_files(part, trips)
    found = excesses(trips)
    for sentence in found:
        print(sentence, file=sys.stderr)
    return 1 if found else 0


def _table(trips: Trips) -> Table:
    table = Table("part", box=SIMPLE)
    for name in ("files", "moves", "calls", "files at most", "moves at most"):
        table.add_column(name, justify="right")
    for part, trip in trips.items():
        limit = LIMITS[part]
        counted = (len(trip.files), trip.moves, trip.calls, limit.files, limit.moves)
        table.add_row(part, *map(str, counted))
    return table


def _put_files(part: str, trips: Trips) -> None:
    console.print(f"\n{part}, in order of entry; calls into each file")
    for file, calls in trips[part].entered.items():
        console.print(f"{calls:5} {file}")


def _described(trips: Trips) -> dict[str, object]:
    return {
        part: {"moves": trip.moves, "calls": trip.calls, "files": trip.entered}
        for part, trip in trips.items()
    }


def _options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make trace", description=__doc__)
    parser.add_argument(
        "--list", nargs="*", choices=PARTS, metavar="PART", help="the files of these parts; of all"
    )
    parser.add_argument("--rounds", type=int, default=3, help="events of which the best is taken")
    parser.add_argument("--json", action="store_true", help="all of it, for programs")
    options = parser.parse_args(arguments)
    if options.list == []:
        options.list = list(PARTS)
    return options


if __name__ == "__main__":
    sys.exit(main())
