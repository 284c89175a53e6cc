"""`make bench-desk`: the quarantine with very many events in it; see benchmarks/README.md."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict
from pathlib import Path

from benchmarks.desk.asking import time_questions
from benchmarks.desk.counting import Count, count_replays
from benchmarks.desk.filling import GOOD, POSTGRES, SQLITE, database, environment, filled
from benchmarks.desk.leads import CAUSES, count_renamed
from benchmarks.desk.mending import mend
from benchmarks.desk.questions import questions
from benchmarks.desk.tables import Found, answers, told
from benchmarks.machine import this_run
from benchmarks.stand import forget_environment
from benchmarks.watching import watch
from orchestrator.cli.terminal.progress import bar
from orchestrator.store.database.engine import Store
from orchestrator.store.views.events.counts import count_states
from orchestrator.store.views.incidents.list import Sought, list_incidents

_LEAST = 200  # events, so that each cause has some


def main() -> int:
    """Print the tables; 1 where a count is not what it should be."""
    options = _options()
    forget_environment()
    with (
        tempfile.TemporaryDirectory(prefix="meshline-desk-") as folder,
        database(options.database, Path(folder)) as url,
    ):
        os.environ.update(environment(url, Path(folder)))
        found = _measured(url, options)
    print("\n".join(told(found)))
    if options.json:
        about = this_run(sys.argv[1:], target="bench-desk")
        options.json.write_text(json.dumps({**about, **asdict(found)}, indent=2) + "\n")
    wrong = [one for one in found.counts if not one.is_right]
    for one in wrong:
        print(f"wrong: {one.title}: {one.found}, not {one.expected}", file=sys.stderr)
    return 1 if wrong else 0


def _measured(url: str, options: argparse.Namespace) -> Found:
    with ExitStack() as held:
        with _telling("filling", options.events) as progress:
            store = held.enter_context(filled(options.events, options.seed, progress))
        incidents = _by_size(store)
        counts = _came(store, len(incidents), options.events)
        with _telling("asking", options.repeats) as progress:
            asked = questions(store, incidents[0], incidents[-1])
            times = time_questions(store, asked, options.repeats, progress)
        seen = held.enter_context(closing(watch(url)))
        renamed = count_renamed(options.events)
        with _telling("mending", renamed) as progress:
            steps = mend(seen, incidents[0], progress)
        amended, planned = steps[:2]
        counts += [
            Count(title="amended", found=amended.events, expected=renamed),
            Count(title="planned", found=planned.events, expected=renamed),
            *count_replays(seen, planned=renamed, standing=options.events),
        ]
    return Found(answers=answers(times), steps=steps, counts=counts)


def _by_size(store: Store) -> list[int]:
    """The incidents' ids, the one with the most events first."""
    with store.read() as tx:
        rows = list_incidents(tx, Sought())
    return [row.id for row in sorted(rows, key=lambda one: -one.standing)]


def _came(store: Store, incidents: int, events: int) -> list[Count]:
    with store.read() as tx:
        states = count_states(tx)
    return [
        Count(title="incidents", found=incidents, expected=CAUSES),
        Count(title="delivered before", found=states["delivered"], expected=GOOD),
        Count(title="came to quarantine", found=states["quarantined"], expected=events),
    ]


@contextmanager
def _telling(word: str, total: int) -> Iterator[Callable[[int], None]]:
    print(f"{word}: {total:,}", file=sys.stderr)
    with bar(word, total) as progress:
        yield progress


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-desk", description=__doc__)
    parser.add_argument("--events", type=int, default=100_000, help="that come to quarantine")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=(POSTGRES, SQLITE), default=POSTGRES)
    parser.add_argument("--repeats", type=int, default=5, help="times that everything is asked")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the figures go too")
    options = parser.parse_args()
    if options.events < _LEAST:
        parser.error(f"--events: at least {_LEAST}, so that each cause has some")
    return options


if __name__ == "__main__":
    sys.exit(main())
