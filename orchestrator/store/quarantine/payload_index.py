"""The words of the payloads in quarantine, for those who search for one.

Which words there are is decided here; the index is the database's own: FTS5 on SQLite, GIN on
PostgreSQL. It has only what is in quarantine: words come with the stay, and go with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Text,
    any_,
    bindparam,
    cast,
    delete,
    func,
    insert,
    select,
)

from orchestrator.domain.text.words import words_of
from orchestrator.store.database.prepared import Prepared, among, row_values, rows_of
from orchestrator.store.database.schema import payloads, quarantine, quarantine_words
from orchestrator.store.database.text_search import TextSearchQuery

VERY_MANY = 10_000  # stays with the same word, or of one incident


def index_words(tx: Connection, ids: Sequence[str]) -> None:
    """Index events that were just quarantined by the words of their payloads."""
    _index(tx, _STANDING.run(tx, ids=list(ids)).all())


def index_missing(tx: Connection, *, most: int = 1000) -> int:
    """The same for what came before there was an index, or by an older release; how many."""
    return _index(tx, _MISSING.run(tx, most=most).all())


def forget_words(tx: Connection, stays: Sequence[int]) -> None:
    """What left the quarantine is not looked for there any more; `stays` are its rows there."""
    tx.execute(delete(quarantine_words).where(quarantine_words.c.rowid.in_(stays)))


def optimize_words(tx: Connection) -> None:
    """Write SQLite's index anew: what was taken out of it is still in its pages until then."""
    tx.exec_driver_sql("INSERT INTO quarantine_words(quarantine_words) VALUES ('optimize')")


def has_words(tx: Connection, words: Sequence[str]) -> ColumnElement[bool]:
    """That a stay's payload has each of these words, or one that begins so."""
    stays = _stays_with(tx, words)
    if tx.dialect.name == "sqlite":
        return quarantine.c.id.in_(stays)
    # It takes any word for a rare one: of a join it would look up each stay by itself.
    return quarantine.c.id == any_(func.array(stays.scalar_subquery()))


def has_words_newest_first(tx: Connection, words: Sequence[str]) -> ColumnElement[bool]:
    """The same for a statement that reads some of the newest stays.

    Where very many have the words, stay after stay is asked, the newest first: to find all of them
    and sort these would take longer than the page that shows the first fifty.
    """
    stays = _stays_with(tx, words)
    some = stays.limit(VERY_MANY).subquery()
    if tx.execute(select(func.count()).select_from(some)).scalar_one() < VERY_MANY:
        return has_words(tx, words)
    if tx.dialect.name == "sqlite":
        return (quarantine.c.id + 0).in_(stays)  # a sum has no index to begin with
    here = quarantine_words.c.rowid == quarantine.c.id
    return select(_says(tx, words)).where(here).correlate(quarantine).scalar_subquery().is_(True)


def _stays_with(tx: Connection, words: Sequence[str]) -> Select[tuple[int]]:
    return select(quarantine_words.c.rowid).where(_says(tx, words))


def _says(tx: Connection, words: Sequence[str]) -> ColumnElement[bool]:
    """The condition on the index that all of the words are there."""
    column = quarantine_words.c.words
    if tx.dialect.name == "sqlite":
        matching = " ".join(f'"{word}"*' for word in words)
        return column.op("MATCH", is_comparison=True)(matching)
    sought = cast(" & ".join(f"'{word}':*" for word in words), TextSearchQuery)
    return column.op("@@", is_comparison=True)(sought)


def _index(tx: Connection, rows: Sequence[Any]) -> int:
    if rows:
        known = [(stay, " ".join(words_of(body))) for stay, body in rows]
        _INDEX.run(tx, **row_values(tx, list(_KNOWN), known))
    return len(rows)


_HERE = quarantine.c.released_at.is_(None)
_BODIES = select(quarantine.c.id, payloads.c.body).join(
    payloads, payloads.c.event_id == quarantine.c.event_id
)
_STANDING = Prepared(
    lambda dialect: _BODIES.where(_HERE, among(dialect, quarantine.c.event_id)).order_by(
        quarantine.c.id
    )
)
_MISSING = Prepared(
    lambda _: (
        _BODIES.where(_HERE, quarantine.c.id.not_in(select(quarantine_words.c.rowid)))
        .order_by(quarantine.c.id)
        .limit(bindparam("most"))
    )
)

_KNOWN = {"rowid": int, "words": str}


def _insert(dialect: str) -> Any:
    given = rows_of(dialect, **_KNOWN)
    words: Any = given.c.words
    if dialect != "sqlite":
        words = func.array_to_tsvector(func.string_to_array(words, " ", type_=Text))
    return insert(quarantine_words).from_select(["rowid", "words"], select(given.c.rowid, words))


_INDEX = Prepared(_insert)
