"""Idempotency keys of erased events: kept as keyed digests, so that repeats stay duplicates.

A digest without a key would give it away to whoever tries all mail addresses. The random key is
in the store: a copy of rows tells nothing, but who has the whole store can still try guesses.
"""

from __future__ import annotations

import hmac

from sqlalchemy import Connection, exists, literal

from orchestrator.store.database.schema import store_keys
from orchestrator.store.database.upserts import upsert

_MARK = "erased:"
_IN_USE = "erased_keys_in_use"


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
