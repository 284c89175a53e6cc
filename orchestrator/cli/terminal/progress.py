"""A bar on a person's screen while many events are worked on; elsewhere nothing."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING

from orchestrator.cli.terminal.screen import note
from orchestrator.cli.terminal.stopping import command_again, looking, resuming, stopping

if TYPE_CHECKING:
    from orchestrator.store.database.engine import Store
    from orchestrator.store.views.quarantine.selection import Selection

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
    store: Store, selection: Selection, word: str, *, discarded: bool = False, acts: bool = False
) -> Iterator[Callable[[int], None]]:
    """A bar over what the selection finds; with `discarded` over events that were given up.

    What `acts` ends by Ctrl-C between two chunks and says how far it is; a look changes nothing.
    """
    from orchestrator.store.views.quarantine.list import count_quarantine
    from orchestrator.store.views.values import iso

    with store.read() as tx:
        total = count_quarantine(tx, selection, discarded=discarded)
    times = {"--since": iso(selection.since), "--until": iso(selection.until)}
    if not acts:
        with looking(), bar(word, total) as show:
            yield show
        return
    with stopping(total, partial(command_again, times)) as step, bar(word, total) as show:

        def tell(done: int) -> None:
            show(done)
            step(done)

        yield tell


@contextmanager
def looking_bar(word: str) -> Iterator[Callable[[int, int], None]]:
    """A bar of a look, which says how many of how many are done: nothing is counted for it."""
    with looking(), _late_bar(word) as tell:
        yield tell


@contextmanager
def resuming_bar(word: str) -> Iterator[Callable[[int, int], None]]:
    """The same for work that the same command goes on with after Ctrl-C."""
    with resuming(), _late_bar(word) as tell:
        yield tell


@contextmanager
def _late_bar(word: str) -> Iterator[Callable[[int, int], None]]:
    with ExitStack() as until_the_end:
        show: Callable[[int], None] | None = None

        def tell(done: int, total: int) -> None:
            nonlocal show
            if show is None:
                show = until_the_end.enter_context(bar(word, total))
            show(done)

        yield tell


@contextmanager
def bar(word: str, total: int, *, done: int = 0) -> Iterator[Callable[[int], None]]:
    """A bar that takes how many are done; it begins at `done`."""
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
        task = shown.add_task(word, total=total, completed=done)
        yield lambda done: shown.update(task, completed=done)
