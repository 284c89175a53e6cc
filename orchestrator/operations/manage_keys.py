"""Keys of producers: made once and shown once; the store keeps only a digest."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from orchestrator.domain.errors import ClientNotPermitted, KeyRefused, NotFound, Refused
from orchestrator.store.database import audit
from orchestrator.store.database.engine import Store
from orchestrator.store.desk import keys as rows

EVERY_CLIENT = "*"
_PREFIX = "mk"


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who holds a key."""

    key_id: str
    clients: tuple[str, ...]  # ("*",) is every client

    @cached_property
    def actor(self) -> str:
        """The audit's word for this caller."""
        return f"key:{self.key_id}"

    def permits(self, client: str) -> bool:
        """Whether the key may act for `client`."""
        return client in self.clients or EVERY_CLIENT in self.clients

    def client_for(self, named: str | None) -> str:
        """The client that a trigger is for. Raises ClientNotPermitted.

        A key for one client implies it; with more than one the trigger has to name it.
        """
        if named is None:
            if len(self.clients) == 1 and self.clients[0] != EVERY_CLIENT:
                return self.clients[0]
            raise ClientNotPermitted(
                "the trigger names no client and the key serves several",
                field="client",
                fix=f"name one of: {', '.join(self.clients)}",
            )
        if not self.permits(named):
            raise ClientNotPermitted(
                f"the key may not act for client {named!r}",
                field="client",
                fix="use a key of that client: `meshline keys create --client …`",
            )
        return named


def create_key(store: Store, *, clients: Sequence[str], label: str, actor: str) -> str:
    """Make a key for some clients and answer it; it cannot be shown again."""
    if not clients:
        raise Refused("a key needs a client", field="client", fix="give --client at least once")
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    with store.write() as tx:
        rows.add_key(
            tx, key_id=key_id, digest=_digest(secret), label=label, clients=clients, actor=actor
        )
        detail = {"key": key_id, "clients": list(clients), "label": label}
        audit.record(tx, actor=actor, action="create_key", detail=detail)
    return f"{_PREFIX}_{key_id}_{secret}"


def check_key(store: Store, key: str) -> Caller:
    """Who holds this key. Raises KeyRefused."""
    prefix, _, rest = key.partition("_")
    key_id, _, secret = rest.partition("_")
    with store.read() as tx:
        row = rows.find_key(tx, key_id) if prefix == _PREFIX and secret else None
    known = row.digest if row else _digest("")
    if not hmac.compare_digest(known, _digest(secret)) or row is None:
        raise KeyRefused(
            "the key is unknown or revoked",
            field="Authorization",
            fix="send `Authorization: Bearer KEY` with a key from `meshline keys create`",
        )
    return Caller(key_id=row.id, clients=row.clients)


def revoke_key(store: Store, key_id: str, *, actor: str) -> None:
    """Revoke a key by its id. Raises NotFound."""
    with store.write() as tx:
        if not rows.revoke_key(tx, key_id):
            raise NotFound(
                f"there is no key {key_id!r} to revoke", field="key", fix="see `meshline keys list`"
            )
        audit.record(tx, actor=actor, action="revoke_key", detail={"key": key_id})


def _digest(secret: str) -> str:
    # The secret has 256 random bits: a slow hash would add nothing but load.
    return hashlib.sha256(secret.encode()).hexdigest()
