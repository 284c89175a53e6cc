"""What changes that await a decision ask of whoever decides, read for a whole list at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection, func, select

from orchestrator.domain.changes.deciding import Asked, Away, Decider
from orchestrator.store.changes.absences import away_now
from orchestrator.store.changes.approvers import deciders_by_client
from orchestrator.store.changes.authors import Author, authors_of
from orchestrator.store.database.schema import changes, workflow_versions

_T = changes.c


@dataclass(frozen=True, kw_only=True, slots=True)
class WaitingChange:
    """A change, and by what it is known who may decide about it."""

    asked: Asked  # without whom the version that is live names
    approver: str  # whom that version names, or without one the change itself
    deciders: tuple[Decider, ...]  # everybody with the role for its client
    away: Mapping[str, Away]  # who is away, by mail address


def waiting_changes(tx: Connection, numbers: Collection[int]) -> dict[int, WaitingChange]:
    """What these changes ask, by their numbers; as many statements for many as for one."""
    if not numbers:
        return {}
    rows = tx.execute(select(_T.id, _T.client, _T.proposed_at).where(_T.id.in_(numbers))).all()
    authors, named = authors_of(tx, numbers), _named(tx, numbers)
    deciders = deciders_by_client(tx, {row.client for row in rows})
    away = away_now(tx)
    return {
        row.id: WaitingChange(
            asked=_asked(authors.get(row.id, ()), row.proposed_at),
            approver=named[row.id],
            deciders=tuple(deciders[row.client]),
            away=away,
        )
        for row in rows
    }


def _asked(authors: Collection[Author], proposed_at: int) -> Asked:
    return Asked(
        authors=frozenset(one.name for one in authors),
        proven=frozenset(one.name for one in authors if one.proven),
        proposed_at=proposed_at,
        named=None,
    )


def _named(tx: Connection, numbers: Collection[int]) -> Mapping[int, str]:
    """Whom the version that is live names as approver, by the number of the change."""
    live = workflow_versions.c
    of_it = (live.client == _T.client) & (live.name == _T.workflow) & live.live
    rows = tx.execute(
        select(_T.id, func.coalesce(live.definition, _T.definition).label("definition"))
        .select_from(changes.outerjoin(workflow_versions, of_it))
        .where(_T.id.in_(numbers))
    )
    return {row.id: orjson.loads(row.definition)["owners"]["approver"] for row in rows}
