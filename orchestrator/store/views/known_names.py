"""Which clients, workflows and owners a store knows: for filters that may be misspelt.

Every event is of a published version, and versions are never deleted: what no version and no
incident names was never there. Both tables are small beside those of events.
"""

from __future__ import annotations

from collections.abc import Iterator

import orjson
from sqlalchemy import Connection, literal, select

from orchestrator.store.database.schema import incidents, workflow_versions
from orchestrator.store.quarantine.dead_letters import NOBODY
from orchestrator.store.views.values import of_clients

_MOST = 5_000  # names that are read to find the nearest

_NAMED = (
    (workflow_versions.c.client, workflow_versions.c.name),
    (incidents.c.client, incidents.c.workflow),
)


def knows_workflow(
    tx: Connection,
    client: str | None,
    workflow: str | None,
    scope: frozenset[str] | None = None,
) -> bool:
    """Whether there ever was such a workflow; None is any. With a `scope` of one of its clients."""
    for clients, names in _NAMED:
        one = of_clients(select(literal(1)).select_from(clients.table).limit(1), clients, scope)
        if client is not None:
            one = one.where(clients == client)
        if workflow is not None:
            one = one.where(names == workflow)
        if tx.execute(one).first():
            return True
    return False


def known_workflows(tx: Connection) -> list[tuple[str, str]]:
    """Client and name of each workflow that there ever was."""
    found: set[tuple[str, str]] = set()
    for clients, names in _NAMED:
        rows = tx.execute(select(clients, names).distinct().limit(_MOST))
        found.update((row[0], row[1]) for row in rows)
    return sorted(found)


def knows_owner(tx: Connection, owner: str) -> bool:
    """Whether an incident has this owner, or a version names it in any role."""
    held = select(incidents.c.id).where(incidents.c.owner == owner).limit(1)
    if owner == NOBODY or tx.execute(held).first():
        return True
    return any(owner in owners for owners in _owners_of_versions(tx, naming=owner))


def known_owners(tx: Connection) -> list[str]:
    """Every owner of an incident, and whoever the live versions name."""
    held = select(incidents.c.owner).distinct().limit(_MOST)
    found = {NOBODY, *tx.execute(held).scalars()}
    return sorted(found.union(*_owners_of_versions(tx)))


def _owners_of_versions(tx: Connection, *, naming: str | None = None) -> Iterator[set[str]]:
    """The owners of each live version; with `naming` of each version that has this text."""
    table = workflow_versions.c
    text = select(table.definition)
    if naming is None:
        text = text.where(table.live)
    else:
        text = text.where(table.definition.contains(_as_json(naming), autoescape=True))
    for definition in tx.execute(text.limit(_MOST)).scalars():
        yield set(orjson.loads(definition)["owners"].values())


def _as_json(text: str) -> str:
    return orjson.dumps(text).decode()
