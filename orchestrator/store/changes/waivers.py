"""Gates that an approver lets fail: who, why and until when."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select

from orchestrator.domain.changes.deciding import Grade
from orchestrator.domain.changes.gates.gate import Waiver
from orchestrator.store.changes.changes import LockedChange
from orchestrator.store.changes.evidence import GateSubject
from orchestrator.store.database import audit
from orchestrator.store.database.clock import in_iso, now_ms
from orchestrator.store.database.prepared import storable
from orchestrator.store.database.schema import gate_waivers
from orchestrator.store.views.values import iso_time

_T = gate_waivers.c


def add_waiver(
    tx: Connection,
    change: LockedChange,
    gate: str,
    *,
    person: int,
    by: str,
    grade: Grade,
    why: str,
    until: int,
) -> None:
    """Keep a waiver for this round of a change, and write the audit row."""
    tx.execute(
        insert(gate_waivers).values(
            change_id=change.id,
            round=change.round,
            gate=gate,
            person_id=person,
            by=by,
            grade=grade.value,
            why=storable(why),
            at=now_ms(),
            until=until,
        )
    )
    audit.record(
        tx,
        actor=by,
        action="waive_gate",
        client=change.client,
        workflow=change.workflow,
        detail={
            "change": change.token,
            "qa_gate": gate,
            "until": in_iso(until),
            "why": why,
            "grade": grade.value,
            "subject": change.subject,
        },
    )


def list_waivers(tx: Connection, subject: GateSubject) -> dict[str, Waiver]:
    """The last waiver of each gate in this round, by the gate's name."""
    mine = (_T.change_id == subject.id, _T.round == subject.round)
    rows = tx.execute(
        select(_T.gate, _T.by, _T.why, _T.at, _T.until, (_T.until <= now_ms()).label("expired"))
        .where(*mine)
        .order_by(_T.id)
    )
    return {
        row.gate: Waiver(
            by=row.by,
            why=row.why,
            at=iso_time(row.at),
            until=iso_time(row.until),
            expired=bool(row.expired),
        )
        for row in rows
    }
