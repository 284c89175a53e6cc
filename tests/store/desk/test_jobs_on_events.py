"""Jobs that discard, restore and amend events: each event once, each with its outcome."""

from __future__ import annotations

from collections import Counter

import pytest
from sqlalchemy import select

from orchestrator.domain.access.actor import login
from orchestrator.domain.errors import Refused
from orchestrator.domain.recipes.amendment import parse_amendments
from orchestrator.domain.recipes.file import recipe_of
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.jobs import on_events
from orchestrator.operations.jobs.carry_out import Step, carry_out_next_job
from orchestrator.operations.jobs.show import show_job
from orchestrator.operations.jobs.start_on_events import (
    start_amend_job,
    start_discard_job,
    start_restore_job,
)
from orchestrator.operations.jobs.stop import resume_job, stop_job
from orchestrator.operations.quarantine.discard import discard_events
from orchestrator.operations.repair.amend import fix_events
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.database.schema import events
from orchestrator.store.desk.retention import forget_contents
from orchestrator.store.quarantine.restoring import restore
from orchestrator.store.views.audit import list_audit
from orchestrator.store.views.quarantine.selection import Selection
from tests.cli.desk import validate_leads
from tests.leads import publish_leads, renamed_lead
from tests.plans import RECIPE

ADA, BOB = login("cli:ada"), login("cli:bob")
ALL = Selection(workflow="leads")


def quarantined(store: Store, count: int) -> list[str]:
    publish_leads(store)
    leads = [renamed_lead(number) for number in range(count)]
    ids = [one.id for one in accept_batch(store, leads, actor="key:test")]
    validate_leads(store)
    return ids


def carry_out(store: Store) -> None:
    carry_out_next_job(store, keeper="host:1", lease_seconds=60)


def states(store: Store) -> Counter[str]:
    with store.read() as tx:
        return Counter(tx.execute(select(events.c.state)).scalars())


def told(store: Store, job: int) -> tuple[str, int, int, list[tuple[str, str | None]]]:
    """State, done and failed of a job, and each event's outcome."""
    with store.read() as tx:
        shown = show_job(tx, job, limit=100)
    one = shown.job
    return one.state, one.done, one.failed, [(row.outcome, row.detail) for row in shown.rows]


def acted(store: Store, action: str) -> Counter[str | None]:
    """How often the audit tells of each event that this was done to it, and by whom."""
    with store.read() as tx:
        rows = list_audit(tx, action=action)
    assert {row.actor for row in rows} <= {"cli:ada"}
    return Counter(row.event_id for row in rows)


def test_a_job_discards_what_was_selected_when_it_started(store: Store) -> None:
    ids = quarantined(store, 3)
    job = start_discard_job(store, ALL, actor=ADA, why="test entries", seen=ids[:2])
    quarantined_later = accept_batch(store, [renamed_lead(9)], actor="key:test")
    validate_leads(store)

    carry_out(store)

    assert told(store, job) == ("done", 2, 0, [("done", None)] * 2)
    assert states(store) == {"discarded": 2, "quarantined": 2}
    assert acted(store, "discard") == dict.fromkeys(ids[:2], 1)
    assert len(quarantined_later) == 1


def test_an_event_that_somebody_else_discarded_is_unchanged(store: Store) -> None:
    ids = quarantined(store, 2)
    job = start_discard_job(store, ALL, actor=ADA, why="test entries")
    discard_events(store, Selection(ids=(ids[0],)), why="mine", actor=ADA)

    carry_out(store)

    assert told(store, job) == ("done", 2, 0, [("unchanged", None), ("done", None)])


def test_a_job_restores_and_says_what_it_cannot(store: Store) -> None:
    ids = quarantined(store, 2)
    discard_events(store, ALL, why="mine", actor=ADA)
    job = start_restore_job(store, ALL, actor=ADA, why="a mistake")
    with store.write() as tx:
        restore(tx, [ids[0]], why="by hand", actor="cli:ada")
        forget_contents(tx, [ids[1]])

    carry_out(store)

    state, done, failed, rows = told(store, job)
    assert (state, done, failed) == ("done", 2, 1)
    assert rows[0] == ("unchanged", None)
    assert rows[1][0] == "failed" and "nothing of it is left to restore" in str(rows[1][1])
    with store.read() as tx:
        assert [one.id for one in show_job(tx, job, limit=9, failed=True).rows] == [ids[1]]
    with pytest.raises(Refused, match="words of discarded events"):
        start_restore_job(store, Selection(words=("lead",)), actor=ADA, why="a mistake")


def test_a_job_amends_by_a_recipe_and_passes_over_what_others_amended(store: Store) -> None:
    ids = quarantined(store, 3)
    change = parse_amendments(["customer_tier=tier"], [], [])
    fix_events(store, Selection(ids=(ids[0],)), change, actor=BOB)
    discard_events(store, Selection(ids=(ids[1],)), why="mine", actor=BOB)
    chosen = Selection(ids=(ids[0], ids[2]))
    job = start_amend_job(store, chosen, RECIPE, actor=ADA)
    fails = start_amend_job(store, chosen, recipe_of([{"drop": "email"}]), actor=ADA, again=True)

    carry_out(store)
    carry_out(store)

    state, done, failed, rows = told(store, job)
    assert (state, done, failed) == ("done", 2, 1)
    assert rows[0][0] == "failed" and "somebody else amended it: cli:bob" in str(rows[0][1])
    assert rows[1] == ("done", None)
    state, done, failed, rows = told(store, fails)
    assert (state, done, failed) == ("done", 2, 2)
    assert "email" in str(rows[0][1])


def test_a_job_that_is_cut_off_in_a_step_does_each_event_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_events, "CHUNK", 2)
    ids = quarantined(store, 5)
    job = start_discard_job(store, ALL, actor=ADA, why="test entries")
    note = Step.note

    def dies(self: Step, tx: Tx, done: int, failed: int = 0) -> None:
        note(self, tx, done, failed)
        if done == 4:
            raise ZeroDivisionError

    with monkeypatch.context() as now:
        now.setattr(Step, "note", dies)
        carry_out(store)
    assert told(store, job)[:3] == ("failed", 2, 0)
    assert states(store) == {"discarded": 2, "quarantined": 3}

    resume_job(store, job, actor=BOB)
    carry_out(store)

    assert told(store, job) == ("done", 5, 0, [("done", None)] * 5)
    assert acted(store, "discard") == dict.fromkeys(ids, 1)


def test_a_stopped_job_keeps_what_is_done(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_events, "CHUNK", 2)
    quarantined(store, 5)
    job = start_discard_job(store, ALL, actor=ADA, why="test entries")
    go_on = Step.go_on
    asked: list[object] = []

    def stopped(self: Step) -> None:
        if not asked:
            asked.append(stop_job(store, job, actor=BOB))  # the next step finds it out
        go_on(self)

    monkeypatch.setattr(Step, "go_on", stopped)
    carry_out(store)

    with store.read() as tx:
        assert show_job(tx, job, limit=9).outcomes == {"done": 4, "waiting": 1}
    assert told(store, job)[:3] == ("stopped", 4, 0)


def test_a_job_needs_events_and_a_reason(store: Store) -> None:
    quarantined(store, 1)
    with pytest.raises(Refused, match="a discard needs a reason"):
        start_discard_job(store, ALL, actor=ADA, why=" ")
    with pytest.raises(Refused, match="nothing was selected"):
        start_discard_job(store, Selection(), actor=ADA, why="x")
    with pytest.raises(Refused, match="it selects no event"):
        start_restore_job(store, ALL, actor=ADA, why="x")
