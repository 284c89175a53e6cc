"""Which events in quarantine somebody amended is looked up row by row, on every database."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import quarantine
from orchestrator.store.views.quarantine.selection import Selection, narrowed


@pytest.mark.parametrize("amended", [True, False])
def test_what_is_amended_is_not_joined_by_statistics_that_know_of_none(
    store: Store, amended: bool
) -> None:
    """A nested loop over what was amended since: 65,000 events by 15,000 took minutes."""
    with store.read() as tx:
        chosen = Selection(incident=1, amended=amended)
        statement = narrowed(tx, select(quarantine.c.event_id), chosen)
        text = statement.compile(store.engine, compile_kwargs={"literal_binds": True})
        explain = "EXPLAIN QUERY PLAN" if store.is_sqlite else "EXPLAIN"
        rows = tx.exec_driver_sql(f"{explain} {text}").all()
    plan = "\n".join(str(row[-1]) for row in rows)
    assert ("CORRELATED SCALAR" if store.is_sqlite else "SubPlan") in plan, plan
    assert "Join" not in plan and "Nested Loop" not in plan, plan
