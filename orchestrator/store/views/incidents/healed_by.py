"""By what events of an incident went on: recipes, versions that amend, and replay plans."""

from __future__ import annotations

from dataclasses import dataclass

import orjson
from sqlalchemy import Connection, select

from orchestrator.domain.lifecycle import Move
from orchestrator.store.database.schema import audit, quarantine

_LOOKED_AT = 20  # events, whose audit tells by what they went on
_MOST = 3  # recipes, and plans


@dataclass(frozen=True, kw_only=True, slots=True)
class HealedBy:
    """What the audit of some events says."""

    recipes: tuple[int, ...]  # numbers
    plans: tuple[str, ...]  # tokens
    versions: tuple[int, ...]  # of the workflow, whose standing `amend` amended them on their way


def healed_by(tx: Connection, incident: int) -> HealedBy:
    """What amended and replayed some of the events that left the quarantine, the newest first.

    A page reads no more than that of an incident, however many events it had.
    """
    stay = quarantine.c
    some = (
        select(stay.event_id)
        .where(stay.incident_id == incident, stay.outcome.is_not(None))
        .limit(_LOOKED_AT)
        .subquery()
    )
    told = (
        select(audit.c.detail)
        .where(
            audit.c.event_id.in_(select(some.c.event_id)),
            audit.c.action.in_((Move.AMEND.value, Move.REPLAY.value)),
            audit.c.detail.is_not(None),
        )
        .order_by(audit.c.id.desc())
    )
    recipes: dict[int, None] = {}
    plans: dict[str, None] = {}
    versions: dict[int, None] = {}
    for text in tx.execute(told).scalars():
        detail = orjson.loads(text)
        if isinstance(recipe := detail.get("recipe"), int):
            recipes[recipe] = None
        if isinstance(plan := detail.get("plan"), str):
            plans[plan] = None
        if "steps" in detail and isinstance(version := detail.get("version"), int):
            versions[version] = None
    return HealedBy(
        recipes=tuple(recipes)[:_MOST],
        plans=tuple(plans)[:_MOST],
        versions=tuple(versions)[:_MOST],
    )
