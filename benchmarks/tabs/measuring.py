"""One database: filled, asked for every page, and thrown away."""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.desk.filling import database, environment
from benchmarks.tabs.asking import NotWhole, Row, open_desk
from benchmarks.tabs.filling import Filled, fill
from benchmarks.tabs.pages import pages
from orchestrator.cli.terminal.progress import bar


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The pages of one database."""

    filled: Filled
    rows: tuple[Row, ...]
    not_whole: tuple[str, ...]  # what is wrong with the others


def measured(kind: str, *, events: int, seed: int, rounds: int) -> Measured:
    """Fill a new database of a kind, and ask for every page so many times.

    Changes the environment: it takes a process of its own.
    """
    with (
        tempfile.TemporaryDirectory(prefix="meshline-tabs-") as folder,
        database(kind, Path(folder)) as url,
    ):
        os.environ.update(environment(url, Path(folder)))
        os.environ["MESHLINE_FLOWER_PASSWORD"] = "nobody comes in by it"
        print(f"{kind}: filling {events:,}", file=sys.stderr)
        with bar("filling", events) as progress:
            filled = fill(url, events, seed, progress)
        asked = pages(filled.things)
        print(f"{kind}: asking for {len(asked)} pages", file=sys.stderr)
        with open_desk(url, filled.things) as desk, bar("asking", len(asked)) as progress:
            rows, wrong = [], []
            for number, page in enumerate(asked, start=1):
                try:
                    rows.append(desk.measure(page, rounds))
                except NotWhole as error:
                    wrong.append(str(error))
                progress(number)
    return Measured(filled=filled, rows=tuple(rows), not_whole=tuple(wrong))
