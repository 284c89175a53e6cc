"""A job: started once, carried out by one keeper, stopped, resumed, taken over, and told of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from sqlalchemy import func, select, update

from orchestrator.domain.access.actor import login
from orchestrator.domain.errors import IllegalMove, NotFound, Refused
from orchestrator.domain.jobs import JobState
from orchestrator.operations.apply_retention import apply_retention
from orchestrator.operations.jobs.carry_out import LeaseLost, Step, carry_out_next_job
from orchestrator.operations.jobs.show import show_job
from orchestrator.operations.jobs.start import start_plan_job
from orchestrator.operations.jobs.stop import resume_job, stop_job
from orchestrator.operations.quarantine.discard import discard_events
from orchestrator.operations.replay import run_plan as module
from orchestrator.store.database.clock import after
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.database.schema import audit, events, jobs
from orchestrator.store.desk.jobs import take_job
from orchestrator.store.views.audit import list_audit
from orchestrator.store.views.jobs import JobRow, find_job, list_jobs
from orchestrator.store.views.quarantine.selection import Selection
from tests.details import detail_of
from tests.plans import frozen

ADA = login("cli:ada")


def carry_out(store: Store, *, ending: Callable[[], bool] = lambda: False) -> int | None:
    return carry_out_next_job(store, keeper="host:1", lease_seconds=60, ending=ending)


def job_of(store: Store, number: int) -> JobRow:
    with store.read() as tx:
        found = find_job(tx, number)
    assert found is not None
    return found


def moves(store: Store) -> list[tuple[str, str, str | None, str | None]]:
    """What the audit tells of jobs: who did what, from where to where; the oldest first."""
    with store.read() as tx:
        rows = list_audit(tx, newest_first=False)
    return [
        (one.actor, one.action, one.source, one.target)
        for one in rows
        if one.action.endswith("_job")
    ]


def replays(store: Store) -> Counter[int]:
    """How many events were replayed how often, by the audit."""
    with store.read() as tx:
        table = audit.c
        rows = tx.execute(
            select(table.event_id, func.count())
            .where(table.action == "replay")
            .group_by(table.event_id)
        )
        return Counter(row[1] for row in rows)


def expire(store: Store) -> None:
    """The keepers have been gone for longer than their leases."""
    with store.write() as tx:
        tx.execute(update(jobs).values(leased_until=after(-1)))


def test_a_job_runs_its_plan_on_the_word_of_who_started_it(store: Store) -> None:
    token = frozen(store, 3)

    number = start_plan_job(store, token, actor=ADA, why="the form is mended")
    queued = job_of(store, number)
    assert carry_out(store) == number
    done = job_of(store, number)

    assert (queued.state, queued.plan, queued.clients) == ("queued", token, ("acme",))
    assert (queued.items, queued.done, queued.why) == (3, 0, "the form is mended")
    assert (done.state, done.done, done.error, done.keeper) == ("done", 3, None, "host:1")
    assert done.taken_at and done.ended_at
    assert replays(store) == {1: 3}
    with store.read() as tx:
        assert {row.actor for row in list_audit(tx, action="replay")} == {"cli:ada"}
        (started,) = list_audit(tx, action="start_job")
        assert detail_of(started)["why"] == "the form is mended"
    assert moves(store) == [
        ("cli:ada", "start_job", None, "queued"),
        ("keeper", "take_job", "queued", "running"),
        ("keeper", "finish_job", "running", "done"),
    ]
    assert carry_out(store) is None


def test_a_second_job_for_a_plan_is_refused_and_names_the_first(store: Store) -> None:
    token = frozen(store, 1)
    number = start_plan_job(store, token, actor=ADA)

    with pytest.raises(Refused, match=f"job {number} runs this plan; cli:ada started it"):
        start_plan_job(store, token, actor=login("cli:bob"))

    carry_out(store)
    with pytest.raises(Refused, match="the plan was run: cli:ada did"):
        start_plan_job(store, token, actor=login("cli:bob"))
    with pytest.raises(NotFound, match="no plan 'x'"):
        start_plan_job(store, "x", actor=ADA)


def test_a_plan_on_other_ground_fails_its_job_and_says_whose_act_it_was(store: Store) -> None:
    token = frozen(store, 2)
    number = start_plan_job(store, token, actor=ADA)
    with store.read() as tx:
        first = tx.execute(select(func.min(events.c.id))).scalar_one()
    discard_events(store, Selection(ids=(first,)), why="a test", actor=login("cli:bob"))

    carry_out(store)

    failed = job_of(store, number)
    assert failed.state == "failed"
    assert "1 events of plan" in str(failed.error) and "discarded by cli:bob" in str(failed.error)
    assert replays(store) == {}
    # Resumed it fails for the same reason, and says so anew.
    assert resume_job(store, number, actor=login("cli:bob")) == JobState.QUEUED
    assert job_of(store, number).error is None
    carry_out(store)
    assert job_of(store, number).state == "failed"


def test_a_queued_job_is_stopped_at_once_and_resumed(store: Store) -> None:
    number = start_plan_job(store, frozen(store, 2), actor=ADA)

    assert (
        stop_job(store, number, actor=login("cli:bob"), why="wait for the tool") == JobState.STOPPED
    )
    assert carry_out(store) is None
    with pytest.raises(IllegalMove, match="that is stopped cannot stop: cli:bob stopped it at"):
        stop_job(store, number, actor=login("cli:bob"))
    assert resume_job(store, number, actor=login("cli:bob")) == JobState.QUEUED
    carry_out(store)

    assert job_of(store, number).state == "done"
    with store.read() as tx:
        assert {row.actor for row in list_audit(tx, action="replay")} == {"cli:ada"}
    with pytest.raises(IllegalMove, match=r"cannot resume: keeper ended it at .*; it can: nothing"):
        resume_job(store, number, actor=login("cli:bob"))
    with pytest.raises(NotFound, match="there is no job 99"):
        stop_job(store, 99, actor=login("cli:bob"))


def after_the_first_step(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Replay event by event, and let somebody act after the first of them."""
    monkeypatch.setattr(module, "CHUNK", 1)
    note, step = Step.note, Step.go_on
    noted: list[int] = []

    def note_it(self: Step, tx: Tx, done: int, failed: int = 0) -> None:
        note(self, tx, done, failed)
        noted.append(done)

    def go_on(self: Step) -> None:
        if noted == [1]:
            noted.append(0)
            act()
        step(self)

    monkeypatch.setattr(Step, "note", note_it)
    monkeypatch.setattr(Step, "go_on", go_on)


def test_a_running_job_stops_after_the_step_that_it_is_at(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = start_plan_job(store, frozen(store, 5), actor=ADA)
    after_the_first_step(monkeypatch, lambda: stop_job(store, number, actor=login("cli:bob")))

    carry_out(store)

    stopped = job_of(store, number)
    assert stopped.state == "stopped"
    assert 1 <= stopped.done < 5
    assert replays(store) == {1: stopped.done}
    assert moves(store)[2:] == [
        ("cli:bob", "stop_job", "running", "stopping"),
        ("keeper", "halt_job", "stopping", "stopped"),
    ]

    resume_job(store, number, actor=login("cli:bob"))
    carry_out(store)
    assert (job_of(store, number).state, job_of(store, number).done) == ("done", 5)
    assert replays(store) == {1: 5}


def test_a_stop_that_is_taken_back_in_time_changes_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = start_plan_job(store, frozen(store, 3), actor=ADA)

    def stop_and_resume() -> None:
        assert stop_job(store, number, actor=login("cli:bob")) == JobState.STOPPING
        assert resume_job(store, number, actor=login("cli:bob")) == JobState.RUNNING

    after_the_first_step(monkeypatch, stop_and_resume)
    carry_out(store)

    assert (job_of(store, number).state, replays(store)) == ("done", {1: 3})


def test_a_keeper_that_is_to_end_gives_its_job_back(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = start_plan_job(store, frozen(store, 3), actor=ADA)
    asked: list[int] = []
    after_the_first_step(monkeypatch, lambda: asked.append(1))

    carry_out(store, ending=lambda: bool(asked))

    assert (job_of(store, number).state, job_of(store, number).done) == ("queued", 1)
    carry_out(store)
    assert (job_of(store, number).state, replays(store)) == ("done", {1: 3})


def test_a_job_whose_keeper_is_gone_is_taken_over_when_the_lease_ends(store: Store) -> None:
    number = start_plan_job(store, frozen(store, 2), actor=ADA)
    with store.write() as tx:
        assert take_job(tx, holder="dead", keeper="host:9", seconds=60)

    assert carry_out(store) is None, "its keeper may be alive"
    expire(store)
    assert carry_out(store) == number

    assert job_of(store, number).state == "done"
    assert moves(store)[2] == ("keeper", "take_over_job", "running", "running")


def test_a_keeper_that_slept_past_its_lease_leaves_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another has the job by then: the step of the first is undone, whatever it did."""
    number = start_plan_job(store, frozen(store, 4), actor=ADA)

    def taken_over() -> None:
        expire(store)
        with store.write() as tx:
            assert take_job(tx, holder="another", keeper="host:2", seconds=60)

    after_the_first_step(monkeypatch, taken_over)
    carry_out(store)

    one = job_of(store, number)
    assert (one.state, one.done, one.keeper) == ("running", 1, "host:2")
    assert replays(store) == {1: 1}
    expire(store)
    carry_out(store)
    assert (job_of(store, number).state, replays(store)) == ("done", {1: 4})


def test_two_keepers_that_look_at_once_take_a_job_once(store: Store) -> None:
    start_plan_job(store, frozen(store, 1), actor=ADA)

    with store.write() as tx:
        assert take_job(tx, holder="first", keeper="host:1", seconds=60)
    with store.write() as tx:
        assert take_job(tx, holder="second", keeper="host:2", seconds=60) is None


def test_a_keeper_that_slept_after_its_last_step_ends_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = start_plan_job(store, frozen(store, 1), actor=ADA)

    def taken_over() -> None:
        expire(store)
        with store.write() as tx:
            assert take_job(tx, holder="another", keeper="host:2", seconds=60)

    after_the_first_step(monkeypatch, taken_over)
    carry_out(store)

    assert (job_of(store, number).state, job_of(store, number).keeper) == ("running", "host:2")


def test_a_job_that_was_to_stop_when_its_keeper_died_is_stopped(store: Store) -> None:
    number = start_plan_job(store, frozen(store, 2), actor=ADA)
    with store.write() as tx:
        take_job(tx, holder="dead", keeper="host:9", seconds=60)
    assert stop_job(store, number, actor=ADA) == JobState.STOPPING
    expire(store)

    assert carry_out(store) is None

    assert (job_of(store, number).state, replays(store)) == ("stopped", {})


def test_a_job_that_keeper_after_keeper_dies_of_is_not_tried_again(store: Store) -> None:
    number = start_plan_job(store, frozen(store, 2), actor=ADA)
    for _ in range(5):
        with store.write() as tx:
            assert take_job(tx, holder="dead", keeper="host:9", seconds=60)
        expire(store)

    assert carry_out(store) is None

    failed = job_of(store, number)
    assert failed.state == "failed" and "5 keepers took it" in str(failed.error)
    resume_job(store, number, actor=ADA)
    carry_out(store)
    assert job_of(store, number).state == "done"


def test_a_fault_of_ours_ends_its_job_and_no_other(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = start_plan_job(store, frozen(store, 2), actor=ADA)

    def broken(self: Step) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as now:
        now.setattr(Step, "go_on", broken)
        assert carry_out(store) == number

    failed = job_of(store, number)
    assert failed.state == "failed" and "ZeroDivisionError" in str(failed.error)


def test_a_lost_lease_is_found_out_while_a_job_pauses(store: Store) -> None:
    number = start_plan_job(store, frozen(store, 1), actor=ADA)
    with store.write() as tx:
        taken = take_job(tx, holder="first", keeper="host:1", seconds=0.01)
        assert taken
    step = Step(store, *taken, lambda: False)
    expire(store)
    with store.write() as tx:
        assert take_job(tx, holder="second", keeper="host:2", seconds=60)

    with pytest.raises(LeaseLost):
        step.pause(5)
    assert job_of(store, number).keeper == "host:2"


def test_events_that_wait_behind_others_fail_the_job_with_what_to_do(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left goes on when the job is resumed."""
    number = start_plan_job(store, frozen(store, 2), actor=ADA)

    def waits(*args: object, **options: object) -> module.Ran:
        return module.Ran(token="t", events=2, waiting=1, outcomes={})

    with monkeypatch.context() as now:
        now.setattr("orchestrator.operations.jobs.carry_out.run_plan", waits)
        carry_out(store)
    failed = job_of(store, number)
    assert failed.state == "failed" and "1 events wait behind" in str(failed.error)

    resume_job(store, number, actor=ADA)
    carry_out(store)
    assert job_of(store, number).state == "done"


def test_a_job_shows_its_events_and_those_that_nothing_came_of(store: Store) -> None:
    number = start_plan_job(store, frozen(store, 4), actor=ADA)
    carry_out(store)
    with store.write() as tx:
        ids = list(tx.execute(select(events.c.id).order_by(events.c.id)).scalars())
        tx.execute(update(events).where(events.c.id == ids[1]).values(state="quarantined"))

    with store.read() as tx:
        shown = show_job(tx, number, limit=2, after=0)
        failed = show_job(tx, number, limit=10, failed=True)

    assert shown.outcomes == {"accepted": 3, "quarantined": 1}
    assert [(one.place, one.id, one.outcome) for one in shown.rows] == [
        (1, ids[1], "quarantined"),
        (2, ids[2], "accepted"),
    ]
    assert [one.id for one in failed.rows] == [ids[1]]


def test_an_event_that_left_the_quarantine_otherwise_is_among_those(store: Store) -> None:
    number = start_plan_job(store, frozen(store, 2), actor=ADA)
    with store.read() as tx:
        first = tx.execute(select(func.min(events.c.id))).scalar_one()
    discard_events(store, Selection(ids=(first,)), why="a test", actor=login("cli:bob"))

    with store.read() as tx:
        failed = show_job(tx, number, limit=10, failed=True)

    assert [one.outcome for one in failed.rows] == ["discarded, not by this plan"]


def test_jobs_are_listed_by_state_and_client_the_newest_first(store: Store) -> None:
    token = frozen(store, 1)
    first = start_plan_job(store, token, actor=ADA)
    stop_job(store, first, actor=ADA)
    second = start_plan_job(store, token, actor=ADA)

    def listed(**only: object) -> list[int]:
        with store.read() as tx:
            return [one.id for one in list_jobs(tx, limit=9, **only)]  # type: ignore[arg-type]

    assert listed() == [second, first]
    assert listed(state=JobState.STOPPED) == [first]
    assert listed(client="acme") == [second, first]
    assert listed(client="globex") == []
    assert listed(before=second) == [first]
    with pytest.raises(Refused, match=f"job {second} runs this plan"):
        resume_job(store, first, actor=ADA)


def test_retention_deletes_jobs_that_ended_long_ago_and_no_other(store: Store) -> None:
    token = frozen(store, 2)
    ended = start_plan_job(store, token, actor=ADA)
    stop_job(store, ended, actor=ADA)
    waiting = start_plan_job(store, token, actor=ADA)
    with store.write() as tx:
        tx.execute(update(jobs).where(jobs.c.id == ended).values(ended_at=after(-31 * 86_400)))

    assert apply_retention(store, days=30, actor=ADA, dry_run=True).jobs == 1
    assert apply_retention(store, days=30, actor=ADA).jobs == 1

    with store.read() as tx:
        assert [one.id for one in list_jobs(tx, limit=9)] == [waiting]
        (told,) = list_audit(tx, action="retention")
    assert detail_of(told)["jobs"] == 1
