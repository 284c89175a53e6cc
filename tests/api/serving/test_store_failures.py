"""Whatever keeps the store from being used, the door answers 503 with the reason, and never 500."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from orchestrator.store.database.engine import Store
from tests.api.doors import RunningDoor


def _in_every_connection(store: Store, statement: str) -> None:
    from sqlalchemy import event

    @event.listens_for(store.engine, "checkout")
    def _break(connection: object, *_: object) -> None:
        connection.execute(statement)  # type: ignore[attr-defined]


def _drop(store: Store) -> None:
    with store.write() as tx:
        tx.exec_driver_sql("ALTER TABLE events RENAME TO gone")


FAULTS: dict[str, tuple[Callable[[Store], None], str]] = {
    "the store is full": (
        lambda store: _in_every_connection(store, "PRAGMA max_page_count = 1"),
        "full",
    ),
    "the store is read-only": (
        lambda store: _in_every_connection(store, "PRAGMA query_only = ON"),
        "read-only",
    ),
    "a table is gone": (_drop, "lacks a table"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_store_that_cannot_be_used_is_a_503(door: RunningDoor, leads: Store, fault: str) -> None:
    breaks, reason = FAULTS[fault]
    assert door.emit().status_code == 202
    breaks(leads)

    answers = [door.emit(data={"email": "a@example.com", "tier": "pro", "message": "x" * 60_000})
               for _ in range(3)]  # fmt: skip

    assert [one.status_code for one in answers] == [503] * 3
    assert all(reason in one.json()["detail"] for one in answers)
    assert all(int(one.headers["retry-after"]) > 0 for one in answers)
