"""In an emergency the backstop makes a change live at once, and everybody hears of it."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from orchestrator.cli.doctor.change_checks import look_at_changes
from orchestrator.domain.access.actor import Actor
from orchestrator.domain.access.roles import Role
from orchestrator.domain.errors import ChangedSinceSeen, Forbidden, IllegalMove, NotFound, Refused
from orchestrator.operations.access.people import disable_person
from orchestrator.operations.changes.break_glass import break_glass
from orchestrator.operations.changes.freeze import freeze_changes
from orchestrator.operations.incidents.handle import resolve_incidents
from orchestrator.operations.incidents.keep_clocks import keep_clocks
from orchestrator.operations.rollback_workflow import rollback_workflow
from orchestrator.store.clocks.alert_views import list_alerts
from orchestrator.store.database.clock import after
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import incidents
from orchestrator.store.quarantine.workflow_terms import TermsShelf
from orchestrator.store.views.audit import list_audit
from orchestrator.store.views.incidents.page import IncidentView, show_incident
from tests.leads import TEXT
from tests.people import ADMIN, add, age_roles, logged_in, named
from tests.store.changes.governed import (
    APPROVER,
    AUTHOR,
    OTHER,
    change,
    decide,
    govern,
    live_version,
    proposed,
    version,
)

BACKSTOP = "on-call@agency.example"  # whom the workflow names


def test_it_is_live_at_once_though_nobody_approved_it_and_its_client_is_frozen(
    store: Store,
) -> None:
    token = _proposed(store)
    freeze_changes(store, "acme", until="1d", why="the sale", actor=logged_in(store, ADMIN))

    done = break_glass(store, token, why="orders are lost", actor=_backstop(store))

    assert (done.state, done.live_version, live_version(store)) == ("live", 2, 2)
    assert change(store, token).way == "break_glass"
    with store.read() as tx:
        (row,) = list_audit(tx, action="break_glass_change")
    assert row.actor == f"person:{BACKSTOP}/page"
    assert row.detail and row.detail["why"] == "orders are lost"


def test_every_approver_hears_of_it_and_the_workflows_own_answers_within_a_day(
    store: Store,
) -> None:
    token = _proposed(store)
    break_glass(store, token, why="orders are lost", actor=_backstop(store))
    keep_clocks(store, TermsShelf())

    with store.read() as tx:
        told = {(one.kind, one.recipient, one.news) for one in list_alerts(tx)}
    assert {("break_glass", mail, "orders are lost") for mail in (APPROVER, OTHER)} <= told
    assert ("live", AUTHOR, None) in told
    assert ("opened", APPROVER, None) in told
    incident = _incident(store)
    assert (incident.kind, incident.reason, incident.owner) == (
        "governance",
        "break_glass",
        APPROVER,
    )
    assert 23.9 < _hours(incident) < 24.1
    (finding, *_) = look_at_changes(store)
    assert finding.found.startswith("1 of 1 live workflows went live without an approval, 1 of")


def test_its_incident_stays_until_a_person_says_that_it_is_over_and_is_late_after_a_day(
    store: Store,
) -> None:
    break_glass(store, _proposed(store), why="orders are lost", actor=_backstop(store))
    keep_clocks(store, TermsShelf())
    assert _incident(store).state == "open"
    with store.write() as tx:
        tx.execute(update(incidents).values(recover_by=after(-1)))

    keep_clocks(store, TermsShelf())

    assert _incident(store).breached_at is not None
    for nobody in (_backstop(store), logged_in(store, ADMIN)):
        with pytest.raises(Forbidden, match="takes the role approver"):
            resolve_incidents(store, [1], why="it was right", actor=nobody)
    resolve_incidents(store, [1], why="it was right", actor=logged_in(store, APPROVER))
    assert _incident(store).state == "resolved"


def test_a_rollback_does_not_lead_to_what_nobody_approved(store: Store) -> None:
    break_glass(store, _proposed(store), why="orders are lost", actor=_backstop(store))
    author = logged_in(store, AUTHOR)
    rollback_workflow(store, "acme", "leads", why="it was worse", actor=author)
    assert live_version(store) == 1

    with pytest.raises(Refused, match="went live by break-glass"):
        rollback_workflow(store, "acme", "leads", why="again", to=2, actor=author)
    assert live_version(store) == 1


@pytest.mark.parametrize("mail", [APPROVER, AUTHOR, ADMIN])
def test_nobody_but_the_backstop_breaks_the_glass(store: Store, mail: str) -> None:
    token = _proposed(store)
    with pytest.raises(Forbidden, match="the live version names on-call@"):
        break_glass(store, token, why="mine", actor=logged_in(store, mail))
    assert live_version(store) == 1


def test_a_name_on_a_command_line_breaks_no_glass_and_nor_does_a_disabled_person(
    store: Store,
) -> None:
    token, by = _proposed(store), _backstop(store)
    with pytest.raises(Forbidden, match="takes a proof of who acts"):
        break_glass(store, token, why="mine", actor=named(store, BACKSTOP))
    with pytest.raises(Refused, match="needs a reason"):
        break_glass(store, token, why=" ", actor=by)
    with pytest.raises(ChangedSinceSeen):
        break_glass(store, token, why="mine", actor=by, seen=("other",))
    disable_person(store, BACKSTOP, actor=logged_in(store, ADMIN))
    with pytest.raises(NotFound):
        break_glass(store, token, why="mine", actor=by)


@pytest.mark.parametrize(
    ("before", "after_it"), [(APPROVER, OTHER), (BACKSTOP, "else@agency.example")]
)
def test_who_approves_and_who_is_the_backstop_is_not_changed_by_it(
    store: Store, before: str, after_it: str
) -> None:
    token = _proposed(store, TEXT.replace(before, after_it))
    with pytest.raises(Refused, match="does not go live by break-glass"):
        break_glass(store, token, why="mine", actor=_backstop(store))


def test_a_change_that_names_its_own_backstop_still_asks_the_live_ones(store: Store) -> None:
    token = _proposed(store, version().replace(BACKSTOP, AUTHOR))
    with pytest.raises(Forbidden, match="names on-call@"):
        break_glass(store, token, why="mine", actor=logged_in(store, AUTHOR))


def test_what_is_over_is_not_made_live(store: Store) -> None:
    token = _proposed(store)
    decide(store, token)
    other = proposed(store, version(30))
    break_glass(store, other, why="orders are lost", actor=_backstop(store))
    with pytest.raises(IllegalMove):
        break_glass(store, other, why="again", actor=_backstop(store))


def _proposed(store: Store, text: str | None = None) -> str:
    govern(store)
    add(store, BACKSTOP, Role.OPERATOR, "acme")
    age_roles(store)
    return proposed(store, text)


def _backstop(store: Store) -> Actor:
    return logged_in(store, BACKSTOP)


def _incident(store: Store) -> IncidentView:
    with store.read() as tx:
        found = show_incident(tx, 1)
    assert found is not None
    return found


def _hours(incident: IncidentView) -> float:
    from datetime import datetime

    spans = [datetime.fromisoformat(one) for one in (incident.opened_at, incident.recover_by)]
    return (spans[1] - spans[0]).total_seconds() / 3600
