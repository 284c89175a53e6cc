"""The random key of a store, by which it knows again values that it does not keep."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, select

from orchestrator.store.database.schema import store_keys

_NAME = "erased_keys"  # what it was made for

_known: WeakKeyDictionary[Engine, bytes] = WeakKeyDictionary()


def key_of_store(tx: Connection) -> bytes:
    """The random key of this store; it is made once, with the schema."""
    found = _known.get(tx.engine)
    if found is None:
        row = select(store_keys.c.value).where(store_keys.c.name == _NAME)
        found = _known[tx.engine] = bytes.fromhex(tx.execute(row).scalar_one())
    return found
