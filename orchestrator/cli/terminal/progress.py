"""A bar on a person's screen while many events are worked on; elsewhere nothing."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from orchestrator.cli.terminal.screen import note

if TYPE_CHECKING:
    from orchestrator.store.database.engine import Store
    from orchestrator.store.views.selection import Selection

_EVERY_SECONDS = 2.0  # between two lines about progress


class Progress:
    """A line on stderr now and then, for what is found only while it is worked on."""

    def __init__(self) -> None:
        self._told = time.monotonic()

    def tell(self, done: int) -> None:
        """How many are done."""
        if time.monotonic() - self._told > _EVERY_SECONDS:
            self._told = time.monotonic()
            note(f"{done} events so far")


@contextmanager
def counting(
    store: Store, selection: Selection, word: str, *, discarded: bool = False
) -> Iterator[Callable[[int], None]]:
    """A bar over what the selection finds; with `discarded` over events that were given up."""
    if not sys.stderr.isatty() or selection.is_empty:
        yield lambda _: None
        return
    from orchestrator.store.views.events import count_quarantine

    with store.read() as tx:
        total = count_quarantine(tx, selection, discarded=discarded)
    with bar(word, total) as progress:
        yield progress


@contextmanager
def bar(word: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar that is told how many are done."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True
    ) as shown:
        task = shown.add_task(word, total=total)
        yield lambda done: shown.update(task, completed=done)
