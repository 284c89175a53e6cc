"""A delivery after another waits for it, goes on with its record, and is taken back before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import update

from orchestrator.domain.access.actor import login
from orchestrator.domain.delivery.handoff import Blame, Confirmed, Failed, Outcome, TakenBack
from orchestrator.domain.workflows.file import parse_workflow
from orchestrator.operations.dispatch import release_waiting
from orchestrator.operations.dispatch.admit_deliveries import Run
from orchestrator.operations.dispatch.settle_run import Outcomes, save_outcomes, settle_calls
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.operations.replay.without_plan import replay_events
from orchestrator.pipeline.route import plan_after
from orchestrator.presenting.lines import told_waiting
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import deliveries, events
from orchestrator.store.drive.claim import finish_group
from orchestrator.store.drive.deliveries import take_deliveries
from orchestrator.store.drive.overlooked import Place, find_overlooked
from orchestrator.store.drive.stages import Saving, hand_back
from orchestrator.store.drive.take_back import recall_events
from orchestrator.store.quarantine.workflows import WorkflowShelf, require_live
from orchestrator.store.views.events.show import EventView, show_event
from orchestrator.store.views.quarantine.selection import Selection
from tests.leads import CATALOG, TEXT, accept_leads, claim_groups, drive_to_routed, publish_leads

ACTION = replace(CATALOG["fake"]["record"], can_undo=True, gives_url=True)
ACTIONS = {("fake", "record"): ACTION}
AFTER = TEXT.replace(
    "send: {title: '\"Onboard \" + email'}, confirm: [title]",
    "send: {title: '\"Onboard \" + crm.record_id'}, confirm: [title], after: [crm]",
)
MADE, REFUSED = Confirmed(record_id="c-7"), Failed(error="422", permanent=True, blame=Blame.CALL)


def routed_event(store: Store, text: str = AFTER) -> str:
    """An event that is routed to the CRM and then to the desk."""
    workflow = parse_workflow(text, name="leads.yaml", catalog={"fake": {"record": ACTION}})
    publish_workflow(store, workflow, actor=login("cli:tester"))
    (event_id,) = accept_leads(store, 1, tier="enterprise")
    drive_to_planned(store, event_id)
    return event_id


def drive_to_planned(store: Store, event_id: str) -> None:
    """Drive the event to where its deliveries are planned, and hand it back."""
    (group,) = claim_groups(store)
    drive_to_routed(store, group)
    with store.write() as tx:
        hand_back(tx, [event_id], group.epoch)
        finish_group(tx, group.epoch)


def dispatched(store: Store, answers: Mapping[str, Outcome]) -> Outcomes:
    """One turn of dispatch over what is due, with these answers by destination."""
    (group,) = claim_groups(store)
    saving = Saving(actor="worker:dispatch", epoch=group.epoch, lease_seconds=60)
    with store.write() as tx:
        taken = take_deliveries(tx, group.ids, epoch=group.epoch, run_id="r", run_seconds=60)
        workflow = WorkflowShelf().take(tx, group.workflow_id)
        run = Run(id="r", workflow=workflow, saving=saving)
        by_key = {one.key: answers[one.name] for one in taken}
        outcomes = settle_calls(run, taken, by_key, ACTIONS)
        save_outcomes(tx, run, group.ids, outcomes, ACTIONS)
        hand_back(tx, outcomes.going_on, group.epoch)
        finish_group(tx, group.epoch)
    return outcomes


def show(store: Store, event_id: str) -> EventView:
    with store.read() as tx:
        event = show_event(tx, event_id)
    assert event is not None
    return event


def states(store: Store, event_id: str) -> dict[str, str]:
    return {one.destination: one.state for one in show(store, event_id).deliveries}


def told(store: Store, event_id: str, destination: str) -> list[str]:
    history = show(store, event_id).history
    return [row.action for row in history if row.destination == destination]


def told_wait(store: Store, event_id: str) -> str:
    """What people read of the desk's wait."""
    known = show(store, event_id).deliveries
    return told_waiting(next(one for one in known if one.destination == "desk"), known)


def replayed(store: Store, event_id: str) -> None:
    """Replay the event, and drive it to where its deliveries are planned."""
    replay_events(store, Selection(ids=(event_id,)), actor=login("cli:tester"))
    drive_to_planned(store, event_id)


def test_it_waits_and_is_not_taken_until_the_one_before_is_confirmed(store: Store) -> None:
    event_id = routed_event(store)

    assert states(store, event_id) == {"crm": "pending", "desk": "waiting"}
    desk = next(one for one in show(store, event_id).deliveries if one.destination == "desk")
    assert desk.due_at is None
    assert desk.after == ("crm",)
    assert told_wait(store, event_id) == "for crm"
    outcomes = dispatched(store, {"crm": MADE})

    assert outcomes.going_on == [event_id]
    assert states(store, event_id) == {"crm": "confirmed", "desk": "pending"}
    assert show(store, event_id).state == "routed"


def test_what_it_is_sent_is_computed_from_the_record_kept_and_audited(store: Store) -> None:
    event_id = routed_event(store)

    dispatched(store, {"crm": MADE})

    desk = next(one for one in show(store, event_id).deliveries if one.destination == "desk")
    assert desk.send == {"title": "Onboard c-7"}
    row = next(row for row in show(store, event_id).history if row.action == "proceed")
    assert row.destination == "desk"
    assert row.detail and row.detail["after"] == ["crm"]
    assert row.detail["computed"] == ["title"]
    assert row.detail["from"] == {"crm.record_id": "c-7"}


def test_a_retry_sends_the_same(store: Store) -> None:
    event_id = routed_event(store)
    dispatched(store, {"crm": MADE})
    dispatched(store, {"desk": Failed(error="503", blame=Blame.CALL)})
    with store.write() as tx:
        tx.execute(update(deliveries).values(due_at=0))
        tx.execute(update(events).values(due_at=0))

    dispatched(store, {"desk": Confirmed(record_id="t-1")})

    assert states(store, event_id) == {"crm": "confirmed", "desk": "confirmed"}
    assert show(store, event_id).state == "delivered"
    assert told(store, event_id, "desk") == ["proceed", "confirm"]


def test_an_event_waits_for_as_long_as_the_one_before_it_does(store: Store) -> None:
    event_id = routed_event(store)
    dispatched(store, {"crm": Failed(error="503", blame=Blame.CALL, retry_after=60)})

    assert states(store, event_id) == {"crm": "pending", "desk": "waiting"}
    crm = next(one for one in show(store, event_id).deliveries if one.destination == "crm")
    assert show(store, event_id).due_at == crm.due_at
    with store.read() as tx:
        assert find_overlooked(tx, Place())[0] == []


def test_where_the_one_before_fails_for_good_it_is_not_sent_and_a_replay_goes_on(
    store: Store,
) -> None:
    event_id = routed_event(store)
    dispatched(store, {"crm": REFUSED})
    assert states(store, event_id) == {"crm": "failed", "desk": "waiting"}
    assert show(store, event_id).state == "quarantined"

    replayed(store, event_id)
    assert states(store, event_id) == {"crm": "pending", "desk": "waiting"}
    dispatched(store, {"crm": MADE})
    dispatched(store, {"desk": Confirmed(record_id="t-1")})

    assert show(store, event_id).state == "delivered"


def test_a_replay_after_the_second_failed_does_not_repeat_the_first(store: Store) -> None:
    event_id = routed_event(store)
    dispatched(store, {"crm": MADE})
    dispatched(store, {"desk": REFUSED})
    assert show(store, event_id).state == "quarantined"

    replayed(store, event_id)
    assert states(store, event_id) == {"crm": "confirmed", "desk": "waiting"}
    assert told_wait(store, event_id) == "until its event goes on"
    dispatched(store, {})  # there is nothing to call: the record is known
    assert states(store, event_id) == {"crm": "confirmed", "desk": "pending"}
    dispatched(store, {"desk": Confirmed(record_id="t-1")})

    assert show(store, event_id).state == "delivered"
    assert told(store, event_id, "crm") == ["confirm"]


def test_what_may_have_arrived_is_looked_for_after_a_replay_too(store: Store) -> None:
    event_id = routed_event(store)
    dispatched(store, {"crm": MADE})
    lost = Failed(error="no answer", permanent=True, unknown=True, blame=Blame.CALL)
    dispatched(store, {"desk": lost})

    replayed(store, event_id)
    dispatched(store, {})
    (group,) = claim_groups(store)
    with store.write() as tx:
        (taken,) = take_deliveries(tx, group.ids, epoch=group.epoch, run_id="r", run_seconds=60)

    assert taken.name == "desk"
    assert taken.unknown


def test_it_fails_where_the_record_does_not_have_what_it_needs(store: Store) -> None:
    event_id = routed_event(store, AFTER.replace("crm.record_id", "crm.url"))

    dispatched(store, {"crm": MADE})

    event = show(store, event_id)
    assert states(store, event_id) == {"crm": "confirmed", "desk": "failed"}
    assert (event.state, event.reason) == ("quarantined", "missing_fact")
    assert [one.title for one in event.incidents] == ["desk: a fact is missing"]
    assert "`crm.url` of the confirmed record is not known" in str(event.detail)
    assert told(store, event_id, "desk") == ["fail"]


def two_routed(store: Store) -> list[str]:
    publish_leads(store, AFTER)
    ids = accept_leads(store, 2, tier="enterprise")
    (group,) = claim_groups(store)
    drive_to_routed(store, group)
    with store.write() as tx:
        hand_back(tx, ids, group.epoch)
        finish_group(tx, group.epoch)
    return ids


def test_a_computation_that_breaks_costs_its_own_event_alone_and_no_answer_to_a_call(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = two_routed(store)

    def broken(payload: object, *given: Any) -> object:
        if payload == {"email": "lead-0@example.com", "tier": "enterprise"}:
            raise RuntimeError("a fault of ours")
        return plan_after(payload, *given)

    monkeypatch.setattr(release_waiting, "plan_after", broken)
    dispatched(store, {"crm": MADE})

    assert states(store, good) == {"crm": "confirmed", "desk": "pending"}
    assert states(store, bad) == {"crm": "confirmed", "desk": "failed"}
    event = show(store, bad)
    assert (event.state, event.reason) == ("quarantined", "rule_error")
    assert event.detail == "desk: RuntimeError: a fault of ours"


def test_what_is_not_computed_in_time_waits_for_the_next_turn_and_keeps_no_answer_waiting(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = two_routed(store)
    monkeypatch.setattr(release_waiting, "LONGEST_SECONDS", -1.0)

    first = dispatched(store, {"crm": MADE})
    after_one = [states(store, one)["desk"] for one in ids]
    second = dispatched(store, {"desk": MADE})

    assert sorted(first.going_on) == sorted(second.going_on + delivered(store, ids)) == ids
    assert sorted(after_one) == ["pending", "waiting"]
    assert sorted(states(store, one)["desk"] for one in ids) == ["confirmed", "pending"]


def delivered(store: Store, ids: Sequence[str]) -> list[str]:
    return [one for one in ids if show(store, one).state == "delivered"]


def test_a_record_that_a_newer_update_made_needless_is_nothing_to_wait_for(store: Store) -> None:
    event_id = routed_event(store)
    with store.write() as tx:
        crm = deliveries.c.destination == "crm"
        tx.execute(update(deliveries).where(crm).values(state="superseded", due_at=None))

    dispatched(store, {})

    assert states(store, event_id) == {"crm": "superseded", "desk": "failed"}
    assert show(store, event_id).reason == "missing_fact"


def test_what_came_after_is_taken_back_before_what_it_came_after(store: Store) -> None:
    text = AFTER.replace("to: [crm, desk]", "to: [crm, desk, news]") + "on_failure: undo\n"
    news = "  news: {connector: fake, action: record, send: {who: email}, confirm: [who],"
    text = text.replace("retries:", f"{news} after: [desk]}}\nretries:")
    event_id = routed_event(store, text)
    dispatched(store, {"crm": MADE})
    dispatched(store, {"desk": Confirmed(record_id="t-1")})
    assert states(store, event_id)["news"] == "pending"

    dispatched(store, {"news": REFUSED})
    assert states(store, event_id) == {"crm": "confirmed", "desk": "pending", "news": "failed"}
    dispatched(store, {"desk": TakenBack(record_id="t-1")})
    assert states(store, event_id) == {"crm": "pending", "desk": "undone", "news": "failed"}
    dispatched(store, {"crm": TakenBack(record_id="c-7")})

    assert states(store, event_id) == {"crm": "undone", "desk": "undone", "news": "failed"}
    assert show(store, event_id).state == "quarantined"
    replayed(store, event_id)
    assert states(store, event_id) == {"crm": "pending", "desk": "waiting", "news": "waiting"}


def taken_back_by_a_plan(store: Store, event_id: str) -> None:
    """As a plan of outcomes does, of an event whose two records are both wrong."""
    with store.write() as tx:
        live = require_live(tx, "acme", "leads")
        moved = recall_events(
            tx,
            {event_id: ["crm", "desk"]},
            stopped=(),
            live=live,
            predecessors=WorkflowShelf().take(tx, live.id).predecessors,
            because="version 1 was rolled back",
            plan="a plan",
            actor="cli:tester",
        )
    assert moved == 1


UNDOING = AFTER.replace("retries:", "on_failure: undo\nretries:")


@pytest.mark.parametrize("text", [AFTER, UNDOING], ids=["kept", "undone"])
@pytest.mark.parametrize("fails", [False, True])
def test_a_plan_takes_back_first_what_came_after(store: Store, fails: bool, text: str) -> None:
    """And where that cannot be taken back, what it rests on stays."""
    event_id = routed_event(store, text)
    dispatched(store, {"crm": MADE})
    dispatched(store, {"desk": Confirmed(record_id="t-1")})
    taken_back_by_a_plan(store, event_id)

    if fails:
        dispatched(store, {"desk": REFUSED})
        assert states(store, event_id) == {"crm": "pending", "desk": "failed"}
        stopped = show(store, event_id)
        assert stopped.state == "quarantined"
        assert "crm is not taken back, for what rests on it" in (stopped.detail or "")
        return
    outcomes = dispatched(store, {"desk": TakenBack(record_id="t-1")})  # of the CRM nothing is due
    assert outcomes.going_on == [event_id]
    assert states(store, event_id) == {"crm": "pending", "desk": "undone"}
    dispatched(store, {"crm": TakenBack(record_id="c-7")})

    assert states(store, event_id) == {"crm": "undone", "desk": "undone"}
    assert show(store, event_id).state == "accepted"


def test_without_it_nothing_waits(store: Store) -> None:
    event_id = routed_event(store, TEXT)

    assert states(store, event_id) == {"crm": "pending", "desk": "pending"}
    outcomes = dispatched(store, {"crm": MADE, "desk": Confirmed(record_id="t-1")})
    assert outcomes.going_on == []
    assert show(store, event_id).state == "delivered"
