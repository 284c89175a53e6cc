"""What is amended, replayed or rendered otherwise is asked about anew, and never by its amender."""

from __future__ import annotations

import orjson
import pytest
from sqlalchemy import select, update

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.access.roles import Role
from orchestrator.domain.approvals.requests import EventDecision
from orchestrator.domain.errors import Forbidden, IllegalMove
from orchestrator.domain.lifecycle import State
from orchestrator.domain.reasons import Reason
from orchestrator.domain.recipes.amendment import parse_amendments
from orchestrator.operations.access.keys import check_key, create_key
from orchestrator.operations.erase_events import Wanted, erase_events
from orchestrator.operations.repair.amend import fix_events
from orchestrator.operations.replay.without_plan import replay_events
from orchestrator.store.approvals.views import show_approval
from orchestrator.store.database.clock import after
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import deliveries, event_approvals, events
from orchestrator.store.drive.claim import Group
from orchestrator.store.drive.deliveries import save_done, take_deliveries
from orchestrator.store.drive.waiting import Released, release
from orchestrator.store.quarantine.actions import quarantine_events
from orchestrator.store.quarantine.workflows import WorkflowShelf
from orchestrator.store.views.events.counts import count_states
from orchestrator.store.views.quarantine.selection import Selection
from tests.leads import accept_leads, claim_groups
from tests.ordered_leads import ORDERED, going, turn
from tests.people import ADMIN, give, logged_in
from tests.store.approvals.asked import (
    APPROVER,
    ASKING,
    OPERATOR,
    OTHER,
    asked_leads,
    decide,
    drive,
    due_at,
    event,
    let_time_pass,
    requests,
    route_group,
    stopped_again,
    with_people,
)

AFTER = ASKING.replace(
    "desk: {connector: fake, action: record, send: {title: '\"Onboard \" + email'}",
    "desk: {connector: fake, action: record, after: [crm],"
    " send: {title: '\"Onboard \" + email', link: crm.record_id}",
)


def amend(store: Store, event_id: str, by: Actor, tier: str = "enterprise") -> None:
    """Give a lead another address, and that tier."""
    fix = parse_amendments([], ["email=mended@example.com", f"tier={tier}"], [])
    fix_events(store, Selection(ids=(event_id,)), fix, actor=by, again=True)
    assert event(store, event_id).history[-1].action == "amend"


def replay(store: Store, event_id: str) -> None:
    replay_events(store, Selection(ids=(event_id,)), actor=logged_in(store, OPERATOR))


def refused(store: Store) -> str:
    (one,) = asked_leads(store)
    decide(store, one, EventDecision.REFUSE)
    return one


def test_what_was_amended_after_a_no_is_asked_about_anew(store: Store) -> None:
    one = refused(store)

    amend(store, one, logged_in(store, OPERATOR))
    replay(store, one)
    drive(store)

    assert event(store, one).state == "awaiting_approval"
    first, second = requests(store)
    assert (first.state, first.void, second.state) == ("refused", True, "waiting")
    assert first.subject != second.subject
    assert decide(store, one, seen=(second.subject,)).events == (one,)


def test_whoever_amended_it_does_not_approve_it(store: Store) -> None:
    one = refused(store)
    give(store, APPROVER, Role.OPERATOR, "acme")
    amend(store, one, logged_in(store, APPROVER))
    replay(store, one)
    drive(store)

    with pytest.raises(Forbidden, match="you amended this event"):
        decide(store, one)

    with store.read() as tx:
        view = show_approval(tx, one)
    assert view is not None
    assert view.amended_by == (f"person:{APPROVER}",)
    # The named one may not, so it is for any other approver.
    assert decide(store, one, by=logged_in(store, OTHER)).events == (one,)


def test_whoever_amended_it_gives_nobody_the_role_to_approve_it(store: Store) -> None:
    one = refused(store)
    amend(store, one, logged_in(store, ADMIN))
    replay(store, one)
    drive(store)

    with pytest.raises(Forbidden, match="given by somebody who amended this event"):
        decide(store, one)  # the admin gave everybody here their roles


def test_a_yes_is_void_once_the_event_is_replayed(store: Store) -> None:
    (one,) = asked_leads(store)
    decide(store, one)
    let_it_fail(store, one)
    replay(store, one)

    drive(store)

    assert event(store, one).state == "awaiting_approval"
    first, second = requests(store)
    assert (first.state, first.void, second.state) == ("approved", True, "waiting")


def let_it_fail(store: Store, one: str) -> None:
    """Quarantine an approved event, as a destination that refuses it does."""
    (group,) = claim_groups(store)
    with store.write() as tx:
        quarantine_events(
            tx,
            [one],
            source=State.ROUTED,
            workflow=WorkflowShelf().take(tx, group.workflow_id).workflow,
            reason=Reason.DESTINATION_REFUSED,
            detail="no",
            actor="worker",
        )


def test_an_event_that_takes_another_route_after_its_replay_goes_on(store: Store) -> None:
    one = refused(store)
    amend(store, one, logged_in(store, OPERATOR), tier="pro")
    replay(store, one)

    assert drive(store) == [one]

    (request,) = requests(store)
    assert (request.state, request.void) == ("refused", True)
    (group,) = claim_again(store, one)
    assert stopped_again(store, group) == []


def claim_again(store: Store, one: str) -> list[Group]:
    """What a relay claims once the lease of the first claim is over."""
    with store.write() as tx:
        tx.execute(update(events).where(events.c.id == one).values(due_at=after(-1)))
    return claim_groups(store)


def test_rows_that_would_send_something_else_are_never_sent(store: Store) -> None:
    (one,) = asked_leads(store)
    decide(store, one)
    (group,) = claim_groups(store)
    with store.write() as tx:
        tx.execute(update(deliveries).where(deliveries.c.name == "crm").values(send='{"a": 1}'))

    assert stopped_again(store, group) == [one]
    assert event(store, one).state == "awaiting_approval"


def test_pending_fields_are_known_later_and_change_no_digest(store: Store) -> None:
    (one,) = asked_leads(store, text=AFTER)
    with store.read() as tx:
        view = show_approval(tx, one)
    assert view is not None
    desk = next(delivery for delivery in view.deliveries if delivery.destination == "desk")
    assert (desk.pending, desk.after, dict(desk.send)) == (
        ("link",), ("crm",), {"title": f"Onboard {view.facts['email']}"},
    )  # fmt: skip
    decide(store, one)
    (group,) = claim_groups(store)
    with store.write() as tx:
        take_deliveries(tx, [one], epoch=group.epoch, run_id="run", run_seconds=30)
        save_done(tx, "run", [(one, "crm", "confirmed", "c-1")])
        whole = {**desk.send, "link": "c-1"}
        release(tx, [Released(event_id=one, name="desk", send=whole, confirm=["title"])])

    assert stopped_again(store, group) == []

    with store.write() as tx:
        other = {"title": "Offboard", "link": "c-1"}
        text = orjson.dumps(other).decode()
        tx.execute(update(deliveries).where(deliveries.c.name == "desk").values(send=text))
    assert stopped_again(store, group) == [one]


def test_an_event_that_is_all_made_is_not_asked_about_again(store: Store) -> None:
    (one,) = asked_leads(store)
    decide(store, one)
    (group,) = claim_groups(store)
    with store.write() as tx:
        take_deliveries(tx, [one], epoch=group.epoch, run_id="run", run_seconds=30)
        save_done(tx, "run", [(one, name, "confirmed", "r") for name in ("crm", "desk")])

    assert stopped_again(store, group, {"fake": "c" * 64}) == []


def test_while_a_call_is_out_nothing_is_asked_and_nothing_is_sent(store: Store) -> None:
    (one,) = asked_leads(store)
    decide(store, one)
    (group,) = claim_groups(store)
    with store.write() as tx:
        take_deliveries(tx, [one], epoch=group.epoch, run_id="run", run_seconds=30, most=1)

    assert stopped_again(store, group, {"fake": "c" * 64}) == [one]
    assert event(store, one).state == "routed"


def test_a_message_of_an_older_epoch_changes_nothing(store: Store) -> None:
    with_people(store)
    (one,) = accept_leads(store, 1, tier="enterprise")
    (group,) = claim_groups(store)
    route_group(store, group)

    assert route_group(store, group) == []

    assert len(requests(store)) == 1
    decide(store, one)
    assert stopped_again(store, group) == []  # it is not that epoch's any more


def test_an_event_that_waits_holds_its_line_until_it_is_decided_about(store: Store) -> None:
    asking = ORDERED.replace("to: [crm, desk]}", "to: [crm, desk], approve: {within: 4h}}")
    with_people(store, f"{asking}on_stall: pass\n")
    first, second = accept_same(store), accept_same(store)
    for group in turn(store):
        route_group(store, group)

    assert event(store, first).state == "awaiting_approval"
    assert going(store) == []
    assert event(store, second).waits_for is not None

    let_time_pass(store)  # it is quarantined now, and `on_stall: pass` lets the others go

    assert going(store) == [second]


def accept_same(store: Store) -> str:
    return accept_leads(store, 1, tier="enterprise")[0]


def test_an_erasure_that_gives_an_event_up_withdraws_the_request(store: Store) -> None:
    (one,) = asked_leads(store)

    steward = logged_in(store, ADMIN)
    erase_events(store, Wanted(ids=(one,)), why="asked for", actor=steward, discard=True)

    assert requests(store)[0].state == "withdrawn"
    with store.read() as tx:
        assert count_states(tx)["awaiting_approval"] == 0
        view = show_approval(tx, one)
    assert view is not None
    assert (view.state, view.facts) == ("withdrawn", {})
    with pytest.raises(IllegalMove, match="it was given up at"):
        decide(store, one)


def test_an_event_that_waits_is_not_erased_without_giving_it_up(store: Store) -> None:
    (one,) = asked_leads(store)

    done = erase_events(store, Wanted(ids=(one,)), why="asked", actor=logged_in(store, ADMIN))

    assert [(refusal.id, refusal.detail) for refusal in done.refused] == [
        (one, "it waits for a person's yes: approve or refuse it, or give it up with --discard")
    ]
    assert due_at(store, one) is None


def test_a_key_of_a_program_that_amended_it_stands_for_whoever_made_it(store: Store) -> None:
    one = refused(store)
    made = create_key(
        store, clients=["acme"], label="form", actor=logged_in(store, ADMIN), role=Role.OPERATOR
    )
    key = check_key(store, made)
    amend(store, one, key.as_actor())

    with store.read() as tx:
        view = show_approval(tx, one)

    assert view is not None
    assert view.amended_by == (f"key:{key.key_id}", f"person:{ADMIN}")


def test_the_digest_that_stays_in_the_audit_tells_nothing_of_what_was_erased(store: Store) -> None:
    (one,) = asked_leads(store)
    with store.read() as tx:
        salt = tx.execute(select(event_approvals.c.salt)).scalar_one()
    assert len(salt) == 32
    steward = logged_in(store, ADMIN)

    erase_events(store, Wanted(ids=(one,)), why="asked for", actor=steward, discard=True)

    with store.read() as tx:
        assert tx.execute(select(event_approvals.c.salt)).scalar_one() is None
