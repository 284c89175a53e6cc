"""A version that was live before is live again: at once, told, and with what nobody routed yet."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from orchestrator.domain.access.actor import login
from orchestrator.domain.errors import Forbidden, NotFound, Refused, WorkflowConflict
from orchestrator.domain.lifecycle import State
from orchestrator.operations.replay.plan_outcomes import plan_outcomes
from orchestrator.operations.rollback_workflow import RolledBack, rollback_workflow
from orchestrator.store.changes.views import show_change
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import alerts, events
from orchestrator.store.drive.stages import load_group
from orchestrator.store.quarantine.workflows import WorkflowShelf
from orchestrator.store.views.audit import list_audit
from tests.leads import CATALOG, TEXT, accept_leads, claim_groups, drive_to_routed, publish_leads
from tests.store.changes.governed import (
    APPROVER,
    approver,
    author,
    decide,
    govern,
    live_version,
    proposed,
    version,
)

BAD = version(20)


def back(store: Store, **asked: object) -> RolledBack:
    given = {"why": "it routes wrongly", "actor": author(store)} | asked
    return rollback_workflow(store, "acme", "leads", **given)  # type: ignore[arg-type]


def approved(store: Store, text: str = BAD) -> str:
    token = proposed(store, text)
    decide(store, token, by=approver(store))
    return token


def test_the_version_before_is_live_again_without_an_approval(store: Store) -> None:
    govern(store)
    token = approved(store)
    waiting = proposed(store, version(30))
    assert live_version(store) == 2

    done = back(store)

    assert (done.version, done.instead_of, live_version(store)) == (1, 2, 1)
    with store.read() as tx:
        shown = {one: show_change(tx, one) for one in (token, waiting, done.change or "")}
        told = tx.execute(select(alerts.c.recipient, alerts.c.kind)).all()
        rows = list_audit(tx, action="rollback")
    states = {one: row.state for one, row in shown.items() if row}
    assert states == {token: "rolled_back", waiting: "stale", done.change: "live"}
    kept = shown[done.change or ""]
    assert kept and (kept.kind, kept.way, kept.live_version) == ("rollback", "rollback", 1)
    assert (APPROVER, "live") in [(one.recipient, one.kind) for one in told]
    (row,) = rows
    assert row.detail and row.detail["version"] == 1


def test_the_next_version_has_a_number_of_its_own(store: Store) -> None:
    govern(store)
    approved(store)
    back(store)

    approved(store, version(40))

    assert live_version(store) == 3


def test_it_goes_only_where_the_workflow_was(store: Store) -> None:
    govern(store)
    with pytest.raises(NotFound, match="never had an earlier version"):
        back(store)
    approved(store)
    with pytest.raises(NotFound, match="never had a version 9"):
        back(store, to=9)
    with pytest.raises(Refused, match="is live already"):
        back(store, to=2)
    with pytest.raises(Refused, match="reason"):
        back(store, why=" ")
    with pytest.raises(Forbidden):
        back(store, actor=approver(store))
    with pytest.raises(Forbidden):
        back(store, actor=login("cli:somebody"))
    assert live_version(store) == 2
    back(store)
    with pytest.raises(Refused, match="live again already"):
        back(store)
    assert back(store, to=2).version == 2


def test_it_does_not_take_a_trigger_that_another_workflow_has_by_now(store: Store) -> None:
    publish_leads(store)
    publish_leads(store, TEXT.replace("lead.created", "lead.made"))
    publish_leads(store, TEXT.replace("workflow: leads", "workflow: other"))

    with pytest.raises(WorkflowConflict, match="is taken by the live workflow 'other'"):
        rollback_workflow(store, "acme", "leads", why="no", actor=login("cli:tester"))

    assert live_version(store) == 2


def test_a_dry_run_says_what_it_would_do(store: Store) -> None:
    govern(store)
    approved(store)
    accept_leads(store, 3)

    done = back(store, dry_run=True, repin=True)

    assert (done.version, done.change, done.early, done.repinned) == (1, None, 3, 0)
    assert live_version(store) == 2


def test_events_that_are_not_routed_begin_again_and_their_group_leaves_them_alone(
    store: Store,
) -> None:
    publish_leads(store)
    publish_leads(store, BAD)
    routed = accept_leads(store, 1)
    (first,) = claim_groups(store)
    drive_to_routed(store, first)
    early = accept_leads(store, 5)
    (group,) = [one for one in claim_groups(store) if set(one.ids) & set(early)]

    done = rollback_workflow(
        store, "acme", "leads", why="no", actor=login("cli:tester"), repin=True
    )

    assert (done.early, done.repinned) == (5, 5)
    with store.write() as tx:  # what was under way for the other version is not taken any more
        loaded = load_group(
            tx, group.ids, epoch=group.epoch, state=State.ACCEPTED, shelf=WorkflowShelf()
        )
    assert not loaded
    with store.read() as tx:
        found = {row.id: (row.state, row.workflow_id) for row in tx.execute(select(events)).all()}
    assert {found[one] for one in early} == {("accepted", 1)}
    assert {found[one][1] for one in routed} == {2}
    (again,) = [one for one in claim_groups(store) if set(one.ids) & set(early)]
    assert (again.workflow_id, set(again.ids)) == (1, set(early))


def test_one_that_was_stopped_goes_on(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator.operations.rollback_workflow._CHUNK", 2)
    publish_leads(store)
    publish_leads(store, BAD)
    accept_leads(store, 7)

    class Stopped(Exception):
        pass

    def stop(done: int) -> None:
        if done == 4:
            raise Stopped

    def run(progress: object = lambda _: None) -> RolledBack:
        return rollback_workflow(
            store,
            "acme",
            "leads",
            why="no",
            actor=login("cli:tester"),
            repin=True,
            progress=progress,  # type: ignore[arg-type]
        )

    with pytest.raises(Stopped):
        run(stop)
    assert live_version(store) == 1
    assert run().repinned == 3


def test_versions_that_order_otherwise_do_not_change_over(store: Store) -> None:
    publish_leads(store)
    publish_leads(store, BAD.replace("facts:", "ordering_key: data.email\nfacts:"))
    with pytest.raises(Refused, match="order their events by different keys"):
        rollback_workflow(store, "acme", "leads", why="no", actor=login("cli:t"), repin=True)
    assert live_version(store) == 2


def test_events_do_not_change_over_to_a_version_that_is_not_live_any_more(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestrator.operations.rollback_workflow._CHUNK", 2)
    publish_leads(store)
    publish_leads(store, BAD)
    accept_leads(store, 6)
    other = login("cli:other")

    def somebody_goes_on(done: int) -> None:
        if done == 2:
            rollback_workflow(store, "acme", "leads", why="no", actor=other, to=2)

    with pytest.raises(WorkflowConflict, match="is not live any more, so 2 events changed over"):
        rollback_workflow(
            store,
            "acme",
            "leads",
            why="no",
            actor=login("cli:tester"),
            repin=True,
            progress=somebody_goes_on,
        )

    with store.read() as tx:
        found = tx.execute(select(events.c.workflow_id)).scalars().all()
    assert sorted(found) == [1, 1, 2, 2, 2, 2]


def test_a_plan_of_outcomes_is_of_a_version_that_is_not_live(store: Store) -> None:
    govern(store)
    approved(store)
    asked = {"catalog": CATALOG, "actor": author(store)}
    with pytest.raises(Refused, match="is not live by a rollback"):
        plan_outcomes(store, "acme", "leads", **asked)  # type: ignore[arg-type]
    with pytest.raises(Refused, match="version 2 of 'leads' is live"):
        plan_outcomes(store, "acme", "leads", made_by=2, **asked)  # type: ignore[arg-type]
    with pytest.raises(NotFound, match="never had a version 9"):
        plan_outcomes(store, "acme", "leads", made_by=9, **asked)  # type: ignore[arg-type]
    accept_leads(store, 3)
    back(store)
    plan = plan_outcomes(store, "acme", "leads", **asked)  # type: ignore[arg-type]
    assert (plan.made_by, plan.version, plan.under_way, plan.token) == (2, 1, 3, None)
    assert back(store, outcomes=True).change is not None  # done already, and no fault
    with pytest.raises(Forbidden):
        plan_outcomes(store, "acme", "leads", catalog=CATALOG, actor=approver(store))
