"""Many triggers from one file: a line each, a commit for each few hundred."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from orchestrator.cli.emit.source import Sender
from orchestrator.cli.terminal.payloads import STDIN, limits, opened
from orchestrator.cli.terminal.screen import note, put, put_json
from orchestrator.cli.terminal.stopping import command_from_line, uninterrupted
from orchestrator.domain.access.actor import Actor
from orchestrator.domain.errors import Refused
from orchestrator.domain.event import Accepted, Trigger

if TYPE_CHECKING:
    from orchestrator.store.database.engine import Store

_BATCH = 500

Numbered = tuple[int, Trigger]  # the line's number, from 1


def emit_lines(
    store: Store, source: Path, sender: Sender, *, actor: Actor, first: int = 1, as_json: bool
) -> None:
    """Accept every line's trigger from line `first` on, in order, and print the ids.

    It stops at the first line that is refused, and by Ctrl-C; batches before it stay, and what is
    said counts them. Raises Refused.
    """
    done: list[Accepted] = []
    last = first - 1  # the last line of the last batch that was accepted
    try:
        with opened(source) as file:
            for batch in _batches(_numbered(file, sender, first)):
                with uninterrupted():  # what is accepted is counted, and its ids are printed
                    accepted = _accept(store, batch, actor)
                    done, last = done + accepted, batch[-1][0]
                    if not as_json:
                        for one in accepted:
                            put(one.id)
                if sys.stderr.isatty():
                    note(f"{len(done)} accepted")
    except Refused as refused:
        raise _stopped(refused, len(done)) from None
    except KeyboardInterrupt:
        _tell_how_to_go_on(source, last)
        raise
    duplicates = sum(one.duplicate for one in done)
    if as_json:
        events = [{"id": one.id, "duplicate": one.duplicate} for one in done]
        put_json({"accepted": len(done), "duplicates": duplicates, "events": events})
    else:
        note(f"accepted {len(done)}, of which {duplicates} were there already")


def _tell_how_to_go_on(source: Path, last: int) -> None:
    lines = "" if source == STDIN else f" of {_count_lines(source):,}"
    command = command_from_line(last + 1)
    with_it = " with the same lines" if source == STDIN else ""
    note(f"stopped after line {last:,}{lines}; go on{with_it} with: {command}")


def _count_lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in file)


def _numbered(file: BinaryIO, sender: Sender, first: int) -> Iterator[Numbered]:
    limit = limits().max_body_bytes
    for number, line in enumerate(iter(lambda: file.readline(limit + 2), b""), start=1):
        if number >= first and line.strip():
            yield number, sender.trigger(line.rstrip(b"\r\n"), line=number)


def _batches(triggers: Iterator[Numbered]) -> Iterator[list[Numbered]]:
    """Triggers by the few hundred, and by what one transaction may hold in bytes."""
    batch: list[Numbered] = []
    size = 0
    for one in triggers:
        batch.append(one)
        size += len(one[1].payload)
        if len(batch) == _BATCH or size > limits().max_batch_bytes:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _accept(store: Store, batch: list[Numbered], actor: Actor) -> list[Accepted]:
    from orchestrator.operations.accept_triggers import RefusedAt, accept_from

    try:
        return accept_from(store, [trigger for _, trigger in batch], actor=actor)
    except RefusedAt as refused:
        cause = refused.cause
        line = batch[refused.index][0]
        raise Refused(cause.detail, field=f"line {line}", fix=cause.fix) from None


def _stopped(refused: Refused, done: int) -> Refused:
    fix = f"{refused.fix}; " if refused.fix else ""
    return Refused(
        refused.detail,
        field=refused.field,
        fix=f"{fix}the first {done} triggers are accepted, the others are not",
    )
