"""`make bench`: ours and others in turn, in one run, on one machine; see benchmarks/README.md."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from benchmarks.machine import this_run
from benchmarks.plan import whole_plan
from benchmarks.report import Results, on_screen, summary, tables, write_readme
from benchmarks.rows import Entry, Row, chosen
from benchmarks.stand import POSTGRES, Stand, forget_environment, standing
from benchmarks.stored import stored_plan
from benchmarks.works import Figures, Numbers, warm_up

_WHOLE, _STORED = Path("bench.json"), Path("bench-stored.json")
console = Console(width=None if sys.stdout.isatty() else 140, highlight=False)


def main() -> int:
    """Measure and print; the rows go to a file."""
    options = _options()
    if options.readme:
        write_readme([json.loads(path.read_text()) for path in options.readme])
        return 0
    forget_environment()
    plan = chosen(whole_plan(options.events, options.singles, options.groups), options.only)
    if options.list:
        for entry in plan:
            for work in entry.works:
                console.print(str(entry.row(work)))
        return 0
    about = this_run(sys.argv[1:])
    with_postgres = bool(options.stored) or any(entry.store == POSTGRES for entry in plan)
    with (
        tempfile.TemporaryDirectory(prefix="meshline-bench-") as folder,
        standing(Path(folder), with_postgres=with_postgres) as stand,
        _planned(plan, stand, options) as planned,
    ):
        records = summary(measure(planned, stand, options.rounds))
    for table in tables(records):
        console.print(on_screen(table))
    file = options.json or (_STORED if options.stored else _WHOLE)
    file.write_text(json.dumps({**about, "rows": records}, indent=2) + "\n")
    console.print(f"the same rows are in {file}")
    return 0


@contextmanager
def _planned(
    plan: list[Entry], stand: Stand, options: argparse.Namespace
) -> Iterator[Sequence[Entry]]:
    if not options.stored:
        yield plan
        return
    with stored_plan(stand, options.stored, options.events, console.print) as filled:
        yield filled


def measure(plan: Sequence[Entry], stand: Stand, rounds: int) -> Results:
    """Every row's figures, a set for each round; in a round each system has its turn."""
    results: dict[Row, list[Figures]] = {}
    for number in range(rounds):
        console.print(f"round {number + 1} of {rounds}")
        for entry in plan:
            with entry.start(stand) as system:
                numbers = Numbers()
                warm_up(system, numbers)
                for work, do in entry.works.items():
                    figures = do(system, numbers)
                    system.check(numbers.given)
                    row = entry.row(work)
                    results.setdefault(row, []).append(figures)
                    console.print(f"  {row}: {_told(figures)}")
    return results


def _told(figures: Figures) -> str:
    return ", ".join(f"{name} {value:,.4g}" for name, value in figures.items())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", default=[], metavar="TEXT", help="rows with this")
    parser.add_argument("--list", action="store_true", help="say which rows there are")
    parser.add_argument("--events", type=int, default=20_000, help="of one drain in groups")
    parser.add_argument("--groups", type=int, nargs="+", default=[1, 10, 50, 200])
    parser.add_argument("--singles", type=int, default=100, help="events of a latency row")
    parser.add_argument("--stored", type=int, default=0, help="drain beside so many, only that")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the rows go")
    parser.add_argument(
        "--readme", type=Path, nargs="+", metavar="FILE", help="put such files into the README"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
