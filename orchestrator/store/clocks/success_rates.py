"""How many of a workflow's events are delivered, and the incident where they are too few.

Nothing is counted beforehand: the events themselves are, by their ids, which begin with the time of
their acceptance. Where nothing stands still nobody has to count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import BigInteger, Connection, Text, bindparam, case, func, select

from orchestrator.domain.incidents.causes import low_rate_cause
from orchestrator.domain.incidents.incident import LOW_RATE, IncidentMove, IncidentState
from orchestrator.domain.lifecycle import State
from orchestrator.domain.text.durations import seconds
from orchestrator.domain.workflows.promises import PromisedRate, Rate
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.due_times import first_id, recovery_ms
from orchestrator.store.database.prepared import Prepared, row_values, rows_of
from orchestrator.store.database.schema import events, incidents
from orchestrator.store.quarantine.incident_moves import move_incident
from orchestrator.store.quarantine.incidents import note_events
from orchestrator.store.quarantine.workflow_terms import Terms, TermsShelf

ACTOR = "keeper"
MOST_COUNTED = 500_000  # the newest events of all workflows: what came before them does not count

Name = tuple[str, str]
"""Client and workflow."""


def find_rates(tx: Connection, workflows: Iterable[Terms]) -> dict[Name, Rate]:
    """What became of what was accepted within the time of each workflow that promises a rate."""
    now = tx.execute(select(now_ms())).scalar_one()
    since = {(one.client, one.workflow): _since(one, now) for one in workflows if one.success_rate}
    if not since:
        return {}
    given = row_values(tx, list(_WANTED), [(*name, at) for name, at in since.items()])
    rows = _COUNTED.run(tx, first=first_id(min(since.values())), most=MOST_COUNTED, **given)
    return dict.fromkeys(since, Rate()) | {
        (row[0], row[1]): Rate(delivered=row[2], quarantined=row[3]) for row in rows
    }


def find_low_rates(tx: Connection, newest: Mapping[Name, Terms]) -> dict[Name, Rate]:
    """The workflows that deliver less than they promise, as far as something stands still there."""
    promising = [one for one in newest.values() if one.success_rate]
    if not promising:
        return {}
    trouble = _last_trouble(tx)
    now = tx.execute(select(now_ms())).scalar_one()
    suspected = [
        one for one in promising if trouble.get((one.client, one.workflow), 0) >= _since(one, now)
    ]
    return {
        name: rate
        for name, rate in find_rates(tx, suspected).items()
        if (promised := newest[name].success_rate) and promised.is_missed_by(rate)
    }


def settle_rates(
    tx: Connection,
    low: Mapping[Name, Rate],
    newest: Mapping[Name, Terms],
    *,
    known: Mapping[Name, int],
) -> None:
    """Open an incident for each rate that is too low, and resolve those that are so no more.

    `known` are the incidents that were open before the rates were measured: what another keeper
    opened since then is not resolved by an older measure.
    """
    for name, incident in known.items():
        if name not in low:
            move_incident(tx, incident, IncidentMove.RESOLVE, actor=ACTOR, reason="healed")
    for name in sorted(low.keys() - open_rates(tx).keys()):
        _open(tx, newest[name], low[name])


def open_rates(tx: Connection) -> dict[Name, int]:
    """The incidents of this sort that are not resolved, by their workflow."""
    table = incidents.c
    rows = tx.execute(
        select(table.client, table.workflow, table.id)
        .where(table.reason == LOW_RATE, table.state != IncidentState.RESOLVED)
        .order_by(table.id)
    )
    return {(row[0], row[1]): row[2] for row in rows}


def describe_rate(promised: PromisedRate | None, rate: Rate | None) -> dict[str, object] | None:
    """What is promised beside what is kept of it; None where no rate is promised."""
    if promised is None or rate is None:
        return None
    return {
        "at_least": promised.at_least,
        "over": promised.over,
        "of": promised.of,
        "delivered": rate.delivered,
        "decided": rate.decided,
        "missed": promised.is_missed_by(rate),
        "told": promised.told_of(rate),
    }


def rate_of(tx: Connection, name: Name) -> dict[str, object] | None:
    """The same for one workflow as it was published last."""
    terms = TermsShelf().newest(tx).get(name)
    if terms is None:
        return None
    return describe_rate(terms.success_rate, find_rates(tx, [terms]).get(name))


def _open(tx: Connection, terms: Terms, rate: Rate) -> None:
    note_events(
        tx,
        terms.client,
        terms.workflow,
        low_rate_cause(),
        rate.quarantined,
        owner=terms.recovery_lead,
        recover_ms=recovery_ms(tx, terms.recover_within, terms.calendar),
        actor=ACTOR,
    )


def _since(terms: Terms, now: int) -> int:
    over = terms.success_rate.over if terms.success_rate else "0s"
    return now - int(seconds(over) * 1000)


def _last_trouble(tx: Connection) -> dict[Name, int]:
    """When an event of each workflow came to stand still the last time."""
    table = incidents.c
    rows = tx.execute(
        select(table.client, table.workflow, func.max(table.last_at))
        .where(table.reason != LOW_RATE)
        .group_by(table.client, table.workflow)
    )
    return {(row[0], row[1]): row[2] for row in rows}


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
