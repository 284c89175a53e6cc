"""Alerts about changes as rows: one for each round, kind and person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from orchestrator.store.clocks.alerts import AlertKind, begun
from orchestrator.store.database.prepared import storable
from orchestrator.store.database.schema import alerts
from orchestrator.store.database.upserts import upsert

_LONGEST_NEWS = 500  # characters


@dataclass(frozen=True, kw_only=True, slots=True)
class AboutChange:
    """The change that an alert is about, as it is when the alert is written."""

    id: int
    round: int
    subject: str  # the digest of what is asked


def add_change_alert(
    tx: Connection,
    about: AboutChange,
    kind: AlertKind,
    recipient: str,
    *,
    news: str | None = None,
    due_at: int | None = None,
) -> bool:
    """Write one alert with what the change asks now; False where it is there already.

    It is due now, or at `due_at` in milliseconds since 1970: a reminder, dropped where the
    change was decided or edited by then.
    """
    insert: Any = upsert(tx.dialect.name, alerts)
    statement: Any = begun(insert, kind, recipient).values(
        **({} if due_at is None else {"due_at": due_at}),
        incident_id=None,
        change_id=about.id,
        subject=about.subject,
        round=about.round,
        step=0,
        role=None,
        news=None if news is None else storable(news)[:_LONGEST_NEWS],
    )
    return bool(tx.execute(statement.on_conflict_do_nothing()).rowcount)
