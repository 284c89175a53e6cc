"""While the approver whom the live version names is away, somebody else decides in their place."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from orchestrator.domain.access.roles import EVERY_CLIENT, Role
from orchestrator.domain.errors import Forbidden, NotFound, Refused
from orchestrator.operations.access.away import end_away, set_away
from orchestrator.operations.changes.keep_time import keep_time_of_changes
from orchestrator.operations.changes.who_decides import who_decides
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.store.changes.changes import lock_change
from orchestrator.store.clocks.alert_views import list_alerts
from orchestrator.store.database.clock import after
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import absences
from orchestrator.store.views.audit import list_audit
from tests.leads import lead_workflow
from tests.people import add, age_roles, logged_in, named
from tests.store.changes.governed import (
    APPROVER,
    AUTHOR,
    OTHER,
    approver,
    author,
    change,
    decide,
    govern,
    live_version,
    proposed,
    version,
)

THIRD = "third@acme.example"


def test_another_approver_decides_for_the_one_who_is_away_and_the_decision_says_so(
    store: Store,
) -> None:
    govern(store)
    _away(store)
    token = proposed(store)
    assert _may(store, token) == {APPROVER, OTHER}
    with store.read() as tx:
        asked = {one.recipient for one in list_alerts(tx) if one.kind == "asked"}
    assert asked == {APPROVER, OTHER}

    decide(store, token, by=logged_in(store, OTHER))

    (decision,) = change(store, token).decisions
    assert (decision.by, decision.stands_in_for) == (f"person:{OTHER}/page", APPROVER)
    with store.read() as tx:
        (row,) = list_audit(tx, action="approve_change")
    assert row.detail and row.detail["for"] == APPROVER
    assert live_version(store) == 2


def test_an_absence_says_where_the_other_person_cannot_decide(store: Store) -> None:
    govern(store)
    add(store, THIRD, Role.OPERATOR, "acme")
    approver_ = logged_in(store, APPROVER)

    good = set_away(store, APPROVER, until="2h", to=OTHER, actor=approver_)
    bad = set_away(store, APPROVER, until="2h", to=THIRD, actor=approver_)

    assert (good.cannot, bad.cannot) == ((), ("acme",))


def test_who_is_away_may_still_decide_and_that_is_for_nobody(store: Store) -> None:
    govern(store)
    _away(store)
    token = proposed(store)
    decide(store, token)
    assert change(store, token).decisions[0].stands_in_for is None


def test_it_ends_by_time_and_when_they_are_back(store: Store) -> None:
    govern(store)
    token = proposed(store)
    _away(store)
    assert OTHER in _may(store, token)
    with store.write() as tx:
        tx.execute(update(absences).values(until=after(-1)))
    with pytest.raises(Forbidden, match="approves changes of this workflow"):
        decide(store, token, by=logged_in(store, OTHER))
    _away(store)
    assert end_away(store, APPROVER, actor=approver(store)).until is None
    with pytest.raises(Forbidden, match="approves changes of this workflow"):
        decide(store, token, by=logged_in(store, OTHER))


def test_an_author_decides_for_nobody_and_nor_does_whoever_has_no_role_of_their_own(
    store: Store,
) -> None:
    govern(store)
    add(store, THIRD, Role.VIEWER, "acme")
    _away(store, to=AUTHOR)
    token = proposed(store)
    with pytest.raises(Forbidden):
        decide(store, token, by=author(store))
    _away(store, to=THIRD)
    with pytest.raises(Forbidden):
        decide(store, token, by=logged_in(store, THIRD))
    assert _may(store, token) == {APPROVER}


def test_it_goes_one_step_and_no_further(store: Store) -> None:
    govern(store)
    add(store, THIRD, Role.APPROVER, "acme")
    age_roles(store)
    _away(store)
    set_away(store, OTHER, until="3d", to=THIRD, actor=logged_in(store, OTHER))
    token = proposed(store)
    with pytest.raises(Forbidden, match="approves changes of this workflow"):
        decide(store, token, by=logged_in(store, THIRD))


def test_what_an_admin_says_counts_only_before_a_proposal_that_is_not_theirs(store: Store) -> None:
    govern(store)
    add(store, "second@agency.example", Role.ADMIN, EVERY_CLIENT)
    admin = logged_in(store, "second@agency.example")
    before = proposed(store)
    set_away(store, APPROVER, until="3d", to=OTHER, actor=admin)
    assert OTHER not in _may(store, before)
    with store.write() as tx:
        tx.execute(update(absences).values(at=after(-60)))
    later = proposed(store, version(30))
    own = proposed(store, version(40), by=admin)

    assert OTHER in _may(store, later)
    with pytest.raises(Forbidden, match="approves changes of this workflow"):
        decide(store, own, by=logged_in(store, OTHER))


def test_a_decision_for_somebody_still_counts_when_they_are_back_before_it_goes_live(
    store: Store,
) -> None:
    govern(store)
    _away(store)
    done = publish_workflow(store, lead_workflow(version()), actor=author(store), at="1s")
    assert done.change is not None
    decide(store, done.change, by=logged_in(store, OTHER))
    end_away(store, APPROVER, actor=approver(store))
    while live_version(store) == 1:
        keep_time_of_changes(store)
        assert change(store, done.change).state in ("approved", "live")


def test_only_the_person_or_an_admin_says_it(store: Store) -> None:
    govern(store)
    for by in (author(store), logged_in(store, OTHER), named(store, APPROVER)):
        with pytest.raises(Forbidden):
            set_away(store, APPROVER, until="3d", to=OTHER, actor=by)
    with pytest.raises(Refused, match="is the one who is away"):
        _away(store, to=APPROVER)
    with pytest.raises(NotFound):
        _away(store, to="nobody@acme.example")
    with pytest.raises(Refused) as caught:
        set_away(store, APPROVER, until="100d", to=OTHER, actor=approver(store))
    assert caught.value.field == "until"
    _away(store)
    with store.read() as tx:
        (row,) = list_audit(tx, action="go_away")
    assert row.detail and row.detail["to"] == OTHER


def _away(store: Store, *, to: str = OTHER) -> None:
    set_away(store, APPROVER, until="3d", to=to, actor=approver(store))


def _may(store: Store, token: str) -> set[str]:
    with store.write() as tx:
        found = lock_change(tx, token)
        assert found is not None
        return set(who_decides(tx, [found.id])[found.id].mails)
