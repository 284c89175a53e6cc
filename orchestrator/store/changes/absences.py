"""Who is away until when, and who decides in their place."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select, update

from orchestrator.domain.changes.deciding import Away, Given
from orchestrator.store.database import audit
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.schema import absences, people
from orchestrator.store.views.values import iso_time

_T = absences.c


def add_absence(
    tx: Connection, person: int, mail: str, to: int, to_mail: str, until: int, *, actor: str
) -> None:
    """Let `to` decide for a person until then, in milliseconds since 1970; an earlier word ends."""
    end_absence(tx, person)
    tx.execute(
        insert(absences).values(person_id=person, to_id=to, until=until, at=now_ms(), by=actor)
    )
    detail = {"person": mail, "to": to_mail, "until": iso_time(until)}
    audit.record(tx, actor=actor, action="go_away", detail=detail)


def end_absence(tx: Connection, person: int) -> bool:
    """They are back; whether they were away."""
    mine = (_T.person_id == person, _T.ended_at.is_(None), _T.until > now_ms())
    return bool(tx.execute(update(absences).where(*mine).values(ended_at=now_ms())).rowcount)


def away_now(tx: Connection) -> dict[str, Away]:
    """Who is away, by mail address: one step, and no further."""
    away, stand_in = people.alias("away").c, people.alias("stand_in").c
    rows = tx.execute(
        select(away.mail, stand_in.mail.label("to"), _T.until, _T.at, _T.by)
        .select_from(absences)
        .join(away.id.table, away.id == _T.person_id)
        .join(stand_in.id.table, stand_in.id == _T.to_id)
        .where(_T.ended_at.is_(None), _T.until > now_ms())
        .order_by(_T.id)
    )
    return {
        row.mail: Away(to=row.to, until=row.until, given=Given(at=row.at, by=row.by))
        for row in rows
    }
