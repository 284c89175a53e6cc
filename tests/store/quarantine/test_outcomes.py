"""An incident is over when its events ended, and says how; a replay alone ends nothing."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import select, update

from orchestrator.domain.access.actor import login
from orchestrator.domain.access.roles import Role
from orchestrator.domain.errors import NotFound, Refused
from orchestrator.domain.incidents.incident import IncidentMove
from orchestrator.domain.incidents.outcomes import IncidentOutcome, MovedEvents, StayOutcome
from orchestrator.domain.lifecycle import State
from orchestrator.domain.reasons import Reason
from orchestrator.operations.incidents.handle import resolve_incidents
from orchestrator.operations.incidents.keep_clocks import keep_clocks
from orchestrator.store.clocks.deadlines import record_overdue
from orchestrator.store.database.clock import after, now_ms
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import events, incidents, quarantine
from orchestrator.store.quarantine.actions import discard, quarantine_events, replay
from orchestrator.store.quarantine.incident_moves import move_incident, reopen_incident
from orchestrator.store.quarantine.stays import Sweep, end_stays, restore_stays
from orchestrator.store.quarantine.workflow_terms import TermsShelf
from orchestrator.store.quarantine.workflows import require_live
from orchestrator.store.views.incidents.list import IncidentRow, Sought, list_incidents
from orchestrator.store.views.incidents.page import IncidentView, show_incident
from tests.leads import accept_leads, lead_workflow, publish_leads
from tests.people import add, add_admin, logged_in


def stand(store: Store, ids: Sequence[str], reason: Reason = Reason.RULE_ERROR) -> None:
    with store.write() as tx:
        quarantine_events(
            tx,
            ids,
            source=State.ACCEPTED,
            workflow=lead_workflow(),
            reason=reason,
            detail="no",
            actor="worker:validate",
        )


def stopped(store: Store, count: int) -> list[str]:
    publish_leads(store)
    ids = accept_leads(store, count)
    stand(store, ids)
    return ids


def again(store: Store, ids: Sequence[str]) -> None:
    with store.write() as tx:
        replay(tx, ids, live=require_live(tx, "acme", "leads"), actor="cli:dana")


def discarded(store: Store, ids: Sequence[str]) -> None:
    with store.write() as tx:
        discard(tx, ids, why="test entries", actor="cli:dana")


def deliver(store: Store, ids: Sequence[str], *, ago: float = 0) -> None:
    with store.write() as tx:
        values = {"state": State.DELIVERED.value, "due_at": None, "updated_at": after(-ago)}
        tx.execute(update(events).where(events.c.id.in_(ids)).values(values))


def keep(store: Store) -> None:
    keep_clocks(store, TermsShelf(), Sweep())


def kept(store: Store) -> list[str]:
    with store.read() as tx:
        return list(tx.execute(select(quarantine.c.outcome).order_by(quarantine.c.id)).scalars())


def listed(store: Store, **sought: Any) -> list[IncidentRow]:
    with store.read() as tx:
        return list_incidents(tx, Sought(**sought))


def ended(store: Store) -> IncidentOutcome:
    """The outcome of the incident that is resolved."""
    outcome = listed(store, state="resolved")[0].outcome
    assert outcome
    return outcome


def shown(store: Store, number: int) -> IncidentView:
    with store.read() as tx:
        view = show_incident(tx, number)
    assert view
    return view


def test_a_replay_that_is_under_way_keeps_its_incident_open(store: Store) -> None:
    ids = stopped(store, 3)

    again(store, ids)
    keep(store)

    (row,) = listed(store)
    assert (row.state, row.standing, row.under_way, row.events) == ("open", 0, 3, 3)
    assert row.outcome is None
    for state in (State.VALIDATED, State.ROUTED, State.AWAITING_APPROVAL):
        with store.write() as tx:
            tx.execute(update(events).values(state=state.value))
        keep(store)
        assert listed(store)[0].under_way == 3


def test_what_comes_back_for_the_same_cause_keeps_the_incident_as_it_was(store: Store) -> None:
    ids = stopped(store, 3)
    with store.write() as tx:
        first = now_ms() + 3_600_000
        tx.execute(update(quarantine).values(recover_by=first))
        tx.execute(update(incidents).values(recover_by=first, step=1))
        move_incident(tx, 1, IncidentMove.ASSIGN, owner="d@acme.example", actor="cli:dana")
        move_incident(tx, 1, IncidentMove.ACKNOWLEDGE, actor="cli:dana")
    (before,) = listed(store)

    for _ in range(2):
        again(store, ids)
        stand(store, ids)
        assert listed(store)[0].events == 3, "also before the keeper looks"
    keep(store)

    (row,) = listed(store)
    same = ("id", "state", "owner", "acknowledged_at", "step", "recover_by", "opened_at", "events")
    assert [getattr(row, name) for name in same] == [getattr(before, name) for name in same]
    assert (row.standing, row.under_way, row.reopened) == (3, 0, 0)
    with store.read() as tx:
        deadlines = set(tx.execute(select(quarantine.c.recover_by)).scalars())
    assert len(deadlines) == 1, "and each event its first deadline"


def test_what_comes_back_for_another_cause_is_the_other_incidents(store: Store) -> None:
    ids = stopped(store, 3)
    again(store, ids)
    stand(store, ids[:2], Reason.START_LIMIT)
    deliver(store, ids[2:])

    keep(store)

    (other,) = listed(store)
    assert (other.id, other.standing, other.events) == (2, 2, 2)
    first = shown(store, 1)
    assert first.state == "resolved"
    moved = (MovedEvents(incident=2, events=2),)
    assert first.outcome == IncidentOutcome(delivered=1, moved=moved)
    assert first.outcome.ended == "mixed"
    assert first.moved_to == moved
    assert shown(store, 2).moved_from == (MovedEvents(incident=1, events=2),)
    last = first.history[-1]
    assert (last.actor, last.reason) == ("keeper", "mixed")
    assert last.detail and last.detail["outcome"] == "mixed: 1 delivered, 2 moved to incident 2"


def test_it_is_resolved_since_the_last_of_its_events_ended(store: Store) -> None:
    ids = stopped(store, 2)
    with store.write() as tx:
        tx.execute(update(incidents).values(opened_at=after(-7_200)))
    again(store, ids)
    deliver(store, ids[:1], ago=5_400)
    deliver(store, ids[1:], ago=3_600)

    keep(store)

    (row,) = listed(store, state="resolved")
    assert row.outcome and row.outcome.ended == "healed"
    with store.read() as tx:
        resolved_at = tx.execute(select(incidents.c.resolved_at)).scalar_one()
        assert resolved_at == max(tx.execute(select(events.c.updated_at)).scalars())
    resolved = shown(store, 1).history[-1].detail
    assert resolved and resolved["seconds"] in range(3_599, 3_602)


def test_what_is_discarded_is_no_healing(store: Store) -> None:
    ids = stopped(store, 2)
    discarded(store, ids)

    keep(store)

    (row,) = listed(store, state="resolved")
    assert row.outcome == IncidentOutcome(discarded=2)
    assert row.outcome.ended == "discarded"


def test_a_replay_and_a_discard_of_one_event_count_once(store: Store) -> None:
    ids = stopped(store, 1)
    again(store, ids)
    stand(store, ids)
    discarded(store, ids)

    keep(store)

    assert ended(store).discarded == 1
    assert listed(store, state="resolved")[0].events == 1


def test_a_restored_event_opens_its_incident_again_with_the_first_deadline(store: Store) -> None:
    ids = stopped(store, 2)
    (before,) = listed(store)
    discarded(store, ids)
    keep(store)
    assert listed(store) == []

    with store.write() as tx:
        stands = {"state": State.QUARANTINED.value}
        tx.execute(update(events).where(events.c.id == ids[0]).values(stands))
        assert restore_stays(tx, ids[:1], actor="cli:dana") == [1]
    keep(store)

    (row,) = listed(store)
    same = ("id", "owner", "recover_by", "opened_at", "events")
    assert [getattr(row, name) for name in same] == [getattr(before, name) for name in same]
    assert (row.state, row.standing, row.outcome) == ("open", 1, None)
    last = shown(store, 1).history[-1]
    assert (last.action, last.actor, last.reason) == (
        "reopen_incident",
        "cli:dana",
        "restored",
    )
    discarded(store, ids[:1])
    keep(store)
    assert ended(store).discarded == 2


def test_an_open_incident_is_not_opened_again(store: Store) -> None:
    stopped(store, 1)

    with store.write() as tx:
        assert not reopen_incident(tx, 1, actor="cli:dana", reason="restored")
        assert not reopen_incident(tx, 7, actor="cli:dana", reason="restored")


def test_the_clock_goes_on_while_a_replay_is_under_way(store: Store) -> None:
    ids = stopped(store, 1)
    with store.write() as tx:
        tx.execute(update(quarantine).values(recover_by=after(-60)))
        tx.execute(update(incidents).values(recover_by=after(-60)))
    again(store, ids)

    with store.write() as tx:
        assert record_overdue(tx) == [1]


def test_a_person_cannot_resolve_what_is_under_way(store: Store) -> None:
    ids = stopped(store, 2)
    again(store, ids)

    with pytest.raises(Refused, match="2 events of incident 1 are under way again"):
        resolve_incidents(store, [1], why="sent", actor=login("cli:dana"))

    deliver(store, ids)  # and no keeper looked yet
    assert resolve_incidents(store, [1], why="seen", actor=login("cli:dana")).ids == [1]
    assert ended(store).delivered == 2


def test_for_a_person_who_may_not_resolve_it_nothing_is_kept(store: Store) -> None:
    ids = stopped(store, 1)
    again(store, ids)
    deliver(store, ids)
    admin = add_admin(store)
    add(store, "stranger@globex.example", Role.OPERATOR, "globex")

    with pytest.raises(NotFound):
        resolve_incidents(store, [1], why="x", actor=logged_in(store, "stranger@globex.example"))

    assert kept(store) == [StayOutcome.UNDER_WAY]
    assert resolve_incidents(store, [1], why="seen", actor=admin).ids == [1]
    assert kept(store) == [StayOutcome.DELIVERED]


def test_many_under_way_are_looked_at_in_turns(store: Store, monkeypatch: Any) -> None:
    ids = stopped(store, 7)
    again(store, ids)
    monkeypatch.setattr("orchestrator.store.quarantine.stays._AT_ONCE", 2)
    deliver(store, ids[4:])
    sweep = Sweep()

    turns = [end_stays(store, sweep) for _ in range(4)]

    assert sum(turns) == 3
    assert listed(store)[0].under_way == 4
    deliver(store, ids)
    keep(store)
    assert listed(store) == []


def test_an_acknowledgement_that_is_over_opens_the_incident_and_it_climbs_on(store: Store) -> None:
    stopped(store, 1)
    with store.write() as tx:
        move_incident(tx, 1, IncidentMove.ACKNOWLEDGE, actor="cli:dana", lasts_ms=7_200_000)
    keep(store)
    assert listed(store)[0].state == "acknowledged"

    with store.write() as tx:
        over = {"acknowledged_until": after(-1), "recover_by": after(-3_600), "step": 1}
        tx.execute(update(incidents).values(over | {"breached_at": after(-86_400)}))
        tx.execute(update(quarantine).values(recover_by=after(-3_600)))
    keep(store)

    (row,) = listed(store)
    assert (row.state, row.acknowledged_by, row.acknowledged_until) == ("open", None, None)
    assert row.step == 3
    rows = [(one.action, one.actor, one.reason) for one in shown(store, 1).history]
    assert ("unacknowledge_incident", "keeper", "time_over") in rows
    assert [one[0] for one in rows].count("escalate") == 2


def test_an_acknowledgement_without_an_end_does_not_end(store: Store) -> None:
    stopped(store, 1)
    with store.write() as tx:
        move_incident(tx, 1, IncidentMove.ACKNOWLEDGE, actor="cli:dana")
        assert not move_incident(tx, 1, IncidentMove.UNACKNOWLEDGE, actor="keeper")
    keep(store)

    assert listed(store)[0].state == "acknowledged"


def test_only_who_acknowledged_may_give_it_another_end(store: Store) -> None:
    stopped(store, 1)
    with store.write() as tx:
        move_incident(tx, 1, IncidentMove.ACKNOWLEDGE, actor="cli:dana", lasts_ms=60_000)
        assert not move_incident(tx, 1, IncidentMove.ACKNOWLEDGE, actor="cli:s", lasts_ms=90_000)
        assert move_incident(tx, 1, IncidentMove.ACKNOWLEDGE, actor="cli:dana", lasts_ms=90_000)
    first, second = (one for one in shown(store, 1).history if "ack" in one.action)
    assert first.detail and second.detail
    assert str(first.detail["until"]) < str(second.detail["until"])


def restored(store: Store, event_id: str) -> None:
    with store.write() as tx:
        stands = {"state": State.QUARANTINED.value}
        tx.execute(update(events).where(events.c.id == event_id).values(stands))
        restore_stays(tx, [event_id], actor="cli:dana")


class Story:
    """What people and workers may do with some events, and what is true of these by then."""

    def __init__(self, store: Store, chance: random.Random) -> None:
        publish_leads(store)
        self.store, self.chance = store, chance
        self.state = dict.fromkeys(accept_leads(store, 4), "new")
        self.cause: dict[str, str] = {}  # for which cause each event stopped last
        self.entries: Counter[str] = Counter()  # how often an event came to a cause from elsewhere

    def go_on(self) -> None:
        one = self.chance.choice(list(self.state))
        other_way = self.chance.random() < 0.5
        match self.state[one]:
            case "standing":
                (again if other_way else discarded)(self.store, [one])
                self.state[one] = "under way" if other_way else "discarded"
            case "under way" if other_way:
                deliver(self.store, [one])
                self.state[one] = "delivered"
            case "new" | "under way":
                self.stop(one)
            case "discarded":
                restored(self.store, one)
                self.state[one] = "standing"

    def stop(self, one: str) -> None:
        cause = self.chance.choice([Reason.RULE_ERROR, Reason.START_LIMIT])
        stand(self.store, [one], cause)
        self.entries[cause] += self.cause.get(one) != cause
        self.cause[one], self.state[one] = cause, "standing"


@pytest.mark.parametrize("seed", range(3))
def test_whatever_people_do_an_incident_is_over_when_its_events_are(
    store: Store, seed: int
) -> None:
    story = Story(store, random.Random(seed))
    for step in range(24):
        story.go_on()
        if step % 3:
            keep(store)

    keep(store)
    for row in [*listed(store), *listed(store, state="resolved")]:
        cause = row.reason
        here = Counter(story.state[one] for one in story.cause if story.cause[one] == cause)
        assert (row.standing, row.under_way) == (here["standing"], here["under way"])
        assert (row.state == "resolved") == (not here["standing"] + here["under way"])
        assert row.events == story.entries[cause]
