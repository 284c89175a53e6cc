"""While a client is frozen nothing of it goes live; what was approved goes live after it."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from orchestrator.domain.access.actor import login
from orchestrator.domain.access.roles import EVERY_CLIENT, Role
from orchestrator.domain.errors import Forbidden, NotFound, Refused
from orchestrator.operations.changes.freeze import Frozen, freeze_changes, thaw_changes
from orchestrator.operations.changes.go_live import subject_of
from orchestrator.operations.changes.keep_time import keep_time_of_changes
from orchestrator.operations.changes.show import explain_change
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.operations.retire_workflow import retire_workflow
from orchestrator.store.changes.changes import lock_change
from orchestrator.store.changes.freezes import list_freezes
from orchestrator.store.database.clock import after
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import change_decisions, change_freezes, changes
from orchestrator.store.views.audit import list_audit
from tests.leads import lead_workflow, publish_leads
from tests.people import ADMIN, add, logged_in
from tests.store.changes.governed import (
    author,
    change,
    decide,
    govern,
    live_version,
    proposed,
    publish,
    version,
)


def test_what_is_approved_in_a_freeze_goes_live_when_it_is_over(store: Store) -> None:
    govern(store)
    token = proposed(store)
    held = _freeze(store)
    assert [one.change for one in held.holds] == [token]

    done = decide(store, token)

    assert (done.state, live_version(store)) == ("approved", 1)
    assert keep_time_of_changes(store) == 0
    with store.read() as tx:
        shown = explain_change(tx, token, None).freeze
    assert shown is not None
    assert shown.why == "the summer sale"
    _is_over(store)
    assert keep_time_of_changes(store) == 1
    assert (change(store, token).state, live_version(store)) == ("live", 2)


def test_a_scheduled_change_waits_for_the_end_and_its_approval_lasts_as_long(store: Store) -> None:
    govern(store)
    done = publish_workflow(store, lead_workflow(version()), actor=author(store), at="1h")
    assert done.change is not None
    decide(store, done.change)
    (held,) = _freeze(store, until="60d").holds
    assert (held.change, held.state) == (done.change, "approved")
    assert change(store, done.change).expires_at > _until(store)
    _due(store, done.change)

    assert keep_time_of_changes(store) == 0
    assert change(store, done.change).state == "approved"

    thaw_changes(store, "acme", why="the sale is over", actor=logged_in(store, ADMIN))
    assert keep_time_of_changes(store) == 1
    assert change(store, done.change).state == "live"


def test_an_approval_given_in_a_long_freeze_lasts_until_its_end(store: Store) -> None:
    govern(store)
    token = proposed(store)
    _freeze(store, until="60d")

    decide(store, token)

    assert change(store, token).expires_at > _until(store)


def test_a_freeze_that_is_to_come_holds_what_would_go_live_in_it_and_nothing_before(
    store: Store,
) -> None:
    govern(store)
    token = proposed(store)
    later = publish_workflow(store, lead_workflow(version(30)), actor=author(store), at="3d")
    _freeze(store, since="2d", until="5d")
    assert later.change is not None

    assert decide(store, token).state == "live"
    with store.read() as tx:
        assert explain_change(tx, token, None).freeze is None


def test_without_an_approver_nothing_is_published_or_retired_in_a_freeze(store: Store) -> None:
    publish_leads(store)
    nobody = login("cli:root")
    freeze_changes(store, "acme", until="1d", why="the summer sale", actor=nobody)

    with pytest.raises(Refused, match=r"acme' are frozen until .*, by cli:root: the summer sale"):
        publish(store, by=nobody)
    with pytest.raises(Refused, match="frozen"):
        retire_workflow(store, "acme", "leads", why="over", actor=nobody)
    assert live_version(store) == 1

    thaw_changes(store, "acme", why="over", actor=nobody)
    publish(store, by=nobody)
    assert live_version(store) == 2


def test_a_preview_holds_nothing(store: Store) -> None:
    govern(store)
    token = proposed(store)

    assert [one.change for one in _freeze(store, dry_run=True).holds] == [token]

    assert decide(store, token).state == "live"
    with store.read() as tx:
        assert list_freezes(tx) == ()


def test_a_freeze_is_a_stewards_and_is_in_the_audit(store: Store) -> None:
    govern(store)
    with pytest.raises(Forbidden):
        freeze_changes(store, "acme", until="1d", why="mine", actor=author(store))
    add(store, "steward@acme.example", Role.STEWARD, "acme")
    steward = logged_in(store, "steward@acme.example")
    freeze_changes(store, "acme", until="1d", why="the summer sale", actor=steward)
    thaw_changes(store, "acme", why="rain", actor=steward)

    with store.read() as tx:
        (frozen,) = list_audit(tx, action="freeze_changes")
        (thawed,) = list_audit(tx, action="thaw_changes")
    assert frozen.actor == thawed.actor == "person:steward@acme.example/page"
    assert frozen.detail and frozen.detail["why"] == "the summer sale"
    assert thaw_changes(store, "acme", why="again", actor=steward).ended == ()


@pytest.mark.parametrize(
    ("since", "until", "field"),
    [(None, "0s", "until"), ("2d", "1d", "until"), ("soon", "1d", "since"), (None, "91d", "until")],
)
def test_wrong_times_are_refused(store: Store, since: str | None, until: str, field: str) -> None:
    govern(store)
    with pytest.raises(Refused) as caught:
        _freeze(store, since=since, until=until)
    assert caught.value.field == field


def test_a_client_without_workflows_is_not_frozen(store: Store) -> None:
    govern(store)
    add(store, "everywhere@agency.example", Role.STEWARD, EVERY_CLIENT)
    with pytest.raises(NotFound, match="no client 'acne'"):
        freeze_changes(
            store, "acne", until="1d", why="a", actor=logged_in(store, "everywhere@agency.example")
        )


def _freeze(
    store: Store, *, since: str | None = None, until: str = "1d", dry_run: bool = False
) -> Frozen:
    return freeze_changes(
        store,
        "acme",
        since=since,
        until=until,
        why="the summer sale",
        actor=logged_in(store, ADMIN),
        dry_run=dry_run,
    )


def _until(store: Store) -> str:
    with store.read() as tx:
        (one,) = list_freezes(tx)
    return one.until


def _is_over(store: Store) -> None:
    with store.write() as tx:
        tx.execute(update(change_freezes).values(until=after(-1)))


def _due(store: Store, token: str) -> None:
    with store.write() as tx:
        tx.execute(update(changes).where(changes.c.token == token).values(go_live_at=after(-1)))
        found = lock_change(tx, token)
        assert found is not None
        same = subject_of(found).digest()  # as if it had been proposed for this time
        tx.execute(update(change_decisions).values(subject=same))
