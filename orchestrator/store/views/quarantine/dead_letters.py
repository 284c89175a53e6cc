"""What people read of dead letters: broker messages that no worker could read."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, Select, func, select

from orchestrator.domain.documents.fields_of import fields_of
from orchestrator.store.database.engine import AnyRow
from orchestrator.store.database.schema import dead_letters, incidents
from orchestrator.store.quarantine.dead_letters import NOBODY, LetterState
from orchestrator.store.views.values import iso, iso_time


@dataclass(frozen=True, kw_only=True, slots=True)
class Returned:
    """That a message came back after somebody requeued it. Times are ISO 8601 in UTC."""

    times: int  # how often
    requeued_by: str  # the last time
    requeued_at: str | None
    at: str  # when it came back


@dataclass(frozen=True, kw_only=True, slots=True)
class LetterHead:
    """What every page says of a dead letter. Times are ISO 8601 in UTC."""

    id: int
    at: str  # when it was kept
    state: str  # as `LetterState`
    queue: str | None  # that it came from
    task: str | None  # its name; None where that cannot be read
    error: str  # what is wrong with it, for people
    recover_by: str  # its deadline, counted from when the message first came
    incident: int | None  # the number of its incident; None until a keeper gave it one
    owner: str  # of its incident; `-` while nobody owns it


@dataclass(frozen=True, kw_only=True, slots=True)
class LetterRow(LetterHead):
    """One dead letter in a list."""

    bytes: int  # of the body, as far as it is kept
    returned: Returned | None  # None: nobody requeued this message before


@dataclass(frozen=True, kw_only=True, slots=True)
class LetterView(LetterHead):
    """One dead letter whole. Times are ISO 8601 in UTC."""

    returned: Returned | None  # None: nobody requeued this message before
    headers: object  # as JSON; a text where they are none
    content_type: str | None
    content_encoding: str | None
    body: bytes  # or only its beginning
    cut_from: int | None  # bytes of all of it, where only its beginning is kept
    digest: str  # the same for the same message
    closed_at: str | None  # when it was requeued or dropped
    closed_by: str | None
    why: str | None  # in the words of whoever closed it

    @property
    def text(self) -> str | None:
        """The body as text; None where it is not UTF-8."""
        try:
            return self.body.decode()
        except UnicodeDecodeError:
            return None

    @property
    def base64(self) -> str:
        """The body in base64."""
        return base64.b64encode(self.body).decode()

    def as_json(self) -> dict[str, object]:
        """The letter as a document: the body as text, or as `body_base64` where it is not UTF-8."""
        text, document = self.text, {}
        for name, value in fields_of(self).items():
            if name != "body":
                document[name] = value
            elif text is None:
                document["body_base64"] = self.base64
            else:
                document["body"] = text
        return document


@dataclass(frozen=True, kw_only=True, slots=True)
class OldestLetter:
    """A dead letter on the page of its incident, in the words of an event."""

    id: str  # `dead letter` and its number
    letter: int  # its number
    detail: str  # what is wrong with it, for people
    since: str  # when it was kept, ISO 8601 in UTC


def cut_letters(tx: Connection, numbers: Sequence[int]) -> set[int]:
    """Those of which only the beginning is kept."""
    table = dead_letters.c
    rows = select(table.id).where(table.id.in_(numbers), table.cut_from.is_not(None))
    return set(tx.execute(rows).scalars())


def standing_numbers(tx: Connection) -> list[int]:
    """The numbers of all that are open, the oldest first."""
    table = dead_letters.c
    rows = select(table.id).where(table.state == LetterState.STANDING).order_by(table.id)
    return list(tx.execute(rows).scalars())


def states_of_letters(tx: Connection, numbers: Sequence[int]) -> dict[int, str]:
    """The state of each of these that exists."""
    table = dead_letters.c
    rows = tx.execute(select(table.id, table.state).where(table.id.in_(numbers)))
    return {row.id: row.state for row in rows}


def list_dead_letters(
    tx: Connection,
    *,
    state: LetterState | None = None,
    before: int | None = None,
    limit: int = 1000,
) -> list[LetterRow]:
    """Dead letters without their bodies, the newest first; only those with ids below `before`."""
    table = dead_letters.c
    statement = with_owner(letter_heads()).order_by(table.id.desc()).limit(limit)
    if state is not None:
        statement = statement.where(table.state == state)
    if before is not None:
        statement = statement.where(table.id < before)
    rows = tx.execute(statement).all()
    returned = letters_that_returned(tx, [row.id for row in rows])
    return [
        LetterRow(**_letter_row(row), bytes=row.bytes, returned=returned.get(row.id))
        for row in rows
    ]


def count_letters(tx: Connection) -> dict[str, int]:
    """How many there are in each state; every state is named."""
    table = dead_letters.c
    rows = tx.execute(select(table.state, func.count()).group_by(table.state))
    return dict.fromkeys((state.value for state in LetterState), 0) | {
        row[0]: row[1] for row in rows
    }


def oldest_letters(tx: Connection, incident: int, *, limit: int) -> list[OldestLetter]:
    """The oldest letters of an incident that nobody closed."""
    table = dead_letters.c
    of_it = (table.incident_id == incident, table.state == LetterState.STANDING)
    rows = tx.execute(letter_heads().where(*of_it).order_by(table.id).limit(limit)).all()
    return [
        OldestLetter(
            id=f"dead letter {row.id}", letter=row.id, detail=row.error, since=iso_time(row.at)
        )
        for row in rows
    ]


def _returns_of(tx: Connection, digests: Sequence[str]) -> dict[str, list[AnyRow]]:
    """By digest, each time that a person requeued a message: `id`, `closed_by`, `closed_at`."""
    table = dead_letters.c
    rows = tx.execute(
        select(table.id, table.digest, table.closed_by, table.closed_at)
        .where(table.digest.in_(set(digests)), table.state == LetterState.REQUEUED)
        .order_by(table.id)
    )
    found: dict[str, list[AnyRow]] = {}
    for row in rows:
        found.setdefault(row.digest, []).append(row)
    return found


def _returned_before(row: AnyRow, back: Mapping[str, Sequence[AnyRow]]) -> Returned | None:
    """How often a letter came back after a requeue, and who requeued it last; None if never."""
    before = [one for one in back.get(row.digest, ()) if one.id < row.id]
    if not before:
        return None
    last = before[-1]
    return Returned(
        times=len(before),
        requeued_by=last.closed_by,
        requeued_at=iso(last.closed_at),
        at=iso_time(row.at),
    )


def letters_that_returned(tx: Connection, numbers: Sequence[int]) -> dict[int, Returned]:
    """Those of these letters that came back after a requeue, and how."""
    table = dead_letters.c
    rows = tx.execute(
        select(table.id, table.digest, table.at).where(table.id.in_(numbers)).order_by(table.id)
    ).all()
    back = _returns_of(tx, [row.digest for row in rows])
    told = {row.id: _returned_before(row, back) for row in rows}
    return {number: one for number, one in told.items() if one is not None}


def show_dead_letter(tx: Connection, number: int) -> LetterView | None:
    """One dead letter whole, or None."""
    whole = with_owner(select(dead_letters)).where(dead_letters.c.id == number)
    row = tx.execute(whole).one_or_none()
    if row is None:
        return None
    return LetterView(
        **_letter_row(row),
        returned=letters_that_returned(tx, [number]).get(number),
        headers=_parsed(row.headers),
        content_type=row.content_type,
        content_encoding=row.content_encoding,
        body=bytes(row.body),
        cut_from=row.cut_from,
        digest=row.digest,
        closed_at=iso(row.closed_at),
        closed_by=row.closed_by,
        why=row.why,
    )


def letter_heads() -> Select[Any]:
    """The statement for what a list says of dead letters; a caller narrows it."""
    table = dead_letters.c
    size = func.length(table.body).label("bytes")
    heads = (table.id, table.at, table.state, table.queue, table.task, table.error)
    return select(*heads, table.digest, table.recover_by, table.incident_id, size)


def with_owner(statement: Select[Any]) -> Select[Any]:
    """The same with the column `owner`: whose its incident is, if a keeper gave it one."""
    of_it = dead_letters.join(incidents, incidents.c.id == dead_letters.c.incident_id, isouter=True)
    return statement.add_columns(incidents.c.owner).select_from(of_it)


def _letter_row(row: AnyRow) -> dict[str, Any]:
    """The fields of LetterHead."""
    return {
        "id": row.id,
        "at": iso_time(row.at),
        "state": row.state,
        "queue": row.queue,
        "task": row.task,
        "error": row.error,
        "recover_by": iso_time(row.recover_by),
        "incident": row.incident_id,
        "owner": row.owner or NOBODY,
    }


def _parsed(headers: str) -> object:
    try:
        return orjson.loads(headers)
    except orjson.JSONDecodeError:  # Kombu's JSON may hold what JSON may not, such as NaN
        return headers
