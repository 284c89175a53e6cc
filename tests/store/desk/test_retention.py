"""Retention: what finished events carried is forgotten, and the record stays."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from orchestrator.domain.access.actor import login
from orchestrator.domain.errors import NotFound, Refused
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.apply_retention import apply_retention
from orchestrator.operations.quarantine.discard import discard_events
from orchestrator.operations.replay.plan import plan_replay
from orchestrator.operations.replay.run_plan import run_plan
from orchestrator.store.database.audit import record
from orchestrator.store.database.audit_values import empty_values_before
from orchestrator.store.database.clock import after
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import (
    audit_values,
    deliveries,
    events,
    payloads,
    plans,
    quarantine,
)
from orchestrator.store.desk.plans import list_plans
from orchestrator.store.desk.retention import forget_contents, forget_plans
from orchestrator.store.drive.deliveries import save_done, take_deliveries
from orchestrator.store.drive.stages import Saving, save_delivered
from orchestrator.store.views.audit import list_audit
from orchestrator.store.views.events.show import show_event
from orchestrator.store.views.quarantine.selection import Selection
from orchestrator.store.views.values import now_of
from tests.cli.desk import validate_leads
from tests.details import detail_of
from tests.leads import (
    CATALOG,
    TEXT,
    accept_leads,
    claim_groups,
    drive_to_routed,
    grow_old,
    lead,
    lead_workflow,
    publish_leads,
    renamed_lead,
)

DAY = 86_400


def delivered(store: Store, count: int, *, key: str | None = None) -> list[str]:
    """Leads that went all the way, a month and a bit ago."""
    ids = [one.id for one in accept_batch(store, [lead(1, key=key)], actor="key:test")]
    ids += accept_leads(store, count - 1) if count > 1 else []
    (group,) = claim_groups(store)
    drive_to_routed(store, group)
    saving = Saving(actor="worker:dispatch", epoch=group.epoch, lease_seconds=60)
    with store.write() as tx:
        take_deliveries(tx, ids, epoch=group.epoch, run_id="run-1", run_seconds=30)
        save_done(tx, "run-1", [(one, "crm", "confirmed", f"r-{one}") for one in ids])
        save_delivered(tx, ids, lead_workflow(), saving)
    return a_month_ago(store, ids)


def a_month_ago(store: Store, ids: list[str]) -> list[str]:
    """The events as if they had come and ended a month and a bit ago; their ids then."""
    aged = grow_old(store, ids, 31 * DAY)
    with store.write() as tx:
        tx.execute(update(events).where(events.c.id.in_(aged)).values(updated_at=after(-31 * DAY)))
    return aged


def payload_ids(store: Store) -> set[str]:
    with store.read() as tx:
        return set(tx.execute(select(payloads.c.event_id)).scalars())


def test_the_contents_of_what_finished_long_ago_are_forgotten_and_the_record_stays(
    store: Store,
) -> None:
    publish_leads(store)
    old = delivered(store, 3)
    (waiting,) = accept_leads(store, 1)

    done = apply_retention(store, days=30, actor=login("cli:tester"))

    assert done.events == 3
    assert payload_ids(store) == {waiting}
    with store.read() as tx:
        shown = show_event(tx, old[0], with_payload=True)
        sent = tx.execute(select(deliveries.c.send)).scalars().all()
        (told,) = list_audit(tx, action="retention")
    assert shown is not None
    assert shown.content and shown.content.payload is None and shown.state == "delivered"
    assert str(shown.deliveries[0].record_id).startswith("r-")
    assert sent == ["{}"] * 3
    assert (told.actor, detail_of(told)["events"]) == ("cli:tester", 3)


def test_values_of_the_audit_go_with_what_they_were_of(store: Store) -> None:
    publish_leads(store)
    quarantined = [one.id for one in accept_batch(store, [renamed_lead()], actor="key:test")]
    validate_leads(store)
    discard_events(
        store, Selection(ids=tuple(quarantined)), why="nobody", actor=login("cli:tester")
    )
    with store.write() as tx:
        record(tx, actor="cli:tester", action="pause", detail={"why": "an old reason"})
        tx.execute(update(deliveries).values(error="422: lead-1 is taken"))
        back = {"updated_at": after(-31 * DAY), "accepted_at": after(-31 * DAY)}
        tx.execute(update(events).values(back))
    with store.read() as tx:
        soon = now_of(tx) + 1

    with store.write() as tx:
        forget_contents(tx, quarantined)
        assert empty_values_before(tx, soon, most=100) >= 1

    with store.read() as tx:
        rows = {row.action: row.detail or {} for row in list_audit(tx)}
        left = tx.execute(select(audit_values.c.value).where(audit_values.c.value.is_not(None)))
        assert left.all() == []
        assert tx.execute(select(quarantine.c.detail)).scalars().all() == [""]
    assert str(rows["discard"]["why"]).startswith("(forgotten by retention on 20")
    assert str(rows["pause"]["why"]).startswith("(forgotten by retention on 20")


def test_what_finished_lately_or_not_at_all_is_left_alone(store: Store) -> None:
    publish_leads(store)
    finished_lately = delivered(store, 1)
    with store.write() as tx:
        tx.execute(update(events).values(updated_at=after(-29 * DAY)))
    unfinished = a_month_ago(store, accept_leads(store, 1)) if store.is_sqlite else []

    done = apply_retention(store, days=30, actor=login("cli:tester"))

    assert done.events == 0
    assert payload_ids(store) == {*finished_lately, *unfinished}


def test_what_stands_still_hides_nothing_that_comes_after_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestrator.operations.apply_retention._BATCH", 1)
    publish_leads(store)
    standing, *finished = sorted(delivered(store, 3))
    with store.write() as tx:
        tx.execute(update(events).where(events.c.id == standing).values(state="quarantined"))

    done = apply_retention(store, days=30, actor=login("cli:tester"))

    assert done.events == len(finished)
    assert payload_ids(store) == {standing}


def test_a_dry_run_counts_and_changes_nothing(store: Store) -> None:
    publish_leads(store)
    old = delivered(store, 2)

    counted = apply_retention(store, days=30, actor=login("cli:tester"), dry_run=True)

    assert counted.events == 2
    assert payload_ids(store) == set(old)


def test_a_second_run_finds_nothing_more_and_says_so(store: Store) -> None:
    publish_leads(store)
    delivered(store, 2)
    apply_retention(store, days=30, actor=login("cli:tester"))

    again = apply_retention(store, days=30, actor=login("cli:tester"))

    assert (again.events, again.dead_letters) == (0, 0)
    with store.read() as tx:
        assert len(list_audit(tx, action="retention")) == 1


def test_a_key_of_an_event_without_its_payload_is_still_known(store: Store) -> None:
    publish_leads(store)
    (old,) = delivered(store, 1, key="form-1")
    apply_retention(store, days=30, actor=login("cli:tester"))

    (again,) = accept_batch(store, [lead(1, key="form-1")], actor="key:test")

    assert (again.id, again.duplicate) == (old, True)


def test_less_than_a_day_is_refused(store: Store) -> None:
    with pytest.raises(Refused, match="shortest retention"):
        apply_retention(store, days=0, actor=login("cli:tester"))


def plan(store: Store, *, age: int) -> str:
    """A plan that was made so many seconds ago, over leads that the contract stops; its token."""
    accept_leads(store, 3, tier="gold")
    validate_leads(store)
    publish_leads(store, TEXT.replace("[enterprise, pro]", "[enterprise, pro, gold]").replace(
        'tier == "pro"', 'tier != "enterprise"'))  # fmt: skip
    made = plan_replay(
        store, Selection(workflow="leads"), catalog=CATALOG, actor=login("cli:tester")
    )
    with store.write() as tx:
        same = plans.c.token == made.token
        tx.execute(update(plans).where(same).values(planned_at=after(-age)))
    return made.token


def test_a_plan_that_nobody_touched_for_so_long_is_deleted_bit_by_bit(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestrator.operations.apply_retention._BATCH", 2)
    publish_leads(store)
    old, new = plan(store, age=31 * DAY), plan(store, age=29 * DAY)

    assert apply_retention(store, days=30, actor=login("cli:tester"), dry_run=True).plans == 1
    assert apply_retention(store, days=30, actor=login("cli:tester")).plans == 1

    with pytest.raises(NotFound):
        run_plan(store, old, actor=login("cli:tester"))
    with store.read() as tx:
        assert [one.token for one in list_plans(tx, limit=10)] == [new]
        (told,) = list_audit(tx, action="retention")
    assert told.detail == {"days": 30, "plans": 1}


def test_a_plan_that_is_being_deleted_does_not_run(store: Store) -> None:
    publish_leads(store)
    old = plan(store, age=31 * DAY)
    with store.write() as tx:
        now = now_of(tx)
        forget_plans(tx, now - 30 * DAY * 1000, most=1)

    with pytest.raises(Refused, match="older than what is kept"):
        run_plan(store, old, actor=login("cli:tester"))
