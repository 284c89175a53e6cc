"""What was found out about changes as rows, round by round; only a rehearsal is replaced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection, delete, insert, select

from orchestrator.domain.changes.gates.evidence import EvidenceKind, Recorded, body_digest
from orchestrator.store.changes.changes import LockedChange
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.schema import change_evidence, changes

_T = change_evidence.c
_KINDS = frozenset(one.value for one in EvidenceKind)


def keep_evidence(
    tx: Connection, change: LockedChange, pieces: Sequence[Recorded], *, by: str
) -> None:
    """Keep what was found out about this round."""
    for one in pieces:
        tx.execute(
            insert(change_evidence).values(
                change_id=change.id,
                round=change.round,
                kind=one.kind.value,
                body=one.body,
                digest=one.digest,
                at=now_ms(),
                by=by,
            )
        )


def replace_evidence(tx: Connection, change: LockedChange, piece: Recorded, *, by: str) -> None:
    """Keep a piece in the place of an earlier one of its kind and round."""
    mine = (_T.change_id == change.id, _T.round == change.round, _T.kind == piece.kind.value)
    tx.execute(delete(change_evidence).where(*mine))
    keep_evidence(tx, change, [piece], by=by)


@dataclass(frozen=True, kw_only=True, slots=True)
class GateSubject:
    """What of a change its gates look at."""

    id: int
    token: str
    client: str
    workflow: str
    kind: str  # a ChangeKind
    state: str  # a ChangeState
    round: int
    base_version: int | None
    definition: str  # JSON
    evidence: str | None  # digests by kind, as JSON


def gate_subject(tx: Connection, token: str) -> GateSubject | None:
    """A change as its gates see it, not held; None where there is none."""
    row = tx.execute(select(changes).where(changes.c.token == token)).one_or_none()
    if row is None:
        return None
    names = GateSubject.__slots__
    return GateSubject(**{name: getattr(row, name) for name in names})


def subject_of_locked(change: LockedChange) -> GateSubject:
    """The same of a change that is held."""
    return GateSubject(
        id=change.id,
        token=change.token,
        client=change.client,
        workflow=change.workflow,
        kind=change.kind.value,
        state=change.state.value,
        round=change.round,
        base_version=change.base_version,
        definition=change.definition,
        evidence=change.evidence,
    )


def list_evidence(tx: Connection, subject: GateSubject) -> tuple[Recorded, ...]:
    """The evidence of this round that is a part of its subject, and has not been altered since."""
    digests: dict[str, str] = orjson.loads(subject.evidence) if subject.evidence else {}
    mine = (_T.change_id == subject.id, _T.round == subject.round)
    rows = tx.execute(select(_T.kind, _T.body).where(*mine).order_by(_T.kind)).all()
    return tuple(
        Recorded(kind=EvidenceKind(row.kind), body=row.body, digest=body_digest(row.body))
        for row in rows
        if row.kind in _KINDS and digests.get(row.kind) == body_digest(row.body)
    )
