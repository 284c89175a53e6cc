"""Replayed events in the lines of their ordering keys."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from sqlalchemy import Connection, func, select

from orchestrator.domain.workflows.ordering.keys import Ordering, rank_in
from orchestrator.store.database.schema import payloads
from orchestrator.store.database.store_key import key_of_store
from orchestrator.store.ordering import lines
from orchestrator.store.quarantine.workflows import LiveWorkflow


def line_up_replayed(tx: Connection, ids: Sequence[str], live: LiveWorkflow) -> None:
    """Order replayed events as the version says under which they go on.

    Those that have a place keep it. Those that had no key when they came, and have one now that
    their payload was fixed, go to the end of its line.
    """
    if not ids:
        return
    if live.ordering is None:
        lines.end(tx, ids)
        return
    bodies = _bodies(tx, ids)
    known = lines.line_up_again(
        tx, ids, passes=live.ordering.passes, ranks=_ranks(bodies, live.ordering)
    )
    secret = key_of_store(tx)
    comers = [
        lines.comer(secret, one, bodies[one], live.ordering, client=live.client, workflow=live.name)
        for one in ids
        if one not in known and one in bodies
    ]
    lines.enter(tx, [one for one in comers if one])


def _ranks(bodies: dict[str, str], ordering: Ordering) -> dict[str, str | None]:
    path = ordering.latest
    if path is None:
        return {}
    return {one: rank_in(orjson.loads(body), path) for one, body in bodies.items()}


def _bodies(tx: Connection, ids: Sequence[str]) -> dict[str, str]:
    """The payloads as they are sent now: amended where a person amended them."""
    effective = func.coalesce(payloads.c.amended, payloads.c.body)
    found = select(payloads.c.event_id, effective).where(payloads.c.event_id.in_(ids))
    return {row[0]: row[1] for row in tx.execute(found)}
