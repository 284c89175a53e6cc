"""Dead letters: broker messages that no worker could read, kept as they were.

Of one that is larger than any message of ours only the beginning is kept, with the size and the
digest of all of it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, func, literal_column, select, update

from orchestrator.store.database.clock import after, now_ms
from orchestrator.store.database.prepared import storable
from orchestrator.store.database.schema import dead_letters
from orchestrator.store.database.upserts import upsert

PLATFORM, BROKER = "(platform)", "(broker)"
"""Client and workflow of their incident: nobody knows whose workflow an unreadable message is for.

No client and no workflow can have these names.
"""

NOBODY = "-"
"""Who owns them while MESHLINE_STEWARD is not set."""

RECOVER_SECONDS = 72 * 3_600
"""How long one may stay open, from the first time that it came."""

MOST_KEPT_BYTES = 262_144
"""What is kept of a body, and of headers, each; a message of 1,000 events has less than 100,000."""

AT_BROKER = "broker"
"""The stage of what no worker could read."""

_LONGEST_ERROR = 2_000  # characters
_LONGEST_NAME = 255


class LetterState(StrEnum):
    """Where a dead letter is."""

    STANDING = "standing"
    REQUEUED = "requeued"
    DROPPED = "dropped"


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """A message as it was."""

    queue: str  # that it came from
    error: str  # what is wrong with it, for people
    body: bytes
    headers: str | None  # JSON; None: the bytes were not message at all, the body is all of them
    task: str | None = None  # its name; None where that cannot be read
    content_type: str | None = None
    content_encoding: str | None = None

    @property
    def size(self) -> int:
        """Bytes of body and headers."""
        return len(self.body) + len(self.headers or "")

    @property
    def is_long(self) -> bool:
        """Whether only its beginning is kept."""
        return max(len(self.body), len(self.headers or "")) > MOST_KEPT_BYTES

    def digest(self) -> str:
        """What is the same when the same message is delivered again."""
        found = hashlib.sha256()
        for part in (self.queue, self.headers, self.content_type, self.content_encoding):
            text = b"" if part is None else part.encode(errors="backslashreplace")
            found.update(b"%d:%s," % (-1 if part is None else len(text), text))
        found.update(self.body)
        return found.hexdigest()


def keep_dead_letter(tx: Connection, letter: DeadLetter) -> int | None:
    """Write a message down; its number, or None where it is here already."""
    table = dead_letters.c
    row = {
        "at": now_ms(),
        "queue": _short(letter.queue),
        "task": None if letter.task is None else _short(letter.task),
        "error": _clean(letter.error[:_LONGEST_ERROR])[:_LONGEST_ERROR],
        "headers": "null" if letter.headers is None else _clean(letter.headers[:MOST_KEPT_BYTES]),
        "content_type": letter.content_type and _short(letter.content_type),
        "content_encoding": letter.content_encoding and _short(letter.content_encoding),
        "body": letter.body[:MOST_KEPT_BYTES],
        "cut_from": letter.size if letter.is_long else None,
        "digest": (digest := letter.digest()),
        "recover_by": _first_deadline(digest),
    }
    kept = tx.execute(
        upsert(tx.dialect.name, dead_letters)
        .values(row)
        .on_conflict_do_nothing(
            # Spelt out: with a parameter PostgreSQL finds no index once it keeps a general plan.
            index_elements=[table.digest],
            index_where=table.state == literal_column("'standing'"),
        )
        .returning(table.id)
    )
    return kept.scalar_one_or_none()


def _first_deadline(digest: str) -> Any:
    """That of the same message when it first came, or a new one."""
    before = dead_letters.alias("before").c
    first = select(func.min(before.recover_by)).where(before.digest == digest).scalar_subquery()
    return func.coalesce(first, after(RECOVER_SECONDS))


def close_dead_letter(
    tx: Connection, number: int, *, state: LetterState, why: str | None, actor: str
) -> DeadLetter | None:
    """Say what became of an open one; it, or None where it is not open, or never was."""
    table = dead_letters.c
    closed = tx.execute(
        update(dead_letters)
        .where(table.id == number, table.state == LetterState.STANDING)
        .values(state=state, closed_at=now_ms(), closed_by=actor, why=why)
        .returning(*table)
    ).one_or_none()
    if closed is None:
        return None
    return DeadLetter(
        queue=closed.queue,
        error=closed.error,
        body=bytes(closed.body),
        headers=None if closed.headers == "null" else closed.headers,
        task=closed.task,
        content_type=closed.content_type,
        content_encoding=closed.content_encoding,
    )


def _clean(text: str) -> str:
    return storable(text.encode(errors="backslashreplace").decode())


def _short(text: str) -> str:
    return _clean(text[:_LONGEST_NAME])[:_LONGEST_NAME]
