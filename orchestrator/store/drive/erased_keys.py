"""Idempotency keys of erased events: kept as keyed digests, so that repeats stay duplicates.

A digest without a key would give it away to whoever tries all mail addresses. The random key stands
in the store: a copy of rows tells nothing, but who has the whole store can still try guesses.
"""

from __future__ import annotations

import hmac
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, exists, literal, select

from orchestrator.store.database.prepared import Prepared
from orchestrator.store.database.schema import store_keys
from orchestrator.store.database.upserts import upsert

_MARK = "erased:"
_NAME, _IN_USE = "erased_keys", "erased_keys_in_use"

_known: WeakKeyDictionary[Engine, bytes] = WeakKeyDictionary()


def key_of_store(tx: Connection) -> bytes:
    """The random key of this store; it is made once, with the schema."""
    found = _known.get(tx.engine)
    if found is None:
        row = select(store_keys.c.value).where(store_keys.c.name == _NAME)
        found = _known[tx.engine] = bytes.fromhex(tx.execute(row).scalar_one())
    return found


def erased_key(secret: bytes, client: str, workflow: str, key: str) -> str:
    """What stands for an idempotency key once its event is erased."""
    text = f"{client}\0{workflow}\0{key}".encode()
    return _MARK + hmac.digest(secret, text, "sha256").hex()


def note_in_use(tx: Connection) -> None:
    """From now on whoever accepts looks for erased keys too."""
    named = upsert(tx.dialect.name, store_keys).values(name=_IN_USE, value="1")
    tx.execute(named.on_conflict_do_nothing())


ANY_ERASED = exists().where(store_keys.c.name == literal(_IN_USE))
"""Whether any key was ever erased here. A row of its own: nothing is read of the events for it."""

_ASKED = Prepared(lambda _: select(ANY_ERASED))


def any_erased(tx: Connection) -> bool:
    """The same, as an answer."""
    return bool(_ASKED.run(tx).scalar_one())
