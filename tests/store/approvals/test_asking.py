"""A route that asks: the event waits, a person decides, and time does not."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from orchestrator.domain.approvals.requests import EventDecision
from orchestrator.domain.errors import ChangedSinceSeen, Forbidden, IllegalMove, NotFound, Refused
from orchestrator.operations.access.people import disable_person
from orchestrator.operations.approvals.decide import decide_event
from orchestrator.store.database.clock import after
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import event_approvals
from orchestrator.store.views.events.counts import count_states
from tests.leads import TEXT, accept_leads, claim_groups, lead_workflow
from tests.people import ADMIN, logged_in, named
from tests.store.approvals.asked import (
    APPROVER,
    ASKING,
    OPERATOR,
    OTHER,
    approver,
    asked_leads,
    decide,
    drive,
    due_at,
    event,
    let_time_pass,
    requests,
    stopped_again,
    with_people,
)


def test_an_event_of_a_route_that_asks_waits_and_is_not_claimed(store: Store) -> None:
    (one,) = asked_leads(store)

    assert event(store, one).state == "awaiting_approval"
    assert due_at(store, one) is None
    assert claim_groups(store) == []
    (request,) = requests(store)
    row = event(store, one).history[-1]
    assert (row.action, row.target) == ("request_approval", "awaiting_approval")
    assert row.detail and row.detail["subject"] == request.subject
    with store.read() as tx:
        assert count_states(tx)["awaiting_approval"] == 1


def test_an_event_of_another_route_of_the_same_workflow_goes_on(store: Store) -> None:
    with_people(store)
    ids = accept_leads(store, 1, tier="pro")

    assert drive(store) == ids
    assert requests(store) == []


def test_after_a_yes_it_is_sent_as_it_was_approved(store: Store) -> None:
    (one,) = asked_leads(store)
    (request,) = requests(store)

    done = decide(store, one, seen=(request.subject,))

    assert (done.decision, done.events) == ("approve", (one,))
    (group,) = claim_groups(store)
    assert (group.stage, group.ids) == ("dispatch", (one,))
    assert stopped_again(store, group) == []
    row = event(store, one).history[-1]
    assert (row.action, row.source, row.target) == ("approve", "awaiting_approval", "routed")
    assert row.actor == f"person:{APPROVER}/page"
    assert row.detail and row.detail["subject"] == request.subject
    assert row.detail["grade"] == "session"


def test_a_no_is_a_quarantine_with_its_own_reason(store: Store) -> None:
    (one,) = asked_leads(store)

    decide(store, one, EventDecision.REFUSE)

    seen = event(store, one)
    assert (seen.state, seen.reason) == ("quarantined", "approval_refused")
    assert seen.quarantine is not None
    assert seen.quarantine.detail == "the approver said no: not to this customer"
    assert [row.action for row in seen.history[-2:]] == ["refuse", "quarantine"]
    assert requests(store)[0].state == "refused"


def test_whoever_refuses_says_why(store: Store) -> None:
    (one,) = asked_leads(store)

    with pytest.raises(Refused, match="a refusal needs a reason"):
        decide_event(store, one, EventDecision.REFUSE, actor=approver(store))


def test_late_is_a_quarantine_and_never_a_yes(store: Store) -> None:
    (one,) = asked_leads(store)

    assert let_time_pass(store) == 1

    seen = event(store, one)
    assert (seen.state, seen.reason) == ("quarantined", "approval_late")
    assert seen.quarantine is not None
    assert seen.quarantine.owner == "support-ops@acme.example"
    assert requests(store)[0].state == "late"
    with pytest.raises(IllegalMove, match="it was quarantined as late at"):
        decide(store, one)


def test_a_yes_after_the_time_does_not_count_though_no_keeper_looked(store: Store) -> None:
    (one,) = asked_leads(store)
    with store.write() as tx:
        tx.execute(update(event_approvals).values(decide_by=after(-1)))

    with pytest.raises(IllegalMove, match="the time to decide about event"):
        decide(store, one)
    assert event(store, one).state == "awaiting_approval"


def test_who_may_not_decide_is_told_why(store: Store) -> None:
    (one,) = asked_leads(store)

    with pytest.raises(Forbidden, match=f"{APPROVER} decides about events of this workflow"):
        decide(store, one, by=logged_in(store, OTHER))
    with pytest.raises(Forbidden, match="takes the role approver"):
        decide(store, one, by=logged_in(store, OPERATOR))
    with pytest.raises(Forbidden, match="takes a proof of who acts"):
        decide(store, one, by=named(store, APPROVER))
    assert event(store, one).state == "awaiting_approval"


def test_an_approver_who_is_disabled_meanwhile_leaves_it_to_the_others(store: Store) -> None:
    (one,) = asked_leads(store)
    before = approver(store)

    disable_person(store, APPROVER, actor=logged_in(store, ADMIN))

    with pytest.raises((Forbidden, NotFound)):
        decide(store, one, by=before)
    assert decide(store, one, by=logged_in(store, OTHER)).events == (one,)


def test_another_digest_is_not_what_was_looked_at(store: Store) -> None:
    (one,) = asked_leads(store)

    with pytest.raises(ChangedSinceSeen, match="would not send what you looked at"):
        decide(store, one, seen=("0" * 64,))


def test_another_definition_of_the_connector_asks_anew(store: Store) -> None:
    (one,) = asked_leads(store)
    decide(store, one)
    (group,) = claim_groups(store)

    assert stopped_again(store, group, {"fake": "b" * 64}) == [one]

    assert event(store, one).state == "awaiting_approval"
    first, second = requests(store)
    assert (first.state, first.void) == ("approved", True)
    assert (second.state, second.void) == ("waiting", False)
    assert second.subject != first.subject


def test_nobody_is_asked_about_an_event_that_is_not_there(store: Store) -> None:
    asked_leads(store)

    with pytest.raises(NotFound, match="there is no request to approve an event"):
        decide(store, "0" * 32)


def test_a_workflow_file_without_approve_is_the_same_version_as_before() -> None:
    routes = lead_workflow(TEXT).definition()["routes"]
    asking = lead_workflow(ASKING).definition()["routes"]

    assert routes == [
        {"when": 'tier == "enterprise"', "to": ["crm", "desk"]},
        {"when": 'tier == "pro"', "to": ["crm"]},
    ]
    assert asking[0]["approve"] == {  # type: ignore[index]
        "by": "approver", "within": "4h", "show": ["email", "tier"],
    }  # fmt: skip
