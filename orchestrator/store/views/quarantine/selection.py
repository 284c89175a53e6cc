"""Choosing quarantined events: by id, or by what they have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from orchestrator.domain.incidents.outcomes import StayOutcome
from orchestrator.store.database.schema import events, payloads, quarantine
from orchestrator.store.quarantine.payload_index import has_words
from orchestrator.store.views.values import of_clients

CHUNK = 500

Key = tuple[str, str, str]
"""Client, workflow and reason."""

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
    clients: frozenset[str] | None = None  # whose events somebody may see; None: everybody's

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all was said, so that it would mean everything."""
        return self == Selection(clients=self.clients)


def narrowed(
    tx: Connection, statement: Select[Any], selection: Selection, *, discarded: bool = False
) -> Select[Any]:
    """`statement` over the quarantine, with the selection's conditions.

    With `discarded` it is about what was given up from there, and its times are those of the
    discard. The words of these payloads are in no index any more: the caller looks for them.
    """
    table = quarantine.c
    at = table.ended_at if discarded else table.since
    statement = of_clients(statement, table.client, selection.clients)
    for column, value in (
        (table.client, selection.client),
        (table.workflow, selection.workflow),
        (table.reason, selection.reason),
        (table.incident_id, selection.incident),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if selection.since is not None:
        statement = statement.where(at >= selection.since)
    if selection.until is not None:
        statement = statement.where(at < selection.until)
    if selection.owner is not None:
        owners = (table.owner == selection.owner, table.recovery_lead == selection.owner)
        statement = statement.where(or_(*owners))
    if selection.amended is not None:
        # Looked up row by row: PostgreSQL makes a nested loop over all events of an `exists` where
        # its statistics do not know yet that many were amended.
        amended = (
            select(payloads.c.amended)
            .where(payloads.c.event_id == table.event_id)
            .correlate(quarantine)  # the statement may have the payloads beside it
            .scalar_subquery()
        )
        statement = statement.where(
            amended.is_not(None) if selection.amended else amended.is_(None)
        )
    if selection.words and not discarded:
        statement = statement.where(has_words(tx, selection.words))
    if selection.ids:
        statement = statement.where(table.event_id.in_(selection.ids))
    if discarded:
        return statement.where(table.outcome == StayOutcome.DISCARDED.value)
    return statement.where(table.released_at.is_(None))


def selected(
    tx: Connection,
    selection: Selection,
    *,
    discarded: bool = False,
    accepted_first: bool = False,
) -> list[str]:
    """The ids of the selected events that are in quarantine now, in the order they came there.

    With `discarded` the ids of those that were given up from there; with `accepted_first` in the
    order of their acceptance.
    """
    ids = select(quarantine.c.event_id)
    order: tuple[ColumnElement[Any], ...] = (quarantine.c.id,)
    if accepted_first:
        ids = ids.join(events, events.c.id == quarantine.c.event_id)
        order = (events.c.accepted_at, events.c.id)
    chosen = narrowed(tx, ids, selection, discarded=discarded).order_by(*order)
    return list(tx.execute(chosen).scalars())


def states_of(
    tx: Connection, ids: tuple[str, ...], clients: frozenset[str] | None = None
) -> dict[str, str]:
    """The state of each of these events that exists, and is one of these `clients`' (None: any)."""
    found = select(events.c.id, events.c.state).where(events.c.id.in_(ids))
    rows = tx.execute(of_clients(found, events.c.client, clients))
    return {row.id: row.state for row in rows}


@dataclass(frozen=True, kw_only=True)
class Cause:
    """How many events of one workflow are, or were, in quarantine for one reason."""

    client: str
    workflow: str
    reason: str
    events: int


def count_causes(tx: Connection, ids: Sequence[str], *, discarded: bool = False) -> Counter[Key]:
    """Count these events by client, workflow and reason of their quarantine."""
    table = quarantine.c
    there = (
        table.outcome == StayOutcome.DISCARDED.value if discarded else table.released_at.is_(None)
    )
    key = (table.client, table.workflow, table.reason)
    rows = tx.execute(
        select(*key, func.count()).where(table.event_id.in_(ids), there).group_by(*key)
    )
    return Counter({(row[0], row[1], row[2]): row[3] for row in rows})


def causes_of(counts: Counter[Key]) -> list[Cause]:
    """The same as values, the largest first."""
    return [
        Cause(client=client, workflow=workflow, reason=reason, events=count)
        for (client, workflow, reason), count in sorted(
            counts.items(), key=lambda one: (-one[1], one[0])
        )
    ]


def reasons_among(tx: Connection, ids: Sequence[str]) -> dict[str, str]:
    """Those of these events that are in quarantine now, each with its reason."""
    table = quarantine.c
    rows = tx.execute(
        select(table.event_id, table.reason).where(
            table.event_id.in_(ids), table.released_at.is_(None)
        )
    )
    return {row.event_id: row.reason for row in rows}


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
