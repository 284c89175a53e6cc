"""An acknowledged incident that grows tenfold or shows a new change tells its owner again."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from orchestrator.domain.access.actor import login
from orchestrator.domain.incidents.incident import IncidentMove
from orchestrator.keeper.messages import Reader, compose
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.incidents.handle import acknowledge_incidents
from orchestrator.operations.incidents.keep_clocks import keep_clocks
from orchestrator.operations.incidents.watch_changes import ChangeWatch, watch_changes
from orchestrator.settings import Settings
from orchestrator.store.clocks import news
from orchestrator.store.clocks.alerts import claim_alert
from orchestrator.store.clocks.news import MOST_TELLINGS
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import alerts, events, incidents
from orchestrator.store.quarantine.incident_moves import move_incident
from orchestrator.store.quarantine.workflow_terms import TermsShelf
from orchestrator.store.views.incidents.page import IncidentView, show_incident
from tests.cli.desk import validate_leads
from tests.leads import _trigger, accept_leads, claim_groups, drive_to_routed, publish_leads


@pytest.fixture
def watch() -> ChangeWatch:
    return ChangeWatch(pause_seconds=0)


def fail(store: Store, count: int, name: str = "customer_tier") -> None:
    """Leads whose sender calls the tier otherwise."""
    sent: list[dict[str, object]] = [
        {"email": f"{number}@example.com", name: "pro"} for number in range(count)
    ]
    accept_batch(store, [_trigger(one, None) for one in sent], actor="key:test")
    validate_leads(store)


def keep(store: Store) -> None:
    keep_clocks(store, TermsShelf())


def told(store: Store) -> list[tuple[str, str]]:
    with store.read() as tx:
        rows = tx.execute(
            select(alerts.c.recipient, alerts.c.news)
            .where(alerts.c.kind == "news")
            .order_by(alerts.c.id)
        )
        return [(row[0], row[1]) for row in rows]


def test_growth_by_ten_is_told_once_and_by_a_hundred_once_more(store: Store) -> None:
    publish_leads(store)
    fail(store, 3)
    keep(store)
    acknowledge_incidents(store, [1], actor=login("cli:dana"))

    fail(store, 26)
    keep(store)
    assert told(store) == [], "not yet"
    fail(store, 1)
    keep(store)
    keep(store)
    for events_by_now in (299, 300):
        assert told(store) == [("triage@acme.example", "grew from 3 to 30 events")]
        with store.write() as tx:
            tx.execute(update(incidents).values(events=events_by_now))
        keep(store)

    assert told(store)[1:] == [("triage@acme.example", "grew from 30 to 300 events")]


def test_what_nobody_acknowledged_tells_of_itself_by_its_clock(store: Store) -> None:
    publish_leads(store)
    fail(store, 1)
    keep(store)
    fail(store, 20)

    keep(store)

    assert told(store) == []


def test_the_new_owner_is_told(store: Store) -> None:
    publish_leads(store)
    fail(store, 1)
    acknowledge_incidents(store, [1], actor=login("cli:dana"))
    with store.write() as tx:
        move_incident(tx, 1, IncidentMove.ASSIGN, owner="dana@acme.example", actor="cli:dana")
    fail(store, 9)

    keep(store)

    assert told(store) == [("dana@acme.example", "grew from 1 to 10 events")]


def delivered(store: Store, count: int) -> None:
    accept_leads(store, count)
    for group in claim_groups(store):
        drive_to_routed(store, group)
    with store.write() as tx:
        tx.execute(update(events).values(state="delivered", due_at=None))


def test_a_second_rename_into_the_same_incident_is_told_once(
    store: Store, watch: ChangeWatch
) -> None:
    publish_leads(store)
    delivered(store, 20)
    fail(store, 20)
    acknowledge_incidents(store, [1], actor=login("cli:dana"))
    assert watch_changes(store, watch) == 0
    fail(store, 5)
    assert watch_changes(store, watch) == 0, "more of the same is no news"

    fail(store, 40, "plan_tier")

    assert watch_changes(store, watch) == 1
    fail(store, 5, "plan_tier")
    assert [watch_changes(store, watch) for _ in range(3)] == [0, 0, 0]
    ((owner, said),) = told(store)
    assert owner == "triage@acme.example"
    assert said.startswith("shows a change that is new: renamed: tier → plan_tier, in ")
    assert [row.action for row in shown(store).history].count("tell_owner") == 1


def test_two_keepers_that_see_the_same_change_tell_it_once(store: Store) -> None:
    publish_leads(store)
    delivered(store, 20)
    fail(store, 20)
    acknowledge_incidents(store, [1], actor=login("cli:dana"))
    fail(store, 40, "plan_tier")
    with store.read() as tx:
        (seen,) = news.list_watched(tx)

    for expected in (True, False):
        with store.write() as tx:
            keys = [*(seen.changes or ()), "another"]
            assert news.tell_change(tx, seen, "renamed", keys, actor="keeper") is expected


def test_an_incident_that_was_acknowledged_before_is_learnt_first(
    store: Store, watch: ChangeWatch
) -> None:
    publish_leads(store)
    delivered(store, 20)
    fail(store, 20)
    with store.write() as tx:
        move_incident(tx, 1, IncidentMove.ACKNOWLEDGE, actor="cli:dana")

    assert watch_changes(store, watch) == 0
    fail(store, 40, "plan_tier")

    assert watch_changes(store, watch) == 1


def test_there_is_an_end_to_telling(store: Store, watch: ChangeWatch) -> None:
    publish_leads(store)
    delivered(store, 20)
    fail(store, 1)
    acknowledge_incidents(store, [1], actor=login("cli:dana"))
    with store.write() as tx:
        tx.execute(update(incidents).values(tellings=MOST_TELLINGS))
    fail(store, 40, "plan_tier")

    keep(store)

    assert watch_changes(store, watch) == 0
    assert told(store) == []


def shown(store: Store) -> IncidentView:
    with store.read() as tx:
        view = show_incident(tx, 1)
    assert view
    return view


def test_the_alert_says_what_is_new(store: Store) -> None:
    publish_leads(store)
    fail(store, 1)
    acknowledge_incidents(store, [1], actor=login("cli:dana"))
    fail(store, 9)
    keep(store)
    with store.write() as tx:
        number = tx.execute(select(alerts.c.id).where(alerts.c.kind == "news")).scalar_one()
        alert = claim_alert(tx, number)

    assert alert and not alert.over
    message = compose(alert, shown(store), Settings(), Reader(now=0))

    assert "incident 1 grew from 1 to 10 events: " in message.subject
