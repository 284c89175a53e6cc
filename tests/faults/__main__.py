"""`python -m tests.faults`: break a whole Meshline again and again, and count what arrived."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from orchestrator.domain.errors import MeshlineError
from tests.faults.plan import Kind, Pair
from tests.faults.report import Report
from tests.faults.run import Options, a_home, run_chaos


def main() -> int:
    """Run it; 0 where nothing was lost, doubled, or otherwise wrong."""
    given = _parse()
    options = Options(
        pair=given.pair,
        events=given.events,
        faults=given.faults,
        seed=given.seed,
        only=tuple(given.only),
    )
    try:
        with a_home(given.home) as home:
            report = run_chaos(options, home, _say)
    except MeshlineError as error:
        print(f"chaos: {error}", file=sys.stderr)  # noqa: T201 - who started it reads it
        return 2
    except KeyboardInterrupt:
        return 130
    _show(report, given.json)
    return 0 if report.good else 1


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    parser.add_argument("--events", type=_count, default=2_000)
    parser.add_argument("--faults", type=_count, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pair", type=Pair, choices=list(Pair), default=Pair.POSTGRES)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there too")
    parser.add_argument("--home", type=Path, metavar="FOLDER", help="keep logs and store there")
    parser.add_argument(
        *("--only", "-k"), type=Kind, choices=list(Kind), action="append", default=[],
        metavar="KIND", help=f"only this kind of fault; may be repeated: {', '.join(Kind)}",
    )  # fmt: skip
    return parser.parse_args()


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("write a number from 1")
    return number


def _show(report: Report, file: Path | None) -> None:
    for line in report.lines():
        _say(line)
    if file is not None:
        file.write_text(json.dumps(report.document(), indent=2, default=str) + "\n")
    _say(report.last_line())


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - who started it reads it


if __name__ == "__main__":
    sys.exit(main())
