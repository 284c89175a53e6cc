"""Dead letters that nobody closed, as the quarantine lists them beside its events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, func, select

from orchestrator.domain.reasons import Reason
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.schema import dead_letters, incidents
from orchestrator.store.quarantine.dead_letters import AT_BROKER, NOBODY, LetterState
from orchestrator.store.views.quarantine.dead_letters import (
    Returned,
    letter_heads,
    letters_that_returned,
)
from orchestrator.store.views.quarantine.list import QuarantineCount
from orchestrator.store.views.quarantine.selection import Selection
from orchestrator.store.views.values import iso, iso_time


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


def list_poison(
    tx: Connection, selection: Selection, *, limit: int = 1000
) -> list[QuarantinedMessage]:
    """Dead letters that nobody closed, in the quarantine's words, the oldest first.

    A selection by id, by payload or by client has none of them: nobody knows that.
    """
    statement = _chosen(letter_heads(), selection)
    if statement is None:
        return []
    statement = statement.add_columns(
        incidents.c.owner, (dead_letters.c.recover_by < now_ms()).label("overdue")
    )
    statement = statement.order_by(dead_letters.c.id).limit(limit)
    rows = tx.execute(statement).all()
    returned = letters_that_returned(tx, [row.id for row in rows])
    return [
        QuarantinedMessage(
            dead_letter=row.id,
            detail=row.error,
            owner=row.owner or NOBODY,
            recovery_lead=row.owner or NOBODY,
            recover_by=iso_time(row.recover_by),
            since=iso_time(row.at),
            overdue=bool(row.overdue),
            returned=returned.get(row.id),
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
    if selection.clients is not None:  # whose they are nobody knows
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
