"""What a run has in hand where the answer to its commit was lost: it may have been made or not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, and_, bindparam, select, update

from orchestrator.domain.lifecycle import DeliveryState
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.prepared import Prepared, among, row_values, rows_of
from orchestrator.store.database.schema import deliveries
from orchestrator.store.drive.deliveries import Taken


def still_in_hand(
    tx: Connection, ids: Sequence[str], run_id: str, taken: Sequence[Taken]
) -> list[Taken]:
    """Those of the `taken` that the run has still to settle; the caller holds the events `ids`.

    What it has beside them it took in the commit whose answer was lost, and did not call: that is
    pending again, as if nobody had taken it.
    """
    rows = _MINE.run(tx, ids=list(ids), run=run_id).all()
    mine = {(row.event_id, row.name) for row in rows}
    kept = [one for one in taken if (one.event_id, one.name) in mine]
    uncalled = sorted(mine.difference((one.event_id, one.name) for one in kept))
    if uncalled:
        _PUT_BACK.run(tx, run=run_id, **row_values(tx, list(_DELIVERY), uncalled))
    return kept


_DELIVERY = dict.fromkeys(("event_id", "name"), str)


def _of_run() -> Any:
    table = deliveries.c
    return and_(table.state == DeliveryState.SENDING.value, table.run_id == bindparam("run"))


def _put_back(dialect: str) -> Any:
    given, table = rows_of(dialect, **_DELIVERY), deliveries.c
    return (
        update(deliveries)
        .where(table.event_id == given.c.event_id, table.name == given.c.name, _of_run())
        .values(
            state=DeliveryState.PENDING,
            run_id=None,
            run_until=None,
            attempt=table.attempt - 1,
            due_at=now_ms(),
            updated_at=now_ms(),
        )
    )


_MINE = Prepared(
    lambda dialect: select(deliveries.c.event_id, deliveries.c.name).where(
        among(dialect, deliveries.c.event_id), _of_run()
    )
)
_PUT_BACK = Prepared(_put_back)
