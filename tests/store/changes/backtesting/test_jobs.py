"""A backtest that a keeper carries out: started, stopped, killed at any step, and done once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select, update

from orchestrator.domain.errors import ChangedSinceSeen, Forbidden, Refused
from orchestrator.operations.changes.backtest import backtest_change
from orchestrator.operations.jobs import carry_out as module
from orchestrator.operations.jobs.backtesting import start_backtest_job
from orchestrator.operations.jobs.carry_out import carry_out_next_job
from orchestrator.operations.jobs.stop import resume_job, stop_job
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.store.changes.backtests import Backtest, find_backtest, keep_standing
from orchestrator.store.database.clock import after
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import audit, jobs
from orchestrator.store.desk.jobs import renew_lease
from orchestrator.store.views.jobs import JobRow, find_job
from tests.leads import lead_workflow
from tests.store.changes.backtesting.past_leads import NEW_TEXT, accepted
from tests.store.changes.governed import approver, author, govern, proposed, version

EVENTS = 60


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten events in a step, and each step is kept."""
    monkeypatch.setattr("orchestrator.operations.changes.backtesting.decide_past._CHUNK", 10)
    monkeypatch.setattr("orchestrator.operations.changes.backtest._KEEP_SECONDS", -1.0)


def changed(store: Store) -> str:
    govern(store)
    accepted(store, 1, count=EVENTS)
    return proposed(store, NEW_TEXT)


def carry_out(store: Store, *, ending: Callable[[], bool] = lambda: False) -> int | None:
    return carry_out_next_job(store, keeper="host:1", lease_seconds=60, ending=ending)


def job_of(store: Store, number: int) -> JobRow:
    with store.read() as tx:
        found = find_job(tx, number)
    assert found is not None
    return found


def found(store: Store, token: str) -> Backtest | None:
    with store.read() as tx:
        return find_backtest(tx, token, 1, 1)


def test_a_keeper_backtests_on_the_word_of_who_asked_for_it(store: Store) -> None:
    token = changed(store)
    job = start_backtest_job(store, token, actor=author(store), why="before the meeting")
    with pytest.raises(Refused, match=f"job {job} backtests this change"):
        start_backtest_job(store, token, actor=author(store))
    with pytest.raises(Refused, match=f"job {job} backtests this change"):
        backtest_change(store, token, actor=author(store))
    with pytest.raises(Forbidden):
        start_backtest_job(store, token, actor=approver(store))

    queued = job_of(store, job)
    assert carry_out(store) == job

    done, kept = job_of(store, job), found(store, token)
    assert (queued.state, queued.change, queued.items) == ("queued", token, 0)
    assert (done.state, done.done, done.items, done.error) == ("done", EVENTS, EVENTS, None)
    assert kept is not None
    assert kept.by == author(store).name
    assert kept.result.looked_at == EVENTS
    with pytest.raises(ChangedSinceSeen):
        start_backtest_job(store, token, actor=author(store), seen=["another digest"])


def test_one_that_is_stopped_goes_on_where_it_was(store: Store) -> None:
    token = changed(store)
    job = start_backtest_job(store, token, actor=author(store))
    asked: list[int] = []

    def somebody_stops_it() -> bool:
        asked.append(len(asked))
        if asked[-1] == 1:
            stop_job(store, job, actor=author(store))
        return False

    carry_out(store, ending=somebody_stops_it)
    stopped = job_of(store, job)
    resume_job(store, job, actor=author(store))
    carry_out(store)

    assert (stopped.state, stopped.items) == ("stopped", EVENTS)
    assert 0 < stopped.done < EVENTS
    kept = found(store, token)
    assert kept is not None
    assert sum(one.events for one in kept.result.matrix) == EVENTS
    assert job_of(store, job).state == "done"


def test_whatever_step_its_keeper_dies_at_each_event_counts_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = changed(store)
    job = start_backtest_job(store, token, actor=author(store))
    settle = module._settle
    lives = iter([2, 1, 4, 100])

    def mortal(*args: object, **more: object) -> object:
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt
        return renew_lease(*args, **more)  # type: ignore[arg-type]

    def dies_before_it_says_so(*args: object) -> None:
        monkeypatch.setattr(module, "_settle", settle)
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "renew_lease", mortal)
    monkeypatch.setattr(module, "_settle", dies_before_it_says_so)
    for life in lives:  # the last one lives until the result is kept
        left = [life]
        with pytest.raises(KeyboardInterrupt):
            carry_out(store)
        with store.write() as tx:
            tx.execute(update(jobs).values(leased_until=after(-1)))
    ended = found(store, token)
    carry_out(store)

    assert ended is not None
    assert sum(one.events for one in ended.result.matrix) == EVENTS
    assert found(store, token) == ended
    assert job_of(store, job).state == "done"
    with store.read() as tx:
        told = select(func.count()).where(audit.c.action == "backtest_change")
        assert tx.execute(told).scalar_one() == 1


def test_a_change_that_was_edited_meanwhile_fails_its_job_and_says_so(store: Store) -> None:
    token = changed(store)
    job = start_backtest_job(store, token, actor=author(store))
    publish_workflow(store, lead_workflow(version(30)), actor=author(store), change=token)

    carry_out(store)

    failed = job_of(store, job)
    assert failed.state == "failed"
    assert "was edited since" in (failed.error or "")


def test_a_count_that_took_long_keeps_its_lease_before_the_first_chunk(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = changed(store)
    cursors: list[str] = []

    def noted(*args: Any, cursor: str, **fields: Any) -> bool:
        cursors.append(cursor)
        return keep_standing(*args, cursor=cursor, **fields)

    monkeypatch.setattr("orchestrator.operations.changes.backtest._KEEP_SECONDS", 0.0)
    monkeypatch.setattr("orchestrator.operations.changes.backtest.keep_standing", noted)
    backtest_change(store, token, actor=author(store))

    assert cursors[0] == ""
