"""Events that are stopped are counted on the incident of their cause, opened once."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event, func, select, update

from orchestrator.domain.access.actor import login
from orchestrator.domain.delivery.verdicts import Rejected, Violation
from orchestrator.domain.incidents.causes import cause_of
from orchestrator.domain.incidents.incident import IncidentMove
from orchestrator.domain.lifecycle import DeliveryState, State
from orchestrator.domain.reasons import Reason
from orchestrator.operations.incidents.handle import acknowledge_incidents
from orchestrator.store.clocks.resolve_incidents import (
    _resolve,
    group_ungrouped,
    resolve_ended_incidents,
)
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import audit, deliveries, incidents, quarantine
from orchestrator.store.destinations.circuits import pause_circuit, resume_circuit
from orchestrator.store.destinations.held_deliveries import release_held
from orchestrator.store.destinations.holding import hold_deliveries
from orchestrator.store.quarantine.actions import (
    Verdict,
    discard,
    quarantine_events,
    quarantine_rejected,
)
from orchestrator.store.quarantine.incident_moves import move_incident
from orchestrator.store.quarantine.incidents import note_workflow
from orchestrator.store.views.incidents.list import (
    IncidentRow,
    Sought,
    count_ungrouped,
    list_incidents,
)
from orchestrator.store.views.incidents.page import show_incident
from orchestrator.store.views.manual_work import count_touches
from tests.leads import accept_leads, claim_groups, drive_to_routed, lead_workflow, publish_leads

CAUSE = cause_of(Reason.NO_ROUTE, "route")


def stand(store: Store, ids: Sequence[str], reason: Reason = Reason.RULE_ERROR) -> list[str]:
    with store.write() as tx:
        return quarantine_events(
            tx,
            ids,
            source=State.ACCEPTED,
            workflow=lead_workflow(),
            reason=reason,
            detail="a rule says no",
            actor="worker:validate",
        )


def listed(store: Store, **sought: Any) -> list[IncidentRow]:
    with store.read() as tx:
        return list_incidents(tx, Sought(**sought))


def settled(store: Store) -> list[int]:
    with store.write() as tx:
        return resolve_ended_incidents(tx)


def actions(store: Store, incident: int) -> list[str]:
    with store.read() as tx:
        statement = select(audit.c.action).where(audit.c.incident_id == incident)
        return list(tx.execute(statement.order_by(audit.c.id)).scalars())


def broken_lead(value: int) -> Rejected:
    """A verdict that names its event's own value."""
    violation = Violation(
        path="/tier",
        kind="enum",
        message=f"{value} is none",
        schema_path="/properties/tier/enum",
        place="/tier",
    )
    return Rejected(
        reason=Reason.CONTRACT_VIOLATION, detail=f"/tier: {value} is none", violations=(violation,)
    )


@contextmanager
def statements(store: Store) -> Iterator[list[str]]:
    """The statements of the block."""
    seen: list[str] = []

    def note(_c: object, _cu: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(store.engine, "before_cursor_execute", note)
    yield seen
    event.remove(store.engine, "before_cursor_execute", note)


def test_an_incident_is_opened_once_and_counted_up(store: Store) -> None:
    publish_leads(store)
    ids = accept_leads(store, 7)

    stand(store, ids[:3])
    stand(store, ids[3:])

    (row,) = listed(store)
    assert (row.events, row.standing, row.state) == (7, 7, "open")
    assert (row.owner, row.reopened) == ("triage@acme.example", 0)
    assert actions(store, row.id) == ["open_incident"]


def test_events_that_were_somewhere_else_are_not_counted(store: Store) -> None:
    publish_leads(store)
    ids = accept_leads(store, 3)
    stand(store, ids)

    assert stand(store, ids) == []

    assert listed(store)[0].events == 3


def test_each_cause_has_its_own(store: Store) -> None:
    publish_leads(store)
    ids = accept_leads(store, 3)

    stand(store, ids[:2], Reason.RULE_ERROR)
    stand(store, ids[2:], Reason.START_LIMIT)

    assert {(row.kind, row.standing) for row in listed(store)} == {
        ("contract", 2),
        ("platform", 1),
    }


def test_two_hundred_events_of_one_cause_cost_two_statements_more(store: Store) -> None:
    publish_leads(store)
    ids = accept_leads(store, 200)
    workflow = lead_workflow()
    verdicts: dict[Verdict, list[str]] = {
        (broken_lead(n), None): [one] for n, one in enumerate(ids)
    }

    with store.write() as tx, statements(store) as seen:
        quarantine_rejected(
            tx, verdicts, source=State.ACCEPTED, workflow=workflow, actor="worker:validate"
        )

    of_incidents = [one for one in seen if "incidents" in one]
    assert len(of_incidents) == 2, "the count and, because it is new, the audit"
    (row,) = listed(store)
    assert (row.events, row.standing) == (200, 200)


def breaking(field: str) -> Rejected:
    violation = Violation(path=f"/{field}", kind="type", message="", place=f"/{field}")
    return Rejected(reason=Reason.CONTRACT_VIOLATION, detail=field, violations=(violation,))


def reject_each(store: Store, fields: Sequence[str], ids: Sequence[str]) -> None:
    verdicts: dict[Verdict, list[str]] = {
        (breaking(field), None): [one] for field, one in zip(fields, ids, strict=True)
    }
    with store.write() as tx:
        quarantine_rejected(
            tx, verdicts, source=State.ACCEPTED, workflow=lead_workflow(), actor="worker:validate"
        )


def test_new_causes_beyond_ten_in_an_hour_are_counted_as_one(store: Store) -> None:
    publish_leads(store)
    ids = accept_leads(store, 64)
    fields = [f"field{number}" for number in range(30)]
    reject_each(store, fields[:8], ids[:8])
    reject_each(store, fields, ids[8:38])  # eight are known by now
    reject_each(store, fields[:10], ids[38:48])

    rows = {row.title: row for row in listed(store)}
    further = rows.pop("further causes, beyond 10 new ones in an hour")
    assert len(rows) == 10
    assert further.kind == "contract"
    assert further.events == further.standing >= 20
    assert sum(row.standing for row in rows.values()) == 48 - further.standing
    assert actions(store, further.id) == ["open_incident"]

    with store.write() as tx:  # an hour later causes that still come get incidents of their own
        tx.execute(update(incidents).values(opened_at=incidents.c.opened_at - 3_700_000))
    reject_each(store, fields[24:], ids[48:54])
    named = {row.title for row in listed(store)}
    assert {f"`{field}` breaks type" for field in fields[24:]} <= named


def test_what_destinations_and_platform_do_is_never_counted_together(store: Store) -> None:
    publish_leads(store)
    ids = accept_leads(store, 12)
    for number, one in enumerate(ids):
        with store.write() as tx:
            quarantine_events(
                tx, [one], source=State.ACCEPTED, workflow=lead_workflow(), actor="worker:dispatch",
                reason=Reason.DESTINATION_REFUSED, detail="no", destination=f"crm-{number}",
            )  # fmt: skip

    assert len(listed(store)) == 12


def test_a_recurrence_opens_it_again_with_a_new_clock_and_the_recovery_lead(store: Store) -> None:
    publish_leads(store)
    first, second = accept_leads(store, 2)
    stand(store, [first])
    (before,) = listed(store)
    with store.write() as tx:
        move_incident(tx, before.id, IncidentMove.ACKNOWLEDGE, actor="cli:dana")
        move_incident(tx, before.id, IncidentMove.ASSIGN, owner="d@acme.example", actor="cli:d")
        discard(tx, [first], why="a test", actor="cli:dana")
        tx.execute(update(incidents).values(recover_by=1, step=2, breached_at=1))
    assert settled(store) == [before.id]

    stand(store, [second])

    (row,) = listed(store)
    assert (row.id, row.state, row.reopened) == (before.id, "open", 1)
    assert (row.owner, row.events, row.standing) == ("triage@acme.example", 2, 1)
    assert (row.acknowledged_by, row.resolved_by, row.breached_at) == (None, None, None)
    assert (row.step, row.overdue) == (0, False)
    assert actions(store, row.id)[-2:] == ["resolve_incident", "reopen_incident"]


def test_the_earliest_clock_counts(store: Store) -> None:
    publish_leads(store)
    first, second = accept_leads(store, 2)
    stand(store, [first])
    with store.write() as tx:
        tx.execute(update(incidents).values(recover_by=incidents.c.recover_by - 5_000))
    before = listed(store)[0].recover_by

    stand(store, [second])

    assert listed(store)[0].recover_by == before


def test_what_still_stands_is_not_resolved(store: Store) -> None:
    publish_leads(store)
    first, second = accept_leads(store, 2)
    stand(store, [first, second])
    with store.write() as tx:
        discard(tx, [first], why="a test", actor="cli:dana")

    assert settled(store) == []

    with store.write() as tx:
        discard(tx, [second], why="a test", actor="cli:dana")
    assert settled(store) == [1]
    assert settled(store) == []
    with store.read() as tx:
        shown = show_incident(tx, 1)
    assert shown
    last = shown.history[-1]
    assert (last.actor, last.reason, last.target) == ("keeper", "discarded", "resolved")


def test_events_that_come_while_it_is_being_resolved_keep_it_open(store: Store) -> None:
    publish_leads(store)
    first, second = accept_leads(store, 2)
    stand(store, [first])
    with store.write() as tx:
        discard(tx, [first], why="a test", actor="cli:dana")
        seen = tx.execute(select(incidents)).one()
        quarantine_events(
            tx,
            [second],
            source=State.ACCEPTED,
            workflow=lead_workflow(),
            reason=Reason.RULE_ERROR,
            detail="a rule says no",
            actor="worker:validate",
        )
        assert not _resolve(tx, seen, "keeper")

    assert listed(store)[0].state == "open"


def test_many_at_once_open_it_once(store: Store) -> None:
    publish_leads(store)
    workflow = lead_workflow()

    def note() -> None:
        for _ in range(5):
            with store.write() as tx:
                note_workflow(tx, workflow, CAUSE, 3, actor="worker:route")

    threads = [threading.Thread(target=note) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    (row,) = listed(store)
    assert row.events == 60
    assert actions(store, row.id) == ["open_incident"]


def held(store: Store, ids: Sequence[str], epoch: int, **more: Any) -> None:
    with store.write() as tx:
        hold_deliveries(
            tx,
            ids,
            ["crm", "desk"],
            workflow=lead_workflow(),
            epoch=epoch,
            circuit="fake",
            reason="paused",
            actor="worker:dispatch",
            **more,
        )


def test_held_deliveries_are_one_incident_a_destination(store: Store) -> None:
    publish_leads(store)
    ids = accept_leads(store, 4, tier="enterprise")
    (group,) = claim_groups(store)
    drive_to_routed(store, group)
    with store.write() as tx:
        pause_circuit(tx, "fake", why="a migration", actor="cli:tester")

    held(store, group.ids, group.epoch)

    rows = {row.destination: row for row in listed(store)}
    assert set(rows) == {"crm", "desk"}
    assert all(row.kind == "destination" for row in rows.values())
    assert [(row.held, row.standing, row.events) for row in rows.values()] == [
        (4, 0, 4),
        (4, 0, 4),
    ]
    with store.read() as tx:
        shown = show_incident(tx, rows["crm"].id)
    assert shown
    assert [one.id for one in shown.oldest] == sorted(ids)


def test_a_delivery_that_tries_the_circuit_and_is_held_again_is_counted_once(store: Store) -> None:
    publish_leads(store)
    accept_leads(store, 2)
    (group,) = claim_groups(store)
    drive_to_routed(store, group)
    with store.write() as tx:
        pause_circuit(tx, "fake", why="a migration", actor="cli:tester")
    held(store, group.ids, group.epoch)
    with store.write() as tx:
        resume_circuit(tx, "fake", why="", actor="cli:tester")
        release_held(tx, most=1)
        pause_circuit(tx, "fake", why="not yet", actor="cli:tester")

    assert settled(store) == []
    held(store, group.ids, group.epoch)

    assert [(row.held, row.events) for row in listed(store)] == [(2, 2)]


def test_held_deliveries_are_over_only_when_nothing_blocks_them_either(store: Store) -> None:
    publish_leads(store)
    accept_leads(store, 2)
    (group,) = claim_groups(store)
    drive_to_routed(store, group)
    with store.write() as tx:
        pause_circuit(tx, "fake", why="a migration", actor="cli:tester")
    held(store, group.ids[:1], group.epoch)
    with store.write() as tx:
        resume_circuit(tx, "fake", why="", actor="cli:tester")
        release_held(tx)
        pause_circuit(tx, "fake", why="not yet", actor="cli:tester")

    assert settled(store) == [], "a call that tries the circuit is not an end"

    with store.write() as tx:
        resume_circuit(tx, "fake", why="", actor="cli:tester")
    assert settled(store) == [], "what is let go is not made"
    (row,) = listed(store)
    assert (row.held, row.under_way) == (0, 1)
    with store.write() as tx:
        made = update(deliveries).where(deliveries.c.event_id == group.ids[0])
        tx.execute(made.values(state=DeliveryState.CONFIRMED.value))
    assert settled(store) == [1], "what was never held is not its own"


def test_events_from_before_there_were_incidents_are_told_and_then_grouped(store: Store) -> None:
    publish_leads(store)
    ids = accept_leads(store, 5)
    stand(store, ids[:3], Reason.RULE_ERROR)
    stand(store, ids[3:], Reason.START_LIMIT)
    with store.write() as tx:
        tx.execute(update(quarantine).values(incident_id=None))
        tx.execute(incidents.delete())
    with store.read() as tx:
        assert count_ungrouped(tx) == 5

    with store.write() as tx:
        assert group_ungrouped(tx, most=4) == 4
        assert group_ungrouped(tx) == 1
        assert group_ungrouped(tx) == 0

    assert {row.standing for row in listed(store)} == {3, 2}
    with store.read() as tx:
        clock = tx.execute(select(func.min(quarantine.c.recover_by))).scalar_one()
        kept = tx.execute(select(func.min(incidents.c.recover_by))).scalar_one()
    assert abs(kept - clock) < 5_000, "the clock that they came with"


def test_touches_are_counted_by_the_pauses_between_them(store: Store) -> None:
    rows = [
        *((at, "cli:dana", "replay", f"event-{at}") for at in (1_000, 1_100, 5_900)),
        (20_000, "cli:dana", "replay", "event-4"),
        (1_000, "cli:sam", "replay", "event-5"),
        (1_000, "worker:validate", "amend", "event-6"),
        (1_000, "workflow:leads", "amend", "event-7"),
        (1_000, "cli:dana", "publish", None),
        *((at, "cli:ben", "run_plan", None) for at in (1_000, 70_000)),
    ]
    by_plan = [(at, "cli:ben", "replay", f"event-{at}") for at in (2_000, 12_000, 71_000)]
    with store.write() as tx:
        for at, actor, action, event_id in rows:
            tx.execute(audit.insert().values(at=at, actor=actor, action=action, event_id=event_id))
        for at, actor, action, event_id in by_plan:
            values = {"at": at, "actor": actor, "action": action, "event_id": event_id}
            tx.execute(audit.insert().values(**values, detail='{"version":1,"plan":"4d1f"}'))

        found = count_touches(tx, 0)
        later = count_touches(tx, 10_000)

    assert [(one.actor, one.action, one.touches, one.events) for one in found] == [
        ("cli:ben", "run_plan", 2, 3),
        ("cli:dana", "replay", 2, 4),
        ("cli:sam", "replay", 1, 1),
    ]
    assert [(one.actor, one.touches, one.events) for one in later] == [
        ("cli:ben", 1, 2),
        ("cli:dana", 1, 1),
    ]


def test_two_that_meet_two_causes_in_opposite_order_never_wait_for_each_other(
    store: Store,
) -> None:
    publish_leads(store)
    ids = accept_leads(store, 40)
    verdicts = [Rejected(reason=one, detail="no") for one in (Reason.RULE_ERROR, Reason.NO_ROUTE)]
    failed: list[BaseException] = []

    def quarantine_them(mine: Sequence[str], order: Sequence[Rejected]) -> None:
        try:
            for one, other in zip(mine[::2], mine[1::2], strict=True):
                with store.write() as tx:
                    quarantine_rejected(
                        tx,
                        {(order[0], None): [one], (order[1], None): [other]},
                        source=State.ACCEPTED,
                        workflow=lead_workflow(),
                        actor="worker:route",
                    )
        except BaseException as error:  # noqa: BLE001 - the thread's, told below
            failed.append(error)

    threads = [
        threading.Thread(target=quarantine_them, args=(ids[:20], verdicts)),
        threading.Thread(target=quarantine_them, args=(ids[20:], verdicts[::-1])),
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert failed == []
    assert [row.events for row in listed(store)] == [20, 20]


def test_an_acknowledgement_reads_one_row_and_no_history(store: Store) -> None:
    publish_leads(store)
    stand(store, accept_leads(store, 3), Reason.START_LIMIT)

    with statements(store) as seen:
        acknowledge_incidents(store, [1], actor=login("cli:dana"))

    read = [one for one in seen if one.startswith("SELECT") and "people" not in one]
    assert len(read) == 2, "on whose side it is, for a diagnosis, and the row that is decided on"
    assert not [one for one in read if "audit" in one or "quarantine" in one]
    if store.engine.dialect.name == "postgresql":
        assert [one.endswith("FOR UPDATE OF incidents") for one in read] == [False, True]
