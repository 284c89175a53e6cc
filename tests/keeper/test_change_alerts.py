"""Who hears of a change: whoever may decide, before it expires, and its authors of what became."""

from __future__ import annotations

from sqlalchemy import update

from orchestrator.domain.access.actor import login
from orchestrator.domain.access.roles import Role
from orchestrator.domain.changes.deciding import Decision
from orchestrator.keeper.telling import Teller
from orchestrator.operations.access.people import disable_person
from orchestrator.operations.changes.keep_time import keep_time_of_changes
from orchestrator.operations.incidents.keep_clocks import keep_clocks
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.store.clocks.alert_views import SoughtAlerts, count_alerts, list_alerts
from orchestrator.store.database.clock import after
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import alerts, changes
from orchestrator.store.quarantine.workflow_terms import TermsShelf
from tests.keeper.conftest import Desk
from tests.keeper.stopped import stopped_leads
from tests.leads import lead_workflow, publish_leads
from tests.people import ADMIN, add, age_roles, logged_in
from tests.store.changes.governed import (
    APPROVER,
    AUTHOR,
    OTHER,
    author,
    change,
    decide,
    govern,
    proposed,
    publish,
    version,
)

EDITOR = "editor@acme.example"


def test_whoever_may_decide_is_asked_with_the_digest_and_a_link_that_decides_nothing(
    desk: Desk, store: Store
) -> None:
    govern(store)
    token = proposed(store)

    assert _tell(store, desk) == 1

    ((to, subject),) = desk.mails.arrived
    assert (to, subject) == (APPROVER, f"[acme/leads] change {token} awaits your decision")
    (text,) = desk.mails.texts
    assert f"digest of what you are asked: {change(store, token).digest}" in text
    assert f"https://desk.example/changes/{token}?signed=" in text
    assert f"meshline change approve {token} --digest {change(store, token).digest}" in text
    assert "20m" in text
    with store.read() as tx:
        waiting, sent = list_alerts(tx, SoughtAlerts(client="acme"))
        assert list_alerts(tx, SoughtAlerts(clients=frozenset({"other"}))) == []
        assert count_alerts(tx, frozenset({"acme"}))["sent"] == 1
    assert (sent.kind, sent.change, sent.state) == ("asked", token, "sent")
    assert (waiting.kind, waiting.recipient, waiting.attempts) == ("expiring", APPROVER, 0)


def test_where_the_named_approver_may_not_every_other_one_is_asked_and_where_nobody_may_the_named(
    desk: Desk, store: Store
) -> None:
    govern(store)
    disable_person(store, APPROVER, actor=logged_in(store, ADMIN))
    proposed(store)
    _tell(store, desk)
    assert [to for to, _ in desk.mails.arrived] == [OTHER]

    disable_person(store, OTHER, actor=logged_in(store, ADMIN))
    token = proposed(store, version(30))

    with store.read() as tx:
        asked = [one for one in list_alerts(tx) if (one.kind, one.change) == ("asked", token)]
    assert {one.recipient for one in asked} == {APPROVER, "on-call@agency.example"}


def test_a_new_round_is_asked_anew_and_what_was_asked_before_is_dropped(
    desk: Desk, store: Store
) -> None:
    govern(store)
    token = proposed(store)
    publish_workflow(store, lead_workflow(version(30)), actor=author(store), change=token)

    _tell(store, desk)

    ((_, subject),) = desk.mails.arrived
    assert subject.endswith("awaits your decision in round 2")
    assert change(store, token).digest in desk.mails.texts[0]
    assert _states(store, "asked") == ["sent", "dropped"]


def test_a_reminder_comes_before_the_end_and_only_while_nobody_decided(
    desk: Desk, store: Store
) -> None:
    govern(store)
    token = proposed(store)
    with store.read() as tx:
        (reminder,) = [one for one in list_alerts(tx) if one.kind == "expiring"]
    assert reminder.due_at is not None
    assert reminder.due_at < change(store, token).expires_at
    _tell(store, desk)
    _reminders_are_due(store)

    _tell(store, desk)

    assert "still awaits your decision, and expires soon" in desk.mails.arrived[-1][1]
    other = proposed(store, version(30))
    decide(store, other)
    _reminders_are_due(store)
    _tell(store, desk)
    assert _states(store, "expiring") == ["dropped", "sent"]


def test_its_authors_hear_what_became_of_it_and_not_who_did_it(desk: Desk, store: Store) -> None:
    govern(store)
    add(store, EDITOR, Role.OPERATOR, "acme")
    age_roles(store)
    sent_back, rejected = proposed(store), proposed(store, version(30))
    for token, said in ((sent_back, Decision.REQUEST_CHANGES), (rejected, Decision.REJECT)):
        decide(store, token, decision=said)
    publish_workflow(
        store, lead_workflow(version(40)), actor=logged_in(store, EDITOR), change=sent_back
    )
    late, live = proposed(store, version(50)), proposed(store, version(60))
    with store.write() as tx:
        tx.execute(update(changes).where(changes.c.token == late).values(expires_at=after(-1)))
    keep_time_of_changes(store)

    decide(store, live)

    with store.read() as tx:
        told = [(one.kind, one.change, one.recipient, one.news) for one in list_alerts(tx)]
    told = [one for one in reversed(told) if one[0] not in ("asked", "expiring")]
    assert told == [
        ("requested_changes", sent_back, AUTHOR, "not so"),
        ("rejected", rejected, AUTHOR, "not so"),
        ("expired", late, AUTHOR, "nobody decided in time"),
        ("stale", sent_back, AUTHOR, f"change {live}"),
        ("stale", sent_back, EDITOR, f"change {live}"),
        ("live", live, AUTHOR, None),
    ]
    _tell(store, desk)
    assert {to for to, _ in desk.mails.arrived} == {AUTHOR, EDITOR}
    assert any("because: not so" in text for text in desk.mails.texts)


def test_without_an_approver_nobody_hears_of_changes(store: Store) -> None:
    publish_leads(store)
    publish(store, by=login("cli:root"))

    with store.read() as tx:
        assert list_alerts(tx) == []


def test_an_alert_of_a_change_goes_beside_those_of_incidents(desk: Desk, store: Store) -> None:
    stopped_leads(store, 1)
    govern(store)
    keep_clocks(store, TermsShelf())
    with store.write() as tx:
        tx.execute(update(alerts).values(recipient=APPROVER))
    proposed(store)

    assert _tell(store, desk) == 2

    assert {to for to, _ in desk.mails.arrived} == {APPROVER}


def _tell(store: Store, desk: Desk) -> int:
    return Teller(store=store, config=desk.settings()).tell()


def _states(store: Store, kind: str) -> list[str]:
    """Of the alerts of a kind, the newest first."""
    with store.read() as tx:
        return [one.state for one in list_alerts(tx) if one.kind == kind]


def _reminders_are_due(store: Store) -> None:
    with store.write() as tx:
        waiting = alerts.c.state == "waiting"
        tx.execute(update(alerts).where(waiting).values(due_at=after(-1)))
