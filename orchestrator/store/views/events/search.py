"""Finding events without reading those that are at their end: these are nearly all there are.

Unfinished events, and those that are or were in quarantine, have an index or a table, in
which it is few. Only what is asked for by client or workflow can be anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, or_, select, tuple_

from orchestrator.domain.lifecycle import STAGE_OF, State
from orchestrator.store.database.clock import first_id
from orchestrator.store.database.engine import AnyRow
from orchestrator.store.database.schema import deliveries, events, quarantine, workflow_versions
from orchestrator.store.quarantine.payload_index import VERY_MANY, has_words_newest_first

_NEAR = 20_000  # events among which the newest of an owner are looked for first
_ID_LENGTH = 32


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which events, and how many of the newest of them; every condition that is given must hold."""

    client: str | None = None
    workflow: str | None = None
    state: str | None = None
    reason: str | None = None  # why they are stopped
    text: str | None = None  # an idempotency key, or the beginning of an id
    key: str | None = None  # an idempotency key
    # Each begins a word of the payload; only quarantined events are known by them.
    words: tuple[str, ...] = ()
    incident: int | None = None  # that they are quarantined for
    held: bool = False  # a delivery of each is held
    held_by: str | None = None  # by this pause or circuit breaker
    since: int | None = None  # accepted since then or later, in milliseconds
    until: int | None = None  # accepted before then
    clients: frozenset[str] | None = None  # whose events somebody may see; None: everybody's
    before: str | None = None  # only ids below it
    limit: int = 100

    @property
    def owner(self) -> dict[ColumnElement[str], str]:
        """What was said of the owner, by column."""
        said = {events.c.client: self.client, events.c.workflow: self.workflow}
        return {column: value for column, value in said.items() if value is not None}

    @property
    def standing(self) -> bool:
        """Whether they are all in quarantine."""
        sought = self.reason or self.words or self.incident is not None
        return bool(sought) or self.state == State.QUARANTINED


def newest(tx: Connection, statement: Select[Any], wanted: Wanted) -> Sequence[AnyRow]:
    """The newest events first; `statement` joins each with its stay in quarantine, if any."""
    place = quarantine.c.event_id if wanted.standing else events.c.id
    page = statement.where(*_conditions(tx, wanted)).order_by(place.desc()).limit(wanted.limit)
    if wanted.before is not None:
        page = page.where(place < wanted.before)
    if tx.dialect.name == "sqlite" and wanted.owner:
        return _newest_of_owner(tx, page, wanted)
    return tx.execute(page.where(*(column == one for column, one in wanted.owner.items()))).all()


def _conditions(tx: Connection, wanted: Wanted) -> list[ColumnElement[bool]]:
    found = _accepted_within(wanted) + _seen(tx, wanted.clients) + _named(tx, wanted)
    if wanted.state is not None:
        found.append(events.c.state == wanted.state)
    if wanted.reason is not None:
        found.append(quarantine.c.reason == wanted.reason)
    if wanted.incident is not None:
        found.append(_is_of_incident(tx, wanted.incident))
    if wanted.words:
        found.append(has_words_newest_first(tx, wanted.words))
    if wanted.held or wanted.held_by is not None:
        found.append(_is_held(wanted.held_by))
    if wanted.standing:
        # Said once more, it makes the join an inner one: SQLite can begin with the quarantine.
        found.append(quarantine.c.event_id == events.c.id)
    elif wanted.state == State.DISCARDED:  # whatever was discarded was there before
        found.append(events.c.id.in_(select(quarantine.c.event_id)))
    elif wanted.state in STAGE_OF:
        unfinished = events.alias("unfinished").c
        found.append(events.c.id.in_(select(unfinished.id).where(unfinished.due_at.is_not(None))))
    return found


def _named(tx: Connection, wanted: Wanted) -> list[ColumnElement[bool]]:
    """That events are known by what was asked for."""
    found: list[ColumnElement[bool]] = []
    if wanted.text is not None:
        found.append(_known_as(tx, wanted.text))
    if wanted.key is not None:
        found.append(events.c.id.in_(_keyed(tx, wanted.key)))
    return found


def _is_of_incident(tx: Connection, incident: int) -> ColumnElement[bool]:
    """That an event is quarantined for an incident.

    By the incident's index SQLite reads and sorts all of its events, be they very many. A sum has
    no index: then it begins with the newest of the quarantine.
    """
    column = quarantine.c.incident_id
    if tx.dialect.name != "sqlite":
        return column == incident
    standing = (column == incident, quarantine.c.released_at.is_(None))
    some = select(quarantine.c.id).where(*standing).limit(VERY_MANY).subquery()
    count = tx.execute(select(func.count()).select_from(some)).scalar_one()
    return column == incident if count < VERY_MANY else column + 0 == incident


def _accepted_within(wanted: Wanted) -> list[ColumnElement[bool]]:
    """That events were accepted in the time that was asked for, with which their ids begin."""
    place = quarantine.c.event_id if wanted.standing else events.c.id
    found: list[ColumnElement[bool]] = []
    if wanted.since is not None:
        found.append(place >= first_id(wanted.since))
    if wanted.until is not None:
        found.append(place < first_id(wanted.until))
    return found


def _seen(tx: Connection, clients: frozenset[str] | None) -> list[ColumnElement[bool]]:
    """That events are of these clients; None: of anybody."""
    if clients is None:
        return []
    # On SQLite a column with an empty text behind it has no index, see `_newest_of_owner`.
    client = events.c.client.concat("") if tx.dialect.name == "sqlite" else events.c.client
    return [client.in_(sorted(clients))]


def _is_held(by: str | None) -> ColumnElement[bool]:
    """That an event has a delivery that is held, by this name or by anything."""
    table = deliveries.c
    waiting = select(table.event_id).where(table.held_by.is_not(None))
    return events.c.id.in_(waiting if by is None else waiting.where(table.held_by == by))


def _newest_of_owner(tx: Connection, page: Select[Any], wanted: Wanted) -> Sequence[AnyRow]:
    """The same on SQLite, which does not know how many events an owner has.

    It would find all of them by the index of the keys, be they millions, and sort them. A column
    with an empty text behind it has no index.
    """
    unindexed = page.where(*(column.concat("") == one for column, one in wanted.owner.items()))
    few = (
        wanted.text is not None
        or wanted.key is not None
        or wanted.held
        or wanted.held_by is not None
    )
    anywhere = not few and wanted.state in (None, State.DELIVERED)
    edge = _edge(tx, wanted.before) if anywhere and not wanted.standing else None
    if edge is None:
        return tx.execute(unindexed).all()
    near = tx.execute(unindexed.where(events.c.id >= edge)).all()
    if len(near) == wanted.limit:
        return near
    # Whoever has few among the newest has few enough for the index, and a sort.
    return tx.execute(page.where(_owned_by(wanted.client, wanted.workflow))).all()


def _known_as(tx: Connection, text: str) -> ColumnElement[bool]:
    """That an event's key is `text`, or its id begins so."""
    ids = _keyed(tx, text)
    begin = text.lower()
    if len(begin) > _ID_LENGTH or not set(begin) <= set("0123456789abcdef"):
        return events.c.id.in_(ids)
    begins = (events.c.id >= begin) & (events.c.id < f"{begin}g")
    return or_(begins, events.c.id.in_(ids)) if ids else begins


def _keyed(tx: Connection, key: str) -> list[str]:
    """The ids of the events that have this key: one of each workflow at most."""
    keyed = select(events.c.id).where(_owned_by(None, None), events.c.idempotency_key == key)
    return list(tx.execute(keyed).scalars())


def _owned_by(client: str | None, workflow: str | None) -> ColumnElement[bool]:
    """Whose an event is, by the beginning of the index of the keys; None is anybody."""
    table = workflow_versions.c
    owners = select(table.client, table.name).distinct()
    for column, value in ((table.client, client), (table.name, workflow)):
        if value is not None:
            owners = owners.where(column == value)
    return tuple_(events.c.client, events.c.workflow).in_(owners)


def _edge(tx: Connection, before: str | None) -> str | None:
    """The id of the last event that is near; None where all are."""
    ids = select(events.c.id).order_by(events.c.id.desc()).offset(_NEAR).limit(1)
    if before is not None:
        ids = ids.where(events.c.id < before)
    return tx.execute(ids).scalar_one_or_none()
