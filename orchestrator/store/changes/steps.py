"""What happened to a change, as the audit has it: who moved it, tried it and decided about it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from orchestrator.domain.commitments import Detail
from orchestrator.store.database.schema import audit, changes
from orchestrator.store.views.audit import audited
from orchestrator.store.views.values import iso_time

_MOST_READ = 10_000  # rows about its workflow since it was proposed; a story has some ten


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeStep:
    """One moment in the story of a change."""

    at: str  # ISO 8601 in UTC
    action: str  # the audit's word, such as `rehearse_change`
    by: str  # an actor
    detail: Detail  # names, counts and digests; why, where somebody said it


def list_steps(tx: Connection, token: str) -> tuple[ChangeStep, ...]:
    """The steps of a change, the oldest first."""
    row = tx.execute(
        select(changes.c.client, changes.c.workflow, changes.c.proposed_at).where(
            changes.c.token == token
        )
    ).one_or_none()
    if row is None:
        return ()
    mine = (
        audit.c.event_id.is_(None),
        audit.c.workflow == row.workflow,
        audit.c.client == row.client,
        audit.c.at >= row.proposed_at,
        audit.c.action.endswith("_change") | audit.c.action.endswith("_gate"),
    )
    rows = tx.execute(select(audit).where(*mine).order_by(audit.c.id).limit(_MOST_READ)).all()
    return tuple(
        ChangeStep(at=iso_time(row.at), action=one.action, by=one.actor, detail=one.detail or {})
        for row, one in zip(rows, audited(tx, rows), strict=True)
        if (one.detail or {}).get("change") == token
    )
