"""How many of a workflow's events are delivered, of those that were accepted within some time.

Nothing is counted beforehand: the events themselves are, by their ids, which begin with the time of
their acceptance.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Connection, Text, bindparam, case, func, select

from orchestrator.domain.lifecycle import State
from orchestrator.domain.text.durations import seconds
from orchestrator.domain.workflows.promises import DeliveryRate, PromisedRate
from orchestrator.store.database.clock import first_id, now_ms
from orchestrator.store.database.prepared import Prepared, row_values, rows_of
from orchestrator.store.database.schema import events
from orchestrator.store.quarantine.workflow_terms import Terms, TermsShelf

MOST_COUNTED = 500_000  # the newest events of all workflows: what came before them does not count

Name = tuple[str, str]
"""Client and workflow."""


def find_rates(tx: Connection, workflows: Iterable[Terms]) -> dict[Name, DeliveryRate]:
    """What became of what was accepted within the time of each workflow that promises a rate."""
    now = tx.execute(select(now_ms())).scalar_one()
    since = {
        (one.client, one.workflow): counted_since(one, now) for one in workflows if one.success_rate
    }
    if not since:
        return {}
    given = row_values(tx, list(_WANTED), [(*name, at) for name, at in since.items()])
    rows = _COUNTED.run(tx, first=first_id(min(since.values())), most=MOST_COUNTED, **given)
    return dict.fromkeys(since, DeliveryRate()) | {
        (row[0], row[1]): DeliveryRate(delivered=row[2], quarantined=row[3]) for row in rows
    }


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptRate:
    """What is promised beside what is kept of it."""

    at_least: str  # a share, such as 99.5%
    over: str  # a duration, such as 1h: what was accepted within it counts
    of: int  # events; of fewer nothing is said
    delivered: int
    decided: int  # delivered, or in quarantine
    missed: bool
    told: str  # all of it in one sentence


def kept_rate(promised: PromisedRate | None, rate: DeliveryRate | None) -> KeptRate | None:
    """What is kept of a promised rate; None where no rate is promised."""
    if promised is None or rate is None:
        return None
    return KeptRate(
        at_least=promised.at_least,
        over=promised.over,
        of=promised.of,
        delivered=rate.delivered,
        decided=rate.decided,
        missed=promised.is_missed_by(rate),
        told=promised.told_of(rate),
    )


def rate_of(tx: Connection, name: Name) -> KeptRate | None:
    """The same for one workflow as it was published last."""
    terms = TermsShelf().newest(tx).get(name)
    if terms is None:
        return None
    return kept_rate(terms.success_rate, find_rates(tx, [terms]).get(name))


def counted_since(terms: Terms, now: int) -> int:
    """The time, in milliseconds, from which events count for a workflow's rate."""
    over = terms.success_rate.over if terms.success_rate else "0s"
    return now - int(seconds(over) * 1000)


_WANTED = {"client": str, "workflow": str, "since": int}


def _count(dialect: str) -> Any:
    given, table = rows_of(dialect, **_WANTED), events.c
    newest = (
        select(table.client, table.workflow, table.state, table.accepted_at)
        .where(table.id >= bindparam("first", type_=Text))
        .order_by(table.id.desc())
        .limit(bindparam("most", type_=BigInteger))
        .subquery("newest")
    )
    here = newest.c

    def many(state: State) -> Any:
        return func.sum(case((here.state == state.value, 1), else_=0))

    return (
        select(here.client, here.workflow, many(State.DELIVERED), many(State.QUARANTINED))
        .join(
            given,
            (given.c.client == here.client)
            & (given.c.workflow == here.workflow)
            & (given.c.since <= here.accepted_at),
        )
        .group_by(here.client, here.workflow)
    )


_COUNTED = Prepared(_count)
