"""Answers that are kept: each group of clients has its own, and only so many have one."""

from __future__ import annotations

import asyncio
from contextlib import closing

from orchestrator.dashboard.kept import _MOST_GROUPS, KeptByClients
from orchestrator.dashboard.reader import StoreReader
from orchestrator.store.database.engine import Store, Tx

Clients = frozenset[str] | None


def answers(store: Store, *asked: Clients) -> tuple[list[Clients | str], list[Clients]]:
    """What each of these askers is told, and about whom the store was asked."""
    looked_for: list[Clients] = []

    def look(_tx: Tx, clients: Clients) -> Clients | str:
        looked_for.append(clients)
        return clients or "all"

    async def ask() -> list[Clients | str]:
        kept = KeptByClients(reader, look)
        return [await found(kept, clients) for clients in asked]

    with closing(StoreReader(store.url.render_as_string(hide_password=False))) as reader:
        return asyncio.run(ask()), looked_for


async def found(kept: KeptByClients[Clients | str], clients: Clients) -> Clients | str:
    answer = None
    while answer is None:  # it is told nothing yet while the store takes its time
        answer = await kept.newest(clients)
    return answer


def test_each_group_of_clients_is_told_of_itself_and_is_counted_once(store: Store) -> None:
    acme, both = frozenset({"acme"}), frozenset({"acme", "globex"})
    told, looked_for = answers(store, acme, None, both, acme, None)

    assert told == [acme, "all", both, acme, "all"]
    assert looked_for == [acme, None, both]


def test_the_group_that_asked_least_lately_is_forgotten(store: Store) -> None:
    groups = [frozenset({f"client-{number}"}) for number in range(_MOST_GROUPS)]
    _, looked_for = answers(store, *groups, groups[0], frozenset({"more"}), groups[0], groups[1])

    assert looked_for == [*groups, frozenset({"more"}), groups[1]]
