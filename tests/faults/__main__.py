"""`python -m tests.faults`: break a whole Meshline again and again, and count what arrived."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

from orchestrator.domain.errors import MeshlineError
from tests.faults.plan import Kind, Pair
from tests.faults.report import Report
from tests.faults.run import BrokeOff, Options, a_home, run_chaos
from tests.faults.seeds import Seeds

_BAD, _CANNOT_START, _BROKE_OFF, _INTERRUPTED = 1, 2, 3, 130  # exit codes


def main() -> int:
    """Run it; 0 where nothing was lost, doubled, too slow or otherwise wrong, 3 if it broke off."""
    given = _parse()
    options = Options(
        pair=given.pair,
        events=given.events,
        faults=given.faults,
        seed=given.seed,
        only=tuple(given.only),
    )
    try:
        return _run(options, given) if given.seeds is None else _run_many(options, given)
    except BrokeOff as error:
        _say(f"chaos: broke off: {error}")
        return _BROKE_OFF
    except MeshlineError as error:
        print(f"chaos: {error}", file=sys.stderr)  # noqa: T201 - who started it reads it
        return _CANNOT_START
    except KeyboardInterrupt:
        return _INTERRUPTED


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    parser.add_argument("--events", type=_count, default=2_000)
    parser.add_argument("--faults", type=_count, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=_count, help="run so many seeds, one after another")
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


def _run(options: Options, given: argparse.Namespace) -> int:
    with a_home(given.home) as home:
        report = run_chaos(options, home, _say)
    for line in report.lines():
        _say(line)
    _keep(given.json, report.document())
    _say(report.last_line())
    return 0 if report.good else _BAD


def _run_many(options: Options, given: argparse.Namespace) -> int:
    """One line for each seed, and one that sums up; what went wrong is told on stderr."""
    seeds = Seeds()
    documents: list[object] = []
    for seed in range(options.seed, options.seed + given.seeds):
        try:
            with a_home(given.home and given.home / str(seed)) as home:
                report = run_chaos(replace(options, seed=seed), home, lambda _: None)
        except (BrokeOff, MeshlineError) as error:
            _say(seeds.add_broken_off(seed, error))
            continue
        _say(seeds.add(report))
        documents.append(report.document())
        if not report.good:
            _say_apart(report)
    _keep(given.json, documents)
    _say(seeds.last_line())
    if seeds.failed:
        return _BAD
    return _BROKE_OFF if seeds.broke_off else 0


def _keep(file: Path | None, document: object) -> None:
    if file is not None:
        file.write_text(json.dumps(document, indent=2, default=str) + "\n")


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - who started it reads it


def _say_apart(report: Report) -> None:
    for line in report.lines():
        print(line, file=sys.stderr, flush=True)  # noqa: T201 - the same


if __name__ == "__main__":
    sys.exit(main())
