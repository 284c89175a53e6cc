"""A connector's rate, kept for all workers together: calls are reserved before they are made.

The row says up to when the budget is used up, as the generic cell rate algorithm has it: each call
uses up one interval, and may go as many intervals before its own as the burst allows.
"""

from __future__ import annotations

import math
from typing import Any

from sqlalchemy import BigInteger, Connection, bindparam, case, func

from orchestrator.domain.delivery.breakers import Reserved
from orchestrator.domain.delivery.handoff import RateBudget
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.prepared import Prepared
from orchestrator.store.database.schema import circuits
from orchestrator.store.database.upserts import upsert

_US = 1_000  # microseconds in a millisecond: an interval of less than one must not be rounded away


def reserve(
    tx: Connection, connector: str, rate: RateBudget, wanted: int, horizon_ms: int
) -> Reserved:
    """Reserve as many of `wanted` calls as may go within `horizon_ms` from now.

    The row stays locked until the transaction ends: let it be a short one.
    """
    interval = math.ceil(rate.interval_ms * _US)
    slack = interval * (max(1, rate.burst) - 1)
    row = _RESERVE.run(
        tx,
        name=connector,
        wanted=wanted,
        interval=interval,
        slack=slack,
        horizon=horizon_ms * _US,
    ).one()
    granted, paid_until, now = row
    first = paid_until - granted * interval - slack - now
    return Reserved(
        granted=granted,
        first_in_ms=max(0, first) / _US,
        unspent_ms=max(0, -first) / _US,
        interval_ms=interval / _US,
        next_in_ms=max(0, paid_until - slack - now) / _US,
    )


def _upsert(dialect: str) -> Any:
    insert: Any = upsert(dialect, circuits)
    interval, slack, table = _number("interval"), _number("slack"), circuits.c
    now = now_ms() * _US
    used_up = _latest(
        dialect,
        func.coalesce(table.paid_until_us, 0),
        func.coalesce(table.postponed_until, 0) * _US + slack,
        now,
    )
    fresh = _fitting(dialect, now)
    granted = _fitting(dialect, used_up)
    return (
        insert.values(
            name=bindparam("name"),
            since=now_ms(),
            actor="rate",
            updated_at=now_ms(),
            granted=fresh,
            paid_until_us=now + fresh * interval,
        )
        .on_conflict_do_update(
            index_elements=[table.name],
            set_={"granted": granted, "paid_until_us": used_up + granted * interval},
        )
        .returning(table.granted, table.paid_until_us, now)
    )


def _fitting(dialect: str, used_up: Any) -> Any:
    """How many of the wanted calls may go before the horizon."""
    room = now_ms() * _US + _number("horizon") + _number("slack") - used_up
    least = func.min if dialect == "sqlite" else func.least
    fitting = least(_number("wanted"), room // _number("interval") + 1, type_=BigInteger)
    return case((room < 0, 0), else_=fitting)


def _latest(dialect: str, *times: Any) -> Any:
    latest = func.max if dialect == "sqlite" else func.greatest
    return latest(*times, type_=BigInteger)


def _number(name: str) -> Any:
    return bindparam(name, type_=BigInteger)


_RESERVE = Prepared(_upsert)
