"""Choosing events that stand in quarantine: by id, or by what they have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, and_, exists, or_, select

from orchestrator.store.payload_words import has_words
from orchestrator.store.schema import events, payloads, quarantine

CHUNK = 500

UNGROUPED = and_(quarantine.c.released_at.is_(None), quarantine.c.incident_id.is_(None))
"""Quarantined events that have no incident yet."""


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which quarantined events; every condition that is given must hold."""

    ids: tuple[str, ...] = ()
    client: str | None = None
    workflow: str | None = None
    reason: str | None = None
    since: int | None = None  # in quarantine since this time or later, in milliseconds
    until: int | None = None  # in quarantine since before this time
    incident: int | None = None
    owner: str | None = None  # who owns the event, or its recovery lead
    amended: bool | None = None  # only those that somebody amended, or nobody
    words: tuple[str, ...] = ()  # each begins a word of its payload as it came

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all was said, so that it would mean everything."""
        return self == Selection()


def narrowed(tx: Connection, statement: Select[Any], selection: Selection) -> Select[Any]:
    """`statement` over the quarantine, with the selection's conditions."""
    table = quarantine.c
    for column, value in (
        (table.client, selection.client),
        (table.workflow, selection.workflow),
        (table.reason, selection.reason),
        (table.incident_id, selection.incident),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if selection.since is not None:
        statement = statement.where(table.since >= selection.since)
    if selection.until is not None:
        statement = statement.where(table.since < selection.until)
    if selection.owner is not None:
        owners = (table.owner == selection.owner, table.recovery_lead == selection.owner)
        statement = statement.where(or_(*owners))
    if selection.amended is not None:
        by_somebody = exists().where(
            payloads.c.event_id == table.event_id, payloads.c.amended.is_not(None)
        )
        statement = statement.where(by_somebody if selection.amended else ~by_somebody)
    if selection.words:
        statement = statement.where(has_words(tx, selection.words))
    if selection.ids:
        statement = statement.where(table.event_id.in_(selection.ids))
    return statement.where(table.released_at.is_(None))


def chunks(tx: Connection, selection: Selection) -> Iterator[list[str]]:
    """The ids of the selected events that stand in quarantine now, CHUNK at a time."""
    found = list(
        tx.execute(
            narrowed(tx, select(quarantine.c.event_id), selection).order_by(quarantine.c.id)
        ).scalars()
    )
    yield from (found[at : at + CHUNK] for at in range(0, len(found), CHUNK))


def states_of(tx: Connection, ids: tuple[str, ...]) -> dict[str, str]:
    """The state of each of these events that exists."""
    rows = tx.execute(select(events.c.id, events.c.state).where(events.c.id.in_(ids)))
    return {row.id: row.state for row in rows}


def by_workflow(tx: Connection, ids: Sequence[str]) -> dict[tuple[str, str], list[str]]:
    """Event ids by the client and name of their workflow."""
    table = events.c
    rows = tx.execute(
        select(table.id, table.client, table.workflow).where(table.id.in_(ids)).order_by(table.id)
    )
    found: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        found.setdefault((row.client, row.workflow), []).append(row.id)
    return found
