"""What a transaction asks for comes after its commit, and a store that is away is asked again."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import Connection

from orchestrator.domain.errors import StoreUnavailable
from orchestrator.store.database.engine import Store, ring_after_commit


def test_who_asks_within_a_transaction_wakes_the_relay_with_its_commit(store: Store) -> None:
    store.bell.wait(0)  # from now on no ring is missed
    with store.write() as tx:
        ring_after_commit(tx)

    assert store.bell.wait(5)


def test_a_transaction_that_leaves_nothing_wakes_nobody(store: Store) -> None:
    store.bell.wait(0)
    with pytest.raises(ZeroDivisionError), store.write() as tx:
        _ask_and_fail(tx)
    with store.write() as tx:  # on the same connection, which asks for nothing
        tx.exec_driver_sql("SELECT 1")

    assert not store.bell.wait(0)


def _ask_and_fail(tx: Connection) -> None:
    ring_after_commit(tx)
    raise ZeroDivisionError


def test_work_is_done_again_where_the_store_was_away(store: Store) -> None:
    tries = []

    def work(tx: Connection) -> int:
        tries.append(tx)
        if len(tries) == 1:
            raise StoreUnavailable("the store is away")
        return int(tx.exec_driver_sql("SELECT 7").scalar_one())

    assert store.write_patiently(work, until=time.monotonic() + 60) == 7
    assert len(tries) == 2


@pytest.mark.parametrize("how", ["write_patiently", "read_patiently"])
def test_patience_ends_at_its_moment(store: Store, how: str) -> None:
    tries = []

    def work(tx: Connection) -> None:
        tries.append(tx)
        raise StoreUnavailable("the store is away")

    with pytest.raises(StoreUnavailable):
        getattr(store, how)(work, until=time.monotonic() - 1)
    assert len(tries) == 1


def test_a_fault_of_the_work_itself_is_not_waited_out(store: Store) -> None:
    def work(_: Connection) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.write_patiently(work, until=time.monotonic() + 60)
