"""Limit how much one key may send, and count what keys and sources have sent."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.access.key_limits import KeyLimits
from orchestrator.domain.acts import Act
from orchestrator.domain.errors import NotFound
from orchestrator.domain.sources.source import SOURCE
from orchestrator.operations.access.allow import allow
from orchestrator.store.access.keys import find_key, set_limits
from orchestrator.store.access.usage import add_usage_of_keys, add_usage_of_sources
from orchestrator.store.database import audit
from orchestrator.store.database.engine import Store


def limit_key(store: Store, key_id: str, *, limits: KeyLimits, actor: Actor) -> None:
    """Set both limits of a key; None takes one away. The doors know of it in some seconds.

    Raises NotFound for a key that is not in force, Refused for a wrong number, Forbidden.
    """
    limits.check()
    unseen = NotFound(
        f"there is no key {key_id!r} in force", field="key", fix="see `meshline keys list`"
    )
    with store.write() as tx:
        found = find_key(tx, key_id)
        if found is None:
            raise unseen
        allow(tx, actor, Act.MANAGE_KEYS, found.clients, unseen=unseen)
        set_limits(tx, key_id, limits)
        detail = {
            "key": key_id,
            "rate": limits.rate_per_second,
            "quota": limits.quota_per_day,
        }
        audit.record(tx, actor=actor.name, action="limit_key", detail=detail)


def count_sent(store: Store, sent: Mapping[str, int]) -> dict[str, int]:
    """Add what was sent through one door, by id of a key or actor of a source.

    Answers what each has sent today through all of them. Raises StoreUnavailable.
    """
    sources = {
        name.removeprefix(SOURCE): count for name, count in sent.items() if name.startswith(SOURCE)
    }
    keys = {name: count for name, count in sent.items() if not name.startswith(SOURCE)}
    with store.write() as tx:
        found = add_usage_of_keys(tx, keys)
        named = add_usage_of_sources(tx, sources)
    return found | {f"{SOURCE}{name}": total for name, total in named.items()}
