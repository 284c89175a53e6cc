"""Changes as people read them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, func, select

from orchestrator.domain.changes.differences import Difference, differences
from orchestrator.domain.changes.rollout import Rollout
from orchestrator.domain.changes.states import UNFINISHED, ChangeKind, ChangeState
from orchestrator.store.changes.authors import Author, list_authors
from orchestrator.store.changes.decisions import list_decisions
from orchestrator.store.database.schema import changes, workflow_versions
from orchestrator.store.views.values import iso, iso_time, of_clients
from orchestrator.store.views.workflow_versions import show_workflow

_T = changes.c
_LONG = {"definition", "connectors"}
_SHORT = [column for column in changes.c if column.name not in _LONG]  # what a row of a list has


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeRow:
    """A change in a list. Times are ISO 8601 in UTC."""

    change: str  # its token
    client: str
    workflow: str
    kind: str  # publish, amend or retire
    state: str
    round: int  # from 1; each edit begins a new one
    base_version: int | None  # that it changes; None: there was none
    live_version: int | None  # that it made
    way: str | None  # how it went live: approved, unapproved or break_glass
    why: str | None
    because: str | None  # why it was withdrawn, rejected, expired, or broke the glass
    proposed_at: str
    proposed_by: str  # an actor
    changed_at: str  # its state
    changed_by: str
    expires_at: str
    go_live_at: str | None  # None: as soon as it is approved


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownDecision:
    """What somebody said of a change."""

    round: int
    decision: str  # approve, request_changes or reject
    by: str  # an actor
    grade: str  # how it is known who that was: session, api_key or key
    digest: str  # of what they decided about
    why: str | None
    at: str
    stands_in_for: str | None  # mail of the approver who was away


@dataclass(frozen=True, kw_only=True, slots=True)
class UsedDefinition:
    """A connector definition that goes live with a change."""

    connector: str
    digest: str  # 64 hex digits
    before: str | None  # that was approved with the base version; None: none was


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeView(ChangeRow):
    """A change whole."""

    digest: str  # what an approval covers: 64 hex digits
    definition_digest: str  # as versions have it
    definition: dict[str, object]
    authors: tuple[Author, ...]
    decisions: tuple[ShownDecision, ...]
    differences: tuple[Difference, ...]  # of its definition from that of its base version
    connectors: tuple[UsedDefinition, ...]  # by name; none: whoever proposed it knew of none
    rollout: str | None  # its steps in words; None: it goes live for all events at once


def open_changes_of(
    tx: Connection, workflows: Collection[tuple[str, str]]
) -> dict[tuple[str, str], list[ChangeRow]]:
    """Changes that may still go live, by client and name of these workflows; the newest first."""
    if not workflows:
        return {}
    still = _T.state.in_([one.value for one in UNFINISHED])
    names = {name for _, name in workflows}
    found: dict[tuple[str, str], list[ChangeRow]] = {}
    for row in tx.execute(
        select(*_SHORT).where(still, _T.workflow.in_(names)).order_by(_T.id.desc())
    ):
        if (row.client, row.workflow) in workflows:
            found.setdefault((row.client, row.workflow), []).append(ChangeRow(**_head(row)))
    return found


def list_changes(
    tx: Connection,
    *,
    client: str | None = None,
    workflow: str | None = None,
    state: ChangeState | None = None,
    every: bool = False,
    over: bool = False,
    clients: frozenset[str] | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[tuple[int, ChangeRow]]:
    """Changes with their numbers, the newest first; without `state` and `every` the open ones.

    With `over` only those that cannot go live any more, or are live.
    """
    found = of_clients(select(*_SHORT), _T.client, clients)
    for column, value in ((_T.client, client), (_T.workflow, workflow), (_T.state, state)):
        if value is not None:
            found = found.where(column == value)
    still = _T.state.in_([one.value for one in UNFINISHED])
    if over:
        found = found.where(~still)
    elif state in UNFINISHED or (state is None and not every):
        found = found.where(still)  # also for one state: it leads to the index
    if before is not None:
        found = found.where(_T.id < before)
    rows = tx.execute(found.order_by(_T.id.desc()).limit(limit))
    return [(row.id, ChangeRow(**_head(row))) for row in rows]


def show_change(
    tx: Connection, token: str, clients: frozenset[str] | None = None
) -> ChangeView | None:
    """A change with its definition, authors and decisions; None where there is none."""
    found = of_clients(select(changes).where(_T.token == token), _T.client, clients)
    row = tx.execute(found).one_or_none()
    if row is None:
        return None
    decided = (
        ShownDecision(
            round=one.round,
            decision=one.decision.value,
            by=one.by,
            grade=one.grade.value,
            digest=one.subject,
            why=one.why,
            at=iso_time(one.at),
            stands_in_for=one.stands_in_for,
        )
        for one in list_decisions(tx, row.id)
    )
    return ChangeView(
        **_head(row),
        digest=row.subject,
        definition_digest=row.digest,
        definition=orjson.loads(row.definition),
        authors=list_authors(tx, row.id),
        decisions=tuple(decided),
        differences=_differences(tx, row),
        connectors=_connectors(tx, row),
        rollout=None if row.rollout is None else Rollout.from_text(row.rollout).told(),
    )


def _connectors(tx: Connection, row: Any) -> tuple[UsedDefinition, ...]:
    table = workflow_versions.c
    base = (table.client == row.client, table.name == row.workflow)
    found = select(table.connectors).where(*base, table.version == row.base_version)
    text = tx.execute(found).scalar_one_or_none()
    before = {} if text is None else orjson.loads(text)
    used = {} if row.connectors is None else orjson.loads(row.connectors)
    return tuple(
        UsedDefinition(connector=name, digest=digest, before=before.get(name))
        for name, digest in used.items()
    )


def _differences(tx: Connection, row: Any) -> tuple[Difference, ...]:
    before: object = {}
    if row.base_version is not None:
        base = show_workflow(tx, row.client, row.workflow, version=row.base_version)
        before = {} if base is None else base.shown.definition
    after = {} if row.kind == ChangeKind.RETIRE else orjson.loads(row.definition)
    return tuple(differences(before, after))


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeCounts:
    """How far versions are approved."""

    live: int  # workflows
    unapproved: int  # of these, whose version went live without an approval
    waiting: int  # changes that await one
    broken: int  # of the unapproved, those that went live by break-glass


def count_changes(tx: Connection) -> ChangeCounts:
    """Count live versions by how they went live, and what awaits an approval."""
    versions = workflow_versions.c
    live = select(func.count()).select_from(workflow_versions).where(versions.live)
    every = tx.execute(live).scalar_one()
    approved = tx.execute(
        select(func.count())
        .join_from(workflow_versions, changes, _T.id == versions.change_id)
        .where(versions.live, _T.way == "approved")
    ).scalar_one()
    broken = tx.execute(
        select(func.count())
        .join_from(workflow_versions, changes, _T.id == versions.change_id)
        .where(versions.live, _T.way == "break_glass")
    ).scalar_one()
    asked = ChangeState.AWAITING_APPROVAL.value
    waiting = tx.execute(select(func.count()).where(_T.state == asked)).scalar_one()
    return ChangeCounts(live=every, unapproved=every - approved, waiting=waiting, broken=broken)


def client_of(tx: Connection, token: str) -> str | None:
    """The client of a change; None where there is no such change."""
    return tx.execute(select(_T.client).where(_T.token == token)).scalar_one_or_none()


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedChange:
    """Which change it is."""

    change: str  # its token
    client: str
    workflow: str


def named_by_number(tx: Connection, number: int) -> NamedChange | None:
    """A change by its number; None where there is none."""
    row = tx.execute(select(_T.token, _T.client, _T.workflow).where(_T.id == number)).one_or_none()
    return None if row is None else NamedChange(change=row[0], client=row[1], workflow=row[2])


def _head(row: Any) -> dict[str, Any]:
    """The fields of ChangeRow."""
    return {
        "change": row.token,
        "client": row.client,
        "workflow": row.workflow,
        "kind": row.kind,
        "state": row.state,
        "round": row.round,
        "base_version": row.base_version,
        "live_version": row.live_version,
        "way": row.way,
        "why": row.why,
        "because": row.ended_why,
        "proposed_at": iso_time(row.proposed_at),
        "proposed_by": row.proposed_by,
        "changed_at": iso_time(row.changed_at),
        "changed_by": row.changed_by,
        "expires_at": iso_time(row.expires_at),
        "go_live_at": iso(row.go_live_at),
    }
