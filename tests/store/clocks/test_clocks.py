"""A clock that ran out is recorded once, raises its incident, and climbs step by step."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from orchestrator.domain.incidents.incident import IncidentMove
from orchestrator.domain.lifecycle import State
from orchestrator.domain.reasons import Reason
from orchestrator.domain.text.durations import seconds
from orchestrator.operations.incidents.escalate import escalate_incidents
from orchestrator.operations.incidents.keep_clocks import keep_clocks
from orchestrator.store.clocks.deadline_views import list_breached, list_clocks
from orchestrator.store.clocks.deadlines import find_late, record_late, record_overdue
from orchestrator.store.database.clock import after, recovery_ms, time_of
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import (
    alerts,
    audit,
    breaches,
    events,
    incidents,
    quarantine,
)
from orchestrator.store.destinations.holding import hold_deliveries
from orchestrator.store.drive.stages import Saving, hand_back, save_delivered
from orchestrator.store.quarantine.actions import quarantine_events
from orchestrator.store.quarantine.incident_moves import move_incident
from orchestrator.store.quarantine.workflow_terms import TermsShelf
from tests.leads import (
    TEXT,
    accept_leads,
    claim_groups,
    drive_to_routed,
    grow_old,
    lead_workflow,
    publish_leads,
)


def keep(store: Store) -> None:
    """One turn of a keeper that has just started."""
    keep_clocks(store, TermsShelf())


def leads(store: Store, count: int, *, age: str = "0s", text: str = TEXT) -> list[str]:
    """Leads under way that were accepted so long ago."""
    publish_leads(store, text)
    ids = accept_leads(store, count)
    with store.write() as tx:
        accepted = {"accepted_at": after(-seconds(age))}
        tx.execute(update(events).where(events.c.id.in_(ids)).values(accepted))
    return ids


def stop(store: Store, ids: list[str], reason: Reason = Reason.CONTRACT_VIOLATION) -> None:
    with store.write() as tx:
        quarantine_events(
            tx, ids, source=State.ACCEPTED, workflow=lead_workflow(), reason=reason,
            detail="no", actor="worker",
        )  # fmt: skip


def told(store: Store, action: str) -> list[Any]:
    with store.read() as tx:
        return list(tx.execute(select(audit).where(audit.c.action == action).order_by(audit.c.id)))


def rows(store: Store, table: Any) -> list[Any]:
    with store.read() as tx:
        return [row._mapping for row in tx.execute(select(table)).all()]


def incident_of(store: Store) -> Any:
    (row,) = rows(store, incidents)
    return row


def make_late(store: Store, by: str) -> None:
    """The time to heal the quarantined was over so long ago."""
    with store.write() as tx:
        over = after(-seconds(by))
        tx.execute(update(quarantine).values(recover_by=over))
        tx.execute(update(incidents).values(recover_by=over, opened_at=after(-864_000)))


def steps(store: Store) -> list[tuple[int, str]]:
    """Whom the escalation told, by its alerts."""
    with store.read() as tx:
        found = tx.execute(
            select(alerts.c.step, alerts.c.recipient)
            .where(alerts.c.kind == "escalated")
            .order_by(alerts.c.id)
        )
        return [(row[0], row[1]) for row in found]


def test_an_event_under_way_is_late_when_its_time_is_over(store: Store) -> None:
    late = leads(store, 2, age="16m")
    leads(store, 1, age="14m")

    keep(store)

    assert {row["event_id"] for row in rows(store, breaches)} == set(late)
    assert {row.event_id for row in told(store, "breach") if row.event_id} == set(late)
    incident = incident_of(store)
    assert (incident["reason"], incident["events"]) == ("late", 2)
    assert incident["breached_at"] >= incident["opened_at"]


def test_what_is_late_is_recorded_once_however_often_and_by_whom_it_is_found(store: Store) -> None:
    leads(store, 30, age="1h")

    with ThreadPoolExecutor(4) as many:
        list(many.map(lambda _: keep(store), range(8)))

    assert len(rows(store, breaches)) == 30
    assert len([row for row in told(store, "breach") if row.event_id]) == 30
    assert len([row for row in told(store, "breach") if row.incident_id]) == 1
    assert incident_of(store)["events"] == 30
    assert steps(store) == [(1, "triage@acme.example")]
    assert len(told(store, "escalate")) == 1


def test_more_than_one_look_takes_are_found_look_by_look_and_raise_one_incident_once(
    store: Store,
) -> None:
    leads(store, 5, age="1h")
    shelf, looks = TermsShelf(), []
    for _ in range(4):
        with store.write() as tx:
            looks.append(record_late(tx, find_late(tx, shelf.take(tx), most=2)))

    assert looks == [2, 2, 1, 0]
    assert incident_of(store)["events"] == 5
    assert len([row for row in told(store, "breach") if row.incident_id]) == 1


def test_two_keepers_that_see_the_same_step_take_it_once(store: Store) -> None:
    stop(store, leads(store, 1))
    make_late(store, "1s")
    with store.write() as tx:
        record_overdue(tx)
    terms = TermsShelf()

    def climb_once(_: int) -> int:
        with store.write() as tx:
            return len(escalate_incidents(tx, terms.newest(tx)))

    with ThreadPoolExecutor(8) as many:
        taken = list(many.map(climb_once, range(16)))

    assert sum(taken) == 1
    assert len(told(store, "escalate")) == 1


def test_an_event_in_quarantine_raises_the_incident_that_it_stands_on(store: Store) -> None:
    ids = leads(store, 3, age="1h")
    stop(store, ids)

    keep(store)

    assert len(rows(store, breaches)) == 3
    incident = incident_of(store)
    assert incident["reason"] == "contract_violation"
    assert incident["breached_at"] == incident["opened_at"]  # it was late before it was quarantined


def test_an_event_that_is_held_raises_the_incident_of_its_destination(store: Store) -> None:
    leads(store, 2, age="1h")
    (group,) = claim_groups(store)
    drive_to_routed(store, group)
    with store.write() as tx:
        hold_deliveries(
            tx, group.ids, ["crm"], workflow=lead_workflow(), epoch=group.epoch,
            circuit="fake", reason="paused", actor="w",
        )  # fmt: skip
        hand_back(tx, group.ids, group.epoch)

    keep_clocks(store, TermsShelf())

    reasons = {row["reason"]: row["breached_at"] for row in rows(store, incidents)}
    assert reasons.keys() == {"held"}
    assert reasons["held"]


def test_an_incident_of_late_events_is_over_when_they_are_delivered(store: Store) -> None:
    leads(store, 2, age="1h")
    keep(store)
    (group,) = claim_groups(store)
    drive_to_routed(store, group)
    keep(store)
    assert incident_of(store)["state"] == "open"

    with store.write() as tx:
        saving = Saving(actor="worker", epoch=group.epoch, lease_seconds=60)
        save_delivered(tx, group.ids, lead_workflow(), saving)
    keep(store)

    assert incident_of(store)["state"] == "resolved"
    assert len(rows(store, breaches)) == 2


def test_what_was_delivered_late_while_no_keeper_ran_is_recorded_by_its_delivery(
    store: Store,
) -> None:
    publish_leads(store)
    (late,) = grow_old(store, accept_leads(store, 1), 15 * 60)
    grow_old(store, accept_leads(store, 1), 14 * 60)
    deliver_all(store)

    (breach,) = rows(store, breaches)
    assert (breach["event_id"], breach["due_at"]) == (late, accepted_at(store, late) + 900_000)
    (word,) = told(store, "breach")
    assert (word.event_id, word.actor, word.reason) == (late, "worker", "deliver_within")
    keep(store)
    assert len(rows(store, breaches)) == 1
    assert rows(store, incidents) == []


def accepted_at(store: Store, event_id: str) -> int:
    with store.read() as tx:
        found = select(events.c.accepted_at).where(events.c.id == event_id)
        return int(tx.execute(found).scalar_one())


def deliver_all(store: Store) -> None:
    for group in claim_groups(store):
        drive_to_routed(store, group)
        with store.write() as tx:
            saving = Saving(actor="worker", epoch=group.epoch, lease_seconds=60)
            save_delivered(tx, group.ids, lead_workflow(), saving)


def test_what_was_delivered_in_time_is_never_late(store: Store) -> None:
    leads(store, 1)
    (group,) = claim_groups(store)
    drive_to_routed(store, group)
    with store.write() as tx:
        saving = Saving(actor="worker", epoch=group.epoch, lease_seconds=60)
        save_delivered(tx, group.ids, lead_workflow(), saving)
        tx.execute(update(events).values(accepted_at=after(-3_600)))

    keep(store)

    assert rows(store, breaches) == []


def test_an_incident_that_is_not_healed_in_time_is_told_once(store: Store) -> None:
    stop(store, leads(store, 2))
    make_late(store, "1s")

    keep(store)
    keep(store)

    (breach,) = told(store, "breach")
    assert (breach.actor, breach.reason) == ("keeper", "recover_within")
    assert incident_of(store)["breached_at"]


def test_an_incident_whose_late_events_were_healed_is_in_time(store: Store) -> None:
    stop(store, leads(store, 2))
    with store.write() as tx:
        tx.execute(update(incidents).values(recover_by=after(-1)))

    keep(store)

    assert told(store, "breach") == []


def test_steps_are_taken_when_they_are_due_counted_from_the_breach(store: Store) -> None:
    stop(store, leads(store, 1))
    make_late(store, "1s")
    keep(store)
    assert steps(store) == [(1, "triage@acme.example")]

    with store.write() as tx:
        tx.execute(update(incidents).values(breached_at=after(-31 * 60)))
    keep(store)
    keep(store)

    assert steps(store) == [(1, "triage@acme.example"), (2, "support-ops@acme.example")]
    assert incident_of(store)["step"] == 2
    assert len(told(store, "escalate")) == 2


def test_what_fell_due_while_no_keeper_ran_is_taken_at_once(store: Store) -> None:
    stop(store, leads(store, 1))
    make_late(store, "3h")

    keep(store)

    assert [step for step, _ in steps(store)] == [1, 2, 3]
    assert steps(store)[-1] == (3, "on-call@agency.example")


def test_who_acknowledges_it_stops_the_climb(store: Store) -> None:
    stop(store, leads(store, 1))
    make_late(store, "1s")
    keep(store)
    number = incident_of(store)["id"]
    with store.write() as tx:
        move_incident(tx, number, IncidentMove.ACKNOWLEDGE, actor="cli:triage")
        tx.execute(update(incidents).values(breached_at=after(-31 * 60)))
    keep(store)
    assert incident_of(store)["step"] == 1


def test_a_workflow_says_its_own_steps(store: Store) -> None:
    text = TEXT.replace("recover_within: 72h}", "recover_within: 72h, escalate: [0s, 1h]}")
    stop(store, leads(store, 1, text=text))
    make_late(store, "10d")

    keep(store)

    assert [step for step, _ in steps(store)] == [1, 2]


def test_time_to_recover_counts_in_the_hours_of_the_workflow(store: Store) -> None:
    with store.read() as tx:
        now = time_of(tx)
    closed = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[(now + timedelta(days=3)).weekday()]
    calendar = f'calendar: {{zone: UTC, hours: {{{closed}: "00:00-24:00"}}}}'
    text = TEXT.replace("recover_within: 72h}", f"recover_within: 24h, {calendar}}}")

    with store.read() as tx:
        workflow = lead_workflow(text)
        waits = recovery_ms(tx, workflow.recover_within_seconds, workflow.calendar)

    begin = (now + timedelta(days=3)).replace(hour=0, minute=0, second=0, microsecond=0)
    due = begin + timedelta(days=1) - now
    assert abs(waits - due / timedelta(milliseconds=1)) < 60_000


@pytest.mark.parametrize("client", [None, "acme"])
def test_the_list_says_what_is_late_and_what_will_be(store: Store, client: str | None) -> None:
    leads(store, 2, age="1h")
    leads(store, 3, age="5m")
    stop(store, leads(store, 1))
    keep(store)

    with store.read() as tx:
        (workflow,) = list_clocks(tx, client=client)
        (late,) = list_breached(tx, client=client)
        nobody = list_clocks(tx, client="nobody")

    deliver, recover = workflow.deliver, workflow.recover
    assert (deliver.events, deliver.late, workflow.breaches) == (6, 2, 2)
    assert deliver.next_due_at
    assert (recover.events, recover.late) == (1, 0)
    assert late.next is not None
    assert (late.step, late.next.role) == (1, "owner")
    assert late.next.due_at > late.breached_at
    assert nobody == []
