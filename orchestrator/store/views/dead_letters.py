"""Dead letters: broker messages that no worker could read, kept as they were.

Of one that is larger than any message of ours only the beginning is kept, with the size and the
digest of all of it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import Connection, Select, func, literal_column, select, update

from orchestrator.domain.documents.fields_of import fields_of
from orchestrator.domain.reasons import Reason
from orchestrator.store.database.clock import after, now_ms
from orchestrator.store.database.engine import AnyRow
from orchestrator.store.database.prepared import storable
from orchestrator.store.database.schema import dead_letters, incidents
from orchestrator.store.database.upserts import upsert
from orchestrator.store.views.quarantine import QuarantineCount
from orchestrator.store.views.selection import Selection
from orchestrator.store.views.values import iso, iso_time

PLATFORM, BROKER = "(platform)", "(broker)"
"""Client and workflow of their incident: nobody knows whose workflow an unreadable message is for.

No client and no workflow can have these names.
"""

NOBODY = "-"
"""Who owns them while MESHLINE_STEWARD is not set."""

RECOVER_SECONDS = 72 * 3_600
"""How long one may stand, from the first time that it came."""

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
    headers: str | None  # JSON; None: the bytes were no message at all, the body is all of them
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


@dataclass(frozen=True, kw_only=True, slots=True)
class QuarantinedMessage:
    """One dead letter that nobody closed, with the fields of an event in quarantine."""

    id: None = None  # it is not an event
    dead_letter: int  # its number
    client: None = None  # nobody knows for whom it was
    workflow: None = None
    stage: str = AT_BROKER
    reason: str = Reason.POISON_MESSAGE.value
    detail: str  # what is wrong with it, for people
    violations: tuple[()] = ()  # nothing was compared with a contract
    hints: tuple[()] = ()
    owner: str  # of its incident
    recovery_lead: str  # the same person
    recover_by: str  # its deadline, ISO 8601 in UTC
    since: str  # when it was kept, ISO 8601 in UTC
    overdue: bool  # the deadline has passed
    returned: Returned | None  # None: nobody requeued this message before
    amended: bool = False  # it has no payload to amend


def keep_dead_letter(tx: Connection, letter: DeadLetter) -> int | None:
    """Write a message down; its number, or None where it stands here already."""
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
    """Say what became of a standing one; it, or None where it stands no more or never did."""
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


def cut_letters(tx: Connection, numbers: Sequence[int]) -> set[int]:
    """Those of which only the beginning is kept."""
    table = dead_letters.c
    rows = select(table.id).where(table.id.in_(numbers), table.cut_from.is_not(None))
    return set(tx.execute(rows).scalars())


def standing_numbers(tx: Connection) -> list[int]:
    """The numbers of all that stand, the oldest first."""
    table = dead_letters.c
    rows = select(table.id).where(table.state == LetterState.STANDING).order_by(table.id)
    return list(tx.execute(rows).scalars())


def states_of_letters(tx: Connection, numbers: Sequence[int]) -> dict[int, str]:
    """The state of each of these that exists."""
    table = dead_letters.c
    rows = tx.execute(select(table.id, table.state).where(table.id.in_(numbers)))
    return {row.id: row.state for row in rows}


def list_dead_letters(
    tx: Connection, *, state: LetterState | None = None, limit: int = 1000
) -> list[LetterRow]:
    """Dead letters without their bodies, the newest first."""
    table = dead_letters.c
    statement = _heads().order_by(table.id.desc()).limit(limit)
    if state is not None:
        statement = statement.where(table.state == state)
    rows = tx.execute(statement).all()
    back = _returns_of(tx, [row.digest for row in rows])
    return [
        LetterRow(**_letter_row(row), bytes=row.bytes, returned=_returned_before(row, back))
        for row in rows
    ]


def oldest_letters(tx: Connection, incident: int, *, limit: int) -> list[OldestLetter]:
    """The oldest letters of an incident that nobody closed."""
    table = dead_letters.c
    of_it = (table.incident_id == incident, table.state == LetterState.STANDING)
    rows = tx.execute(_heads().where(*of_it).order_by(table.id).limit(limit)).all()
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
    row = tx.execute(select(dead_letters).where(dead_letters.c.id == number)).one_or_none()
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


def list_poison(
    tx: Connection, selection: Selection, *, limit: int = 1000
) -> list[QuarantinedMessage]:
    """Dead letters that nobody closed, in the quarantine's words, the oldest first.

    A selection by id, by payload or by client has none of them: nobody knows that.
    """
    statement = _chosen(_heads(), selection)
    if statement is None:
        return []
    statement = statement.add_columns(
        incidents.c.owner, (dead_letters.c.recover_by < now_ms()).label("overdue")
    )
    statement = statement.order_by(dead_letters.c.id).limit(limit)
    rows = tx.execute(statement).all()
    back = _returns_of(tx, [row.digest for row in rows])
    return [
        QuarantinedMessage(
            dead_letter=row.id,
            detail=row.error,
            owner=row.owner or NOBODY,
            recovery_lead=row.owner or NOBODY,
            recover_by=iso_time(row.recover_by),
            since=iso_time(row.at),
            overdue=bool(row.overdue),
            returned=_returned_before(row, back),
        )
        for row in rows
    ]


def count_poison(tx: Connection, selection: Selection) -> list[QuarantineCount]:
    """The selection's dead letters as one cause of the quarantine's; none where there are none."""
    columns = (func.count(), func.min(dead_letters.c.recover_by), func.max(incidents.c.owner))
    counted: Any = select(*columns)
    statement = _chosen(counted, selection)
    if statement is None:
        return []
    count, recover_by, owner = tx.execute(statement).one()
    if not count:
        return []
    return [
        QuarantineCount(
            client=None,
            workflow=None,
            stage=AT_BROKER,
            reason=Reason.POISON_MESSAGE.value,
            recovery_lead=owner or NOBODY,
            events=count,
            recover_by=iso(recover_by),
        )
    ]


def _chosen(statement: Select[Any], selection: Selection) -> Select[Any] | None:
    table = dead_letters.c
    if selection.ids or selection.words or selection.client or selection.workflow:
        return None
    if selection.reason not in (None, Reason.POISON_MESSAGE):
        return None
    if selection.since is not None:
        statement = statement.where(table.at >= selection.since)
    if selection.until is not None:
        statement = statement.where(table.at < selection.until)
    if selection.incident is not None:
        statement = statement.where(table.incident_id == selection.incident)
    if selection.owner is not None:
        statement = statement.where(incidents.c.owner == selection.owner)
    with_owner = dead_letters.join(incidents, incidents.c.id == table.incident_id, isouter=True)
    return statement.select_from(with_owner).where(table.state == LetterState.STANDING)


def _heads() -> Select[Any]:
    table = dead_letters.c
    size = func.length(table.body).label("bytes")
    heads = (table.id, table.at, table.state, table.queue, table.task, table.error)
    return select(*heads, table.digest, table.recover_by, table.incident_id, size)


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
    }


def _parsed(headers: str) -> object:
    try:
        return orjson.loads(headers)
    except orjson.JSONDecodeError:  # Kombu's JSON may hold what JSON may not, such as NaN
        return headers


def _clean(text: str) -> str:
    return storable(text.encode(errors="backslashreplace").decode())


def _short(text: str) -> str:
    return _clean(text[:_LONGEST_NAME])[:_LONGEST_NAME]
