"""Backtests of changes as rows: how far one is, and what it found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, insert, select, update

from orchestrator.domain.changes.backtest_result import (
    BacktestResult,
    Cell,
    ChangedField,
    HumanAgreement,
    LateEvents,
    Peak,
    QuarantinedGroup,
    Stop,
)
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.engine import AnyRow
from orchestrator.store.database.schema import backtests, changes
from orchestrator.store.views.values import iso_time

_T = backtests.c


@dataclass(frozen=True, kw_only=True, slots=True)
class NewBacktest:
    """What is asked of one. Times in milliseconds since 1970."""

    change_id: int
    round: int
    base_version: int
    since: int
    until: int
    seed: int
    most: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RunningBacktest(NewBacktest):
    """One that is not done."""

    id: int
    cursor: str  # the last event that was counted
    sums: str | None  # see domain/changes/backtest_sums.py; None: nothing was counted


@dataclass(frozen=True, kw_only=True, slots=True)
class Backtest:
    """What one found about a change as it is."""

    result: BacktestResult
    digest: str
    by: str  # an actor
    at: str  # ISO 8601 in UTC


def add_backtest(tx: Connection, new: NewBacktest, *, actor: str) -> RunningBacktest:
    """Write one that is to run."""
    number: int = tx.execute(
        insert(backtests)
        .values(**asdict(new), cursor="", begun_at=now_ms(), begun_by=actor)
        .returning(_T.id)
    ).scalar_one()
    return RunningBacktest(id=number, cursor="", sums=None, **asdict(new))


def running_backtest(
    tx: Connection, change_id: int, round_: int, base_version: int | None
) -> RunningBacktest | None:
    """The newest of a change as it is, where that is not done."""
    row = tx.execute(_newest(change_id, round_, base_version)).one_or_none()
    if row is None or row.ended_at is not None:
        return None
    return _running(row)


def backtest_of_number(tx: Connection, backtest_id: int) -> RunningBacktest | None:
    """One that is not done, by its number."""
    mine = (_T.id == backtest_id, _T.ended_at.is_(None))
    row = tx.execute(select(backtests).where(*mine)).one_or_none()
    return None if row is None else _running(row)


def _running(row: AnyRow) -> RunningBacktest:
    names = NewBacktest.__dataclass_fields__
    return RunningBacktest(
        id=row.id, cursor=row.cursor, sums=row.sums, **{one: getattr(row, one) for one in names}
    )


def give_to_job(tx: Connection, backtest_id: int, job: int) -> None:
    """Let a job go on with it."""
    tx.execute(update(backtests).where(_T.id == backtest_id).values(job=job))


def keep_standing(tx: Connection, backtest_id: int, *, before: str, cursor: str, sums: str) -> bool:
    """Keep how far it is; False where somebody else brought it on since `before`."""
    mine = (_T.id == backtest_id, _T.cursor == before, _T.ended_at.is_(None))
    done = tx.execute(update(backtests).where(*mine).values(cursor=cursor, sums=sums))
    return done.rowcount == 1


def end_backtest(
    tx: Connection, backtest_id: int, result: BacktestResult, *, before: str, actor: str
) -> bool:
    """Keep what it found; False where somebody else brought it on since `before`."""
    mine = (_T.id == backtest_id, _T.cursor == before, _T.ended_at.is_(None))
    text = orjson.dumps(asdict(result)).decode()
    values = {"result": text, "digest": result.digest(), "sums": None}
    done = tx.execute(
        update(backtests).where(*mine).values(**values, ended_at=now_ms(), ended_by=actor)
    )
    return done.rowcount == 1


def find_backtest(
    tx: Connection, change: str, round_: int, base_version: int | None
) -> Backtest | None:
    """The newest that is done about a change, by its token, as it is."""
    number = select(changes.c.id).where(changes.c.token == change).scalar_subquery()
    found = _newest(number, round_, base_version).where(_T.ended_at.is_not(None))
    row = tx.execute(found).one_or_none()
    if row is None:
        return None
    result = read_result(row.result)
    return Backtest(result=result, digest=row.digest, by=row.ended_by, at=iso_time(row.ended_at))


def _newest(change_id: object, round_: int, base_version: int | None) -> Any:
    same = (_T.change_id == change_id, _T.round == round_, _T.base_version == base_version)
    return select(backtests).where(*same).order_by(_T.id.desc()).limit(1)


def read_result(text: str) -> BacktestResult:
    """What `end_backtest` wrote."""
    document = orjson.loads(text)
    for name, kind in _LISTS.items():
        document[name] = tuple(kind(**_examples(one)) for one in document[name])
    document["human_agreement"] = HumanAgreement(**document["human_agreement"])
    document["late"] = LateEvents(**document["late"])
    if group := document.get("group"):
        outcomes = tuple(Cell(**_examples(one)) for one in group["outcomes"])
        document["group"] = QuarantinedGroup(**group | {"outcomes": outcomes})
    return BacktestResult(**document)


_LISTS: dict[str, type[Any]] = {
    "matrix": Cell,
    "recorded": Cell,
    "fields_changed": ChangedField,
    "newly_refused": Stop,
    "newly_passing": Stop,
    "peak_per_minute": Peak,
}


def _examples(one: dict[str, Any]) -> dict[str, Any]:
    return one | {"examples": tuple(one["examples"])} if "examples" in one else one
