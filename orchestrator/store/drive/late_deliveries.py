"""Events that were delivered too late: recorded in the commit that delivers them, each once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Connection, bindparam, select

from orchestrator.domain.workflows.hours.calendar import deadline, latest_start
from orchestrator.store.database import audit
from orchestrator.store.database.clock import in_ms, moment, now_ms, time_of
from orchestrator.store.database.prepared import Prepared, among, row_values, rows_of
from orchestrator.store.database.schema import breaches, events
from orchestrator.store.database.upserts import upsert

if TYPE_CHECKING:  # a listing of clocks does not read workflow files
    from orchestrator.domain.workflows.workflow import Workflow

DELIVER_WITHIN = "deliver_within"
"""The clock from an event's acceptance to its delivery, as breaches and the audit name it."""


def record_late_deliveries(
    tx: Connection, ids: Sequence[str], workflow: Workflow, *, actor: str
) -> None:
    """Record which of these events, delivered just now, were delivered too late.

    It looks them up; whoever knows that all were in time need not ask.
    """
    within = workflow.deliver_within_seconds
    cutoff = in_ms(latest_start(time_of(tx), within, workflow.calendar))
    late = {
        row.id: in_ms(deadline(moment(row.accepted_at), within, workflow.calendar))
        for row in _ACCEPTED_BY.run(tx, ids=list(ids), cutoff=cutoff)
    }
    record_breaches(
        tx,
        [(one, workflow.client, workflow.name, due_at) for one, due_at in late.items()],
        actor=actor,
    )


_ACCEPTED_BY = Prepared(
    lambda dialect: select(events.c.id, events.c.accepted_at).where(
        among(dialect, events.c.id),
        events.c.accepted_at <= bindparam("cutoff", type_=BigInteger),
    )
)


Breach = tuple[str, str, str, int]
"""An event, its client and workflow, and when its time was over."""


def record_breaches(tx: Connection, late: Sequence[Breach], *, actor: str) -> set[str]:
    """Keep what nobody has recorded before, and tell the audit; which that was."""
    if not late:
        return set()
    rows = [(event_id, DELIVER_WITHIN, *rest) for event_id, *rest in late]
    kept = set(_KEEP.run(tx, **row_values(tx, list(_BREACH), rows)).scalars())
    audit.record_moves(
        tx, sorted(kept), actor=actor, action="breach", source=None, target=None,
        reason=DELIVER_WITHIN,
    )  # fmt: skip
    return kept


_BREACH = {"event_id": str, "kind": str, "client": str, "workflow": str, "due_at": int}


def _keep(dialect: str) -> Any:
    given = rows_of(dialect, **_BREACH)
    insert: Any = upsert(dialect, breaches)
    # SQLite takes ON CONFLICT after a SELECT for a join, unless there is a WHERE.
    rows = select(*given.c, now_ms()).where(given.c.event_id.is_not(None))
    return (
        insert.from_select([*_BREACH, "at"], rows)
        .on_conflict_do_nothing()
        .returning(breaches.c.event_id)
    )


_KEEP = Prepared(_keep)
