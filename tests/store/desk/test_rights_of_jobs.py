"""A job acts on the right that its starter has now: it ends before the step that may not be."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.access.roles import Role
from orchestrator.operations.access.keys import check_key, create_key, revoke_key
from orchestrator.operations.access.people import disable_person
from orchestrator.operations.jobs import on_events
from orchestrator.operations.jobs.carry_out import Step, carry_out_next_job
from orchestrator.operations.jobs.start import start_plan_job
from orchestrator.operations.jobs.start_on_events import start_amend_job, start_discard_job
from orchestrator.operations.jobs.stop import resume_job
from orchestrator.operations.replay import run_plan
from orchestrator.store.database.engine import Store
from orchestrator.store.views.audit import list_audit
from orchestrator.store.views.jobs import JobRow, find_job
from orchestrator.store.views.quarantine.selection import Selection
from tests.people import add, add_admin, logged_in, withdraw
from tests.plans import RECIPE, frozen

ADA = "ada@acme.example"


def an_operator(store: Store) -> tuple[Actor, Actor]:
    """An admin, and somebody who may act for one client."""
    admin = add_admin(store)
    add(store, ADA, Role.OPERATOR, "acme")
    return admin, logged_in(store, ADA)


def carry_out(
    store: Store, job: int, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], object]
) -> JobRow:
    """Carry a job out, event by event; after the first of them something else happens."""
    go_on, happened = Step.go_on, [False]

    def after_a_step(self: Step) -> None:
        with store.read() as tx:
            found = find_job(tx, job)
        if found and found.done and not happened[0]:
            happened[0] = True
            meanwhile()
        go_on(self)

    with monkeypatch.context() as now:
        now.setattr(on_events, "CHUNK", 1)
        now.setattr(run_plan, "CHUNK", 1)
        now.setattr(Step, "go_on", after_a_step)
        carry_out_next_job(store, keeper="host:1", lease_seconds=60)
    with store.read() as tx:
        row = find_job(tx, job)
    assert row is not None
    return row


def acted(store: Store, action: str) -> int:
    with store.read() as tx:
        return len(list_audit(tx, action=action))


def test_a_job_of_a_person_who_was_disabled_ends_and_may_be_resumed_after(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen(store, 3)
    admin, ada = an_operator(store)
    job = start_discard_job(store, Selection(workflow="leads"), actor=ada, why="test entries")

    ended = carry_out(store, job, monkeypatch, lambda: disable_person(store, ADA, actor=admin))

    assert (ended.state, ended.done, acted(store, "discard")) == ("failed", 1, 1)
    assert str(ended.error).startswith(f"person:{ADA}/page, on whose word the job acts, may not")
    disable_person(store, ADA, actor=admin, enable=True)
    resume_job(store, job, actor=admin)
    assert carry_out(store, job, monkeypatch, lambda: None).state == "done"
    assert acted(store, "discard") == 3


def test_a_plan_is_run_no_further_when_the_role_was_withdrawn(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = frozen(store, 3)
    _, ada = an_operator(store)
    job = start_plan_job(store, token, actor=ada)

    def lose() -> None:
        withdraw(store, ADA, Role.OPERATOR, "acme")

    ended = carry_out(store, job, monkeypatch, lose)

    assert (ended.state, ended.done, acted(store, "replay")) == ("failed", 1, 1)


def test_a_job_that_a_key_started_does_nothing_after_the_key_was_revoked(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen(store, 2)
    admin, _ = an_operator(store)
    key = create_key(store, clients=["acme"], label="desk", actor=admin, role=Role.OPERATOR)
    caller = check_key(store, key)
    before = acted(store, "amend")
    job = start_amend_job(
        store, Selection(workflow="leads"), RECIPE, actor=caller.as_actor(), from_original=True
    )
    revoke_key(store, caller.key_id, actor=admin)

    ended = carry_out(store, job, monkeypatch, lambda: None)

    assert (ended.state, ended.done) == ("failed", 0)
    assert acted(store, "amend") == before
