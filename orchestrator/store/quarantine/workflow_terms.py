"""What published workflows promise: their clocks and their people, read once per version.

A version was checked when it was published, so it is read without the models of workflow files:
they take longer to load than a listing of clocks takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, select

from orchestrator.domain.text.durations import seconds
from orchestrator.domain.workflows.hours.calendar import Calendar, read_calendar
from orchestrator.domain.workflows.promises import ESCALATE, PAUSES_STOP, PromisedRate
from orchestrator.store.database.schema import workflow_versions


@dataclass(frozen=True, kw_only=True)
class Terms:
    """The promise of one version. Times in seconds."""

    workflow_id: int  # of the version
    client: str
    workflow: str  # its name
    deliver_within: float  # from the acceptance of an event to its delivery
    recover_within: float  # from its quarantine to its recovery
    calendar: Calendar | None  # whose hours count; None: all do
    escalate: tuple[float, ...]  # after a breach: recovery lead, owner, backstop
    owner: str  # an e-mail address, as are the other two
    recovery_lead: str
    backstop: str
    success_rate: PromisedRate | None  # None: none is promised
    pauses_stop: tuple[str, ...]  # clocks that a planned pause stops


class TermsShelf:
    """The terms of every version; a version never changes, so it is read once per process."""

    def __init__(self) -> None:
        self._versions: dict[int, Terms] = {}

    def take(self, tx: Connection) -> dict[int, Terms]:
        """The terms by version id, the oldest first."""
        table = workflow_versions.c
        last = next(reversed(self._versions), 0)
        columns = (table.id, table.client, table.name, table.definition)
        for row in tx.execute(select(*columns).where(table.id > last).order_by(table.id)):
            self._versions[row.id] = _terms(row)
        return self._versions

    def newest(self, tx: Connection) -> dict[tuple[str, str], Terms]:
        """The terms of the newest version by client and workflow."""
        table = workflow_versions.c
        # A candidate promises nothing before it is live, and never where it went back.
        tried = set(tx.execute(select(table.id).where(table.trial.is_not(None))).scalars())
        kept = (one for number, one in self.take(tx).items() if number not in tried)
        return {(one.client, one.workflow): one for one in kept}


def _terms(row: Any) -> Terms:
    said = orjson.loads(row.definition)
    sla, owners = said["sla"], said["owners"]
    calendar, rate = sla.get("calendar"), sla.get("success_rate")
    return Terms(
        workflow_id=row.id,
        client=row.client,
        workflow=row.name,
        deliver_within=seconds(sla["deliver_within"]),
        recover_within=seconds(sla["recover_within"]),
        calendar=read_calendar(**calendar) if calendar else None,
        escalate=tuple(seconds(one) for one in sla.get("escalate", ESCALATE)),
        owner=owners["owner"],
        recovery_lead=owners["recovery_lead"],
        backstop=owners["backstop"],
        success_rate=PromisedRate(**rate) if rate else None,
        pauses_stop=tuple(sla.get("pauses_stop", PAUSES_STOP)),
    )
