"""Many events at once: groups, two approvers at the same time, and what a keeper does."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import event as sql_events
from sqlalchemy import update

from orchestrator.domain.access.roles import Role
from orchestrator.domain.approvals.requests import EventDecision, read_group
from orchestrator.domain.errors import ChangedSinceSeen, Forbidden, MeshlineError, NotFound
from orchestrator.operations.access.away import set_away
from orchestrator.operations.access.people import disable_person
from orchestrator.operations.approvals.decide import DecidedEvents, decide_group
from orchestrator.operations.approvals.who_decides import who_decides_about
from orchestrator.operations.dispatch.admit_deliveries import Admission, Run
from orchestrator.operations.incidents.keep_clocks import keep_clocks
from orchestrator.store.approvals.list import list_approvals, list_groups
from orchestrator.store.approvals.views import show_group
from orchestrator.store.database.clock import after
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import (
    alerts,
    event_approvals,
    events,
    incidents,
    invites,
    person_roles,
)
from orchestrator.store.drive.claim import Group
from orchestrator.store.drive.stages import Saving
from orchestrator.store.quarantine.workflow_terms import TermsShelf
from orchestrator.store.quarantine.workflows import WorkflowShelf
from tests.leads import TEXT, accept_leads, claim_groups, drive_to_routed, publish_leads
from tests.people import ADMIN, add, logged_in
from tests.store.approvals.asked import (
    APPROVER,
    ASKING,
    KNOWN,
    OTHER,
    approver,
    asked_leads,
    decide,
    drive,
    event,
    let_time_pass,
    requests,
    route_group,
)


def the_group(store: Store) -> tuple[str, str]:
    """The token and the digest of the one group that waits."""
    with store.read() as tx:
        (row,) = list_groups(tx)
    return row.group, row.digest


def decide_about(
    store: Store, token: str, digest: str, decision: EventDecision = EventDecision.APPROVE
) -> DecidedEvents:
    why = None if decision is EventDecision.APPROVE else "none of them"
    return decide_group(
        store, read_group(token), decision, actor=approver(store), seen=(digest,), why=why
    )


def test_a_group_is_approved_as_one_and_later_ones_are_not_in_it(store: Store) -> None:
    ids = asked_leads(store, 3)
    token, digest = the_group(store)
    (later,) = accept_leads(store, 1, tier="enterprise")
    drive(store)

    done = decide_about(store, token, digest)

    assert sorted(done.events) == sorted(ids)
    assert event(store, later).state == "awaiting_approval"
    assert sorted(one for group in claim_groups(store) for one in group.ids) == sorted(ids)


def test_a_group_of_which_somebody_decided_a_part_is_another_one(store: Store) -> None:
    first, *_ = asked_leads(store, 3)
    token, digest = the_group(store)
    decide(store, first, EventDecision.REFUSE)

    with pytest.raises(ChangedSinceSeen, match=f"person:{APPROVER} decided about some of it"):
        decide_about(store, token, digest)

    assert [one.state for one in requests(store)] == ["refused", "waiting", "waiting"]
    decide_about(store, *the_group(store), EventDecision.REFUSE)
    assert {one.state for one in requests(store)} == {"refused"}


def test_a_group_shows_what_each_would_send(store: Store) -> None:
    asked_leads(store, 2)
    token, digest = the_group(store)

    with store.read() as tx:
        group = show_group(tx, read_group(token))
        hidden = show_group(tx, read_group(token), frozenset({"globex"}))
        rows = list_approvals(tx, limit=1)

    assert group is not None
    assert hidden is None
    assert (group.events, group.digest, len(group.requests)) == (2, digest, 2)
    assert [one.destination for one in group.requests[0].deliveries] == ["crm", "desk"]
    assert dict(group.requests[0].facts) == {"email": "lead-0@example.com", "tier": "enterprise"}
    assert len(rows) == 1


def test_of_a_group_those_that_one_amended_wait_for_somebody_else(store: Store) -> None:
    first, second = asked_leads(store, 2)
    note_amended(store, first, f"person:{APPROVER}/page")

    done = decide_about(store, *the_group(store))

    assert done.events == (second,)
    assert [one.event for one in done.left] == [first]
    with pytest.raises(Forbidden, match="you amended this event"):
        decide_about(store, *the_group(store))


def note_amended(store: Store, one: str, actor: str) -> None:
    """Let the audit say that somebody amended an event, as before it was asked about."""
    from orchestrator.store.database.audit import record_moves

    with store.write() as tx:
        record_moves(
            tx, [one], actor=actor, action="amend", source="quarantined", target="quarantined"
        )


def test_a_group_that_is_not_there_is_said_to_be_not_there(store: Store) -> None:
    asked_leads(store)
    add(store, "viewer@globex.example", Role.APPROVER, "globex")

    with pytest.raises(NotFound, match="there is no group"):
        decide_group(
            store, read_group("acme.leads.1.9"), EventDecision.APPROVE,
            actor=logged_in(store, "viewer@globex.example"), seen=("x",),
        )  # fmt: skip


def at_once(*acts: Callable[[], object]) -> list[object]:
    together = Barrier(len(acts))

    def run(act: Callable[[], object]) -> object:
        together.wait(10)
        try:
            return act()
        except MeshlineError as error:
            return error

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(run, acts))


def test_two_approvers_decide_at_once_and_one_is_told_who_did(store: Store) -> None:
    (one,) = asked_leads(store)
    add(store, "third@acme.example", Role.APPROVER, "acme")
    disable_person(store, APPROVER, actor=logged_in(store, ADMIN))
    yes, no = logged_in(store, OTHER), logged_in(store, "third@acme.example")

    answers = at_once(
        lambda: decide(store, one, by=yes),
        lambda: decide(store, one, EventDecision.REFUSE, by=no),
    )

    (error,) = (one for one in answers if isinstance(one, MeshlineError))
    assert "awaits no approval: it was" in str(error)
    (request,) = requests(store)
    state = {"approved": "routed", "refused": "quarantined"}[request.state]
    assert event(store, one).state == state


def test_who_stands_in_for_an_approver_who_is_away_decides_and_it_says_for_whom(
    store: Store,
) -> None:
    (one,) = asked_leads(store)
    with pytest.raises(Forbidden, match=f"{APPROVER} decides"):
        decide(store, one, by=logged_in(store, OTHER))
    set_away(store, APPROVER, until="2d", to=OTHER, actor=approver(store))
    with store.read() as tx:
        assert set(who_decides_about(tx, "acme", APPROVER).mails) == {APPROVER, OTHER}

    decide(store, one, by=logged_in(store, OTHER))

    row = event(store, one).history[-1]
    assert row.detail is not None
    assert (row.actor, row.detail["for"]) == (f"person:{OTHER}/page", APPROVER)


def test_who_amended_it_lets_nobody_stand_in(store: Store) -> None:
    (one,) = asked_leads(store)
    set_away(store, APPROVER, until="2d", to=OTHER, actor=logged_in(store, ADMIN))
    add_role_of_another(store)
    note_amended(store, one, f"person:{ADMIN}/page")

    with pytest.raises(Forbidden):
        decide(store, one, by=logged_in(store, OTHER))


def add_role_of_another(store: Store) -> None:
    """Let every role have been given by nobody of this story, so that only the absence counts."""
    with store.write() as tx:
        tx.execute(update(person_roles).values(granted_by="cli:root"))
        tx.execute(update(invites).values(created_by="cli:root"))


def test_a_yes_and_the_end_of_its_time_are_one_or_the_other(store: Store) -> None:
    (one,) = asked_leads(store)
    by = approver(store)

    answers = at_once(lambda: decide(store, one, by=by), lambda: let_time_pass(store))

    (request,) = requests(store)
    late = request.state == "late"
    assert event(store, one).state == ("quarantined" if late else "routed")
    assert isinstance(answers[0], MeshlineError) == late


def test_the_approver_is_alerted_and_the_incident_ends_with_the_last_decision(
    store: Store,
) -> None:
    first, second = asked_leads(store, 2)
    keep_clocks(store, TermsShelf())
    assert told(store) == [("opened", APPROVER)]
    with store.write() as tx:
        tx.execute(update(event_approvals).values(remind_at=after(-1)))

    keep_clocks(store, TermsShelf())

    assert ("escalated", APPROVER) in told(store)
    decide(store, first)
    keep_clocks(store, TermsShelf())
    assert states_of_incidents(store) == ["open"]
    decide(store, second)
    keep_clocks(store, TermsShelf())
    assert states_of_incidents(store) == ["resolved"]


def test_an_incident_that_always_has_an_event_that_waits_escalates_each_time(
    store: Store,
) -> None:
    first, second = asked_leads(store, 2)
    keep_clocks(store, TermsShelf())
    half_over(store, first)
    keep_clocks(store, TermsShelf())
    assert told(store) == [("opened", APPROVER), ("escalated", APPROVER)]

    decide(store, first)
    keep_clocks(store, TermsShelf())

    assert states_of_incidents(store) == ["open"]
    assert told(store)[2:] == [("opened", APPROVER)]
    half_over(store, second)
    keep_clocks(store, TermsShelf())
    assert told(store)[3:] == [("escalated", APPROVER)]


def half_over(store: Store, one: str) -> None:
    with store.write() as tx:
        mine = event_approvals.c.event_id == one
        tx.execute(update(event_approvals).where(mine).values(remind_at=after(-1)))


def told(store: Store) -> list[tuple[str, str]]:
    with store.read() as tx:
        rows = tx.execute(alerts.select().order_by(alerts.c.id)).all()
    return [(row.kind, row.recipient) for row in rows]


def states_of_incidents(store: Store) -> list[str]:
    with store.read() as tx:
        rows = tx.execute(incidents.select().where(incidents.c.reason == "awaiting_approval")).all()
    return [row.state for row in rows]


def test_an_event_that_waits_too_long_for_its_delivery_is_late_once(store: Store) -> None:
    (one,) = asked_leads(store)
    with store.write() as tx:
        tx.execute(update(events).values(accepted_at=after(-3600)))

    keep_clocks(store, TermsShelf())
    keep_clocks(store, TermsShelf())

    assert [row.action for row in event(store, one).history].count("breach") == 1


def statements_of(store: Store, act: Callable[[], object]) -> list[str]:
    """The statements that an act makes."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, text: str, *_: object) -> None:
        seen.append(text)

    sql_events.listen(store.engine, "before_cursor_execute", note)
    try:
        act()
    finally:
        sql_events.remove(store.engine, "before_cursor_execute", note)
    return seen


def admit(store: Store, group: Group) -> None:
    """What a dispatch does before its calls."""
    with store.write() as tx:
        workflow = WorkflowShelf().take(tx, group.workflow_id)
        saving = Saving(actor="worker:dispatch", epoch=group.epoch, lease_seconds=60)
        run = Run(id="run", workflow=workflow, saving=saving, call_seconds=10, turn_seconds=5)
        Admission({}, definitions=KNOWN).admit(tx, sorted(group.ids), run)


def test_events_of_a_workflow_that_asks_for_nothing_cost_no_statement_and_no_row(
    store: Store,
) -> None:
    publish_leads(store, TEXT)
    groups = []
    for _ in range(2):
        accept_leads(store, 5, tier="enterprise")
        groups += claim_groups(store)

    alone = statements_of(store, lambda: drive_to_routed(store, groups[0]))
    asking = statements_of(store, lambda: route_group(store, groups[1]))
    admitting = statements_of(store, lambda: admit(store, groups[1]))

    assert len(asking) == len(alone)
    assert not any("event_approvals" in one for one in (*asking, *admitting))
    assert requests(store) == []


def test_events_of_a_route_that_asks_cost_a_statement_or_two_each(store: Store) -> None:
    publish_leads(store, ASKING)
    counts = []
    for count in (1, 11):
        accept_leads(store, count, tier="enterprise")
        (group,) = claim_groups(store)
        counts.append(len(statements_of(store, lambda group=group: route_group(store, group))))  # type: ignore[misc]

    assert counts[1] - counts[0] <= 2 * 10
