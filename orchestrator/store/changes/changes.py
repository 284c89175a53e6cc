"""Changes as rows: each is moved by one function, which writes the audit row beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, exists, func, insert, select, update

from orchestrator.domain.changes.states import (
    OPEN,
    ROLLING,
    UNFINISHED,
    ChangeKind,
    ChangeMove,
    ChangeState,
    change_target,
)
from orchestrator.domain.commitments import Detail
from orchestrator.store.changes.freezes import is_frozen
from orchestrator.store.database import audit
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.prepared import storable
from orchestrator.store.database.schema import changes, workflow_versions
from orchestrator.store.quarantine.workflows import LiveWorkflow

_T = changes.c
_BESIDE = changes.alias("beside")
_OPEN = tuple(one.value for one in OPEN)
_UNFINISHED = tuple(one.value for one in UNFINISHED)
_ROLLING = tuple(one.value for one in ROLLING)


@dataclass(frozen=True, kw_only=True, slots=True)
class NewChange:
    """What a proposal says."""

    token: str
    client: str
    workflow: str
    kind: ChangeKind
    base_version: int | None
    definition: str  # JSON
    digest: str  # of the definition, as versions have it
    subject: str  # what an approval of it covers
    why: str | None
    expires_at: int  # in milliseconds since 1970
    go_live_at: int | None
    connectors: str | None  # digests of the definitions that it uses, by name, as JSON
    evidence: str | None  # digests of what was found out about it, by kind, as JSON
    rollout: str | None = None  # its steps, as JSON; None: it goes live for all events at once


@dataclass(frozen=True, kw_only=True, slots=True)
class LockedChange:
    """A change that nobody else moves until the transaction ends. Times in ms since 1970."""

    id: int
    token: str
    client: str
    workflow: str
    kind: ChangeKind
    state: ChangeState
    round: int
    base_version: int | None
    definition: str  # JSON
    digest: str
    subject: str
    why: str | None
    proposed_at: int
    proposed_by: str
    changed_at: int
    changed_by: str
    expires_at: int
    go_live_at: int | None
    connectors: str | None  # JSON
    evidence: str | None  # JSON
    rollout: str | None  # JSON


def add_change(tx: Connection, new: NewChange, *, actor: str) -> int:
    """Write a draft; its number."""
    now = now_ms()
    number: int = tx.execute(
        insert(changes)
        .values(
            token=new.token,
            client=new.client,
            workflow=new.workflow,
            kind=new.kind.value,
            state=ChangeState.DRAFT.value,
            round=1,
            base_version=new.base_version,
            definition=new.definition,
            digest=new.digest,
            subject=new.subject,
            why=None if new.why is None else storable(new.why),
            proposed_at=now,
            proposed_by=actor,
            changed_at=now,
            changed_by=actor,
            expires_at=new.expires_at,
            go_live_at=new.go_live_at,
            connectors=new.connectors,
            evidence=new.evidence,
            rollout=new.rollout,
        )
        .returning(_T.id)
    ).scalar_one()
    told = {"kind": new.kind.value, "digest": new.digest, "base": new.base_version, "why": new.why}
    _record(tx, new.client, new.workflow, new.token, ChangeMove.PROPOSE, actor, told)
    return number


def lock_change(tx: Connection, token: str) -> LockedChange | None:
    """Wait for a change and hold it; None where there is none."""
    return _locked(tx, select(changes).where(_T.token == token).with_for_update())


def change_of_live(tx: Connection, client: str, workflow: str) -> LockedChange | None:
    """The change by which a workflow's live version went live, held; None on older versions."""
    table = workflow_versions.c
    live = (table.client == client, table.name == workflow, table.live)
    number = select(table.change_id).where(*live).scalar_subquery()
    return _locked(tx, select(changes).where(_T.id == number).with_for_update())


def last_change(tx: Connection, live: LiveWorkflow) -> LockedChange | None:
    """The last change of a workflow that went live, held; None before there was any."""
    mine = (_T.client == live.client, _T.workflow == live.name, _T.way.is_not(None))
    found = select(changes).where(*mine).order_by(_T.changed_at.desc(), _T.id.desc()).limit(1)
    return _locked(tx, found.with_for_update())


def way_of(tx: Connection, workflow_id: int) -> str | None:
    """How a version went live, by the id of its row; None before there were changes."""
    table = workflow_versions.c
    found = select(_T.way).join(workflow_versions, table.change_id == _T.id)
    return tx.execute(found.where(table.id == workflow_id)).scalar_one_or_none()


def base_of_live(tx: Connection, live: LiveWorkflow) -> int | None:
    """The version that was live before this one; None: there was none."""
    table = workflow_versions.c
    went_live = select(_T.base_version).join(workflow_versions, table.change_id == _T.id)
    row = tx.execute(went_live.where(table.id == live.id)).one_or_none()
    if row is not None:
        return None if row.base_version is None else int(row.base_version)
    return live.version - 1 or None  # from before there were changes: one after the other


def find_locked(tx: Connection, token: str) -> LockedChange | None:
    """The same without holding it, for a look."""
    return _locked(tx, select(changes).where(_T.token == token))


def lock_asked_change(
    tx: Connection,
    client: str,
    workflow: str,
    *,
    digest: str,
    base_version: int | None,
    connectors: str | None,
    rollout: str | None,
) -> LockedChange | None:
    """One that awaits or has its approval, and says the same upon the same version; else None."""
    same = (_T.client == client, _T.workflow == workflow, _T.digest == digest)
    found = select(changes).where(*same, _T.base_version.is_not_distinct_from(base_version))
    found = found.where(_T.connectors.is_not_distinct_from(connectors))
    found = found.where(_T.rollout.is_not_distinct_from(rollout))
    asked = (ChangeState.AWAITING_APPROVAL.value, ChangeState.APPROVED.value)
    found = found.where(_T.state.in_(asked)).order_by(_T.id).limit(1)
    return _locked(tx, found.with_for_update())


def same_open(tx: Connection, change: LockedChange) -> list[int]:
    """Numbers of the other open changes of its workflow with the same definition."""
    same = (_T.client == change.client, _T.workflow == change.workflow, _T.digest == change.digest)
    found = select(_T.id).where(*same, _T.id != change.id, _T.state.in_(_OPEN))
    return list(tx.execute(found.order_by(_T.id)).scalars())


def count_open(tx: Connection, client: str, workflow: str) -> int:
    """How many changes of a workflow may still go live."""
    mine = (_T.client == client, _T.workflow == workflow, _T.state.in_(_OPEN))
    return int(tx.execute(select(func.count()).select_from(changes).where(*mine)).scalar_one())


def move_change(
    tx: Connection,
    change: LockedChange,
    move: ChangeMove,
    *,
    actor: str,
    detail: Detail | None = None,
    live: tuple[int | None, str] | None = None,
) -> ChangeState:
    """Move it and write the audit row; where it is then. Raises IllegalMove.

    `live` is the version that it made and the way in which it went live.
    """
    target = change_target(move, change.state)
    values: dict[str, object] = {"state": target.value, "changed_at": now_ms(), "changed_by": actor}
    if live is not None:
        values |= {"live_version": live[0], "way": live[1]}
    why = (detail or {}).get("why")
    if target not in UNFINISHED and isinstance(why, str):
        values["ended_why"] = storable(why)
    tx.execute(update(changes).where(_T.id == change.id).values(values))
    _record(tx, change.client, change.workflow, change.token, move, actor, detail or {})
    return target


def add_why(tx: Connection, change: LockedChange, why: str, *, actor: str) -> None:
    """Keep why somebody else, or again, proposes the same, beside what was said before."""
    said = [] if change.why is None else change.why.splitlines()
    if why in said:
        return
    kept = storable("\n".join([*said, why]))
    tx.execute(update(changes).where(_T.id == change.id).values(why=kept))
    _record(
        tx, change.client, change.workflow, change.token, ChangeMove.PROPOSE, actor, {"why": why}
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Edited:
    """What an edit makes of a change."""

    base_version: int | None
    definition: str
    digest: str
    subject: str
    why: str | None
    expires_at: int
    go_live_at: int | None
    connectors: str | None
    evidence: str | None
    rollout: str | None


def edit_change(tx: Connection, change: LockedChange, edited: Edited, *, actor: str) -> None:
    """Begin the next round of a change, as a draft. Raises IllegalMove."""
    detail = {"digest": edited.digest, "base": edited.base_version, "round": change.round + 1}
    move_change(tx, change, ChangeMove.EDIT, actor=actor, detail=detail)
    tx.execute(
        update(changes)
        .where(_T.id == change.id)
        .values(
            round=change.round + 1,
            base_version=edited.base_version,
            definition=edited.definition,
            digest=edited.digest,
            subject=edited.subject,
            why=None if edited.why is None else storable(edited.why),
            expires_at=edited.expires_at,
            go_live_at=edited.go_live_at,
            connectors=edited.connectors,
            evidence=edited.evidence,
            rollout=edited.rollout,
        )
    )


def set_evidence(tx: Connection, change: LockedChange, *, evidence: str, subject: str) -> None:
    """Write down what was found out about a change, and what an approval covers from now on."""
    values = {"evidence": evidence, "subject": subject}
    tx.execute(update(changes).where(_T.id == change.id).values(values))


def lock_others(tx: Connection, change: LockedChange) -> list[LockedChange]:
    """The other changes of its workflow that may still go live, held."""
    others = select(changes).where(
        _T.client == change.client, _T.workflow == change.workflow, _T.id != change.id
    )
    rows = tx.execute(others.where(_T.state.in_(_UNFINISHED)).order_by(_T.id).with_for_update())
    return [_of(row) for row in rows]


def rolling_changes(tx: Connection) -> Sequence[str]:
    """Tokens of the changes whose version is rolled out, of all clients; the oldest first."""
    found = select(_T.token).where(_T.state.in_(_UNFINISHED), _T.state.in_(_ROLLING))
    return tx.execute(found.order_by(_T.id)).scalars().all()


def rolling_change(tx: Connection, client: str, workflow: str) -> str | None:
    """The token of the change of a workflow whose version is rolled out; None: there is none."""
    mine = (_T.client == client, _T.workflow == workflow, _T.state.in_(_ROLLING))
    return tx.execute(select(_T.token).where(*mine)).scalars().first()


def lock_open(tx: Connection, client: str) -> list[LockedChange]:
    """The changes of a client that may still go live, held."""
    # The first condition leads to the index.
    found = select(changes).where(_T.state.in_(_UNFINISHED), _T.state.in_(_OPEN))
    found = found.where(_T.client == client)
    return [_of(row) for row in tx.execute(found.order_by(_T.id).with_for_update())]


def prolong_change(tx: Connection, change: LockedChange, until: int) -> None:
    """Let it expire no sooner than then, in milliseconds since 1970."""
    later = (_T.id == change.id, _T.expires_at < until)
    tx.execute(update(changes).where(*later).values(expires_at=until))


def due_changes(tx: Connection, *, most: int) -> Sequence[str]:
    """Tokens of open changes whose time is over, or that are approved and due; the oldest first."""
    now = now_ms()
    # One that has no time is live once it is approved, unless a freeze or a rollout kept it.
    due = (_T.state == ChangeState.APPROVED.value) & (func.coalesce(_T.go_live_at, 0) <= now)
    due &= ~is_frozen() & ~_other_is_rolling()
    found = select(_T.token).where(_T.state.in_(_UNFINISHED), _T.state.in_(_OPEN))
    found = found.where(due | (_T.expires_at <= now))
    return tx.execute(found.order_by(_T.id).limit(most)).scalars().all()


def _other_is_rolling() -> ColumnElement[bool]:
    """Whether another change of the same workflow is being rolled out."""
    other = _BESIDE.c
    same = (other.client == _T.client, other.workflow == _T.workflow)
    return exists().where(*same, other.state.in_(_UNFINISHED), other.state.in_(_ROLLING))


def _locked(tx: Connection, found: Select[Any]) -> LockedChange | None:
    row = tx.execute(found).one_or_none()
    return None if row is None else _of(row)


def _of(row: Any) -> LockedChange:
    return LockedChange(
        id=row.id,
        token=row.token,
        client=row.client,
        workflow=row.workflow,
        kind=ChangeKind(row.kind),
        state=ChangeState(row.state),
        round=row.round,
        base_version=row.base_version,
        definition=row.definition,
        digest=row.digest,
        subject=row.subject,
        why=row.why,
        proposed_at=row.proposed_at,
        proposed_by=row.proposed_by,
        changed_at=row.changed_at,
        changed_by=row.changed_by,
        expires_at=row.expires_at,
        go_live_at=row.go_live_at,
        connectors=row.connectors,
        evidence=row.evidence,
        rollout=row.rollout,
    )


def _record(
    tx: Connection,
    client: str,
    workflow: str,
    token: str,
    move: ChangeMove,
    actor: str,
    detail: Detail,
) -> None:
    audit.record(
        tx,
        actor=actor,
        action=f"{move}_change",
        client=client,
        workflow=workflow,
        detail={"change": token, **{name: one for name, one in detail.items() if one is not None}},
    )
