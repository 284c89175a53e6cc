"""A bounded sample that is spread over all rows of a statement, from the oldest to the newest."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, func, select

from orchestrator.store.database.schema import quarantine


def spread(statement: Select[Any], most: int) -> Select[Any]:
    """At most so many rows of a statement over the quarantine, evenly spread, the last among them.

    Each row has their number beside it, as `counted`. All are counted once, none is read twice.
    """
    place = func.row_number().over(order_by=quarantine.c.id)
    numbered = statement.add_columns(
        quarantine.c.id.label("stay"), place.label("place"), func.count().over().label("counted")
    ).subquery("numbered")
    here, before = numbered.c.place * most, (numbered.c.place - 1) * most
    return (
        select(numbered)
        .where(here // numbered.c.counted != before // numbered.c.counted)
        .order_by(numbered.c.stay)
    )
