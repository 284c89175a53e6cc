"""A producer's spool that grows old is one incident of the steward's, until it is young again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select, update

from orchestrator.domain.access.actor import login
from orchestrator.domain.incidents.incident import MOST_NEW_INCIDENTS
from orchestrator.operations.incidents.handle import resolve_incidents
from orchestrator.operations.incidents.keep_clocks import keep_clocks
from orchestrator.operations.note_old_spools import HeardSpool, note_old_spools
from orchestrator.store.clocks.deadline_views import list_breached
from orchestrator.store.clocks.old_spools import list_old_spools
from orchestrator.store.database.clock import after
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import alerts, incidents
from orchestrator.store.quarantine.workflow_terms import TermsShelf
from orchestrator.store.views.audit import list_audit
from orchestrator.store.views.incidents.list import IncidentRow, Sought, list_incidents

STEWARD = "steward@agency.example"
KEY = "0123456789ab"


def heard(
    spool: str = "aa", *, is_old: bool = True, waiting: int = 3, key: str = KEY
) -> HeardSpool:
    return HeardSpool(key=key, spool=spool, waiting=waiting, is_old=is_old)


def note(store: Store, *spools: HeardSpool, steward: str | None = STEWARD) -> int:
    return note_old_spools(store, spools, steward)


def unresolved(store: Store) -> list[IncidentRow]:
    with store.read() as tx:
        return list_incidents(tx, Sought())


def actions(store: Store) -> list[tuple[str, str]]:
    with store.read() as tx:
        return [(one.action, one.actor) for one in reversed(list_audit(tx))]


def keep(store: Store, *, steward: str | None = STEWARD) -> None:
    keep_clocks(store, TermsShelf(), steward=steward)


def test_an_old_spool_is_one_incident_however_often_and_wherever_it_is_heard_of(
    store: Store,
) -> None:
    assert note(store, heard()) == 1
    assert note(store, heard(waiting=9)) == 0
    keep(store)
    keep(store)

    (incident,) = unresolved(store)
    assert (incident.reason, incident.kind, incident.owner) == ("old_spool", "contract", STEWARD)
    assert (incident.client, incident.workflow) == ("(platform)", "(spools)")
    assert incident.title == f"events wait over 15 minutes in the spool aa of the key {KEY}"
    assert actions(store)[0] == ("open_incident", f"key:{KEY}")
    with store.read() as tx:
        told = tx.execute(select(alerts.c.kind, alerts.c.recipient)).all()
    assert [tuple(one) for one in told] == [("opened", STEWARD)]


def test_the_incident_of_an_outbox_says_so(store: Store) -> None:
    assert note(store, replace(heard("ab"), kind="outbox")) == 1

    (incident,) = unresolved(store)
    assert incident.title == f"events wait over 15 minutes in the outbox ab of the key {KEY}"


def test_each_spool_of_a_key_has_its_own(store: Store) -> None:
    assert note(store, heard("aa"), heard("bb"), heard("")) == 3
    assert note(store, heard("bb", is_old=False)) == 1

    with store.read() as tx:
        titles = list_old_spools(tx)
    assert sorted(one.split(" in ")[1] for one in titles) == [
        f"a spool of the key {KEY}",
        f"the spool aa of the key {KEY}",
    ]


def test_what_the_producer_emptied_is_resolved_by_itself_and_opens_again_when_it_grows_old(
    store: Store,
) -> None:
    note(store, heard())
    assert note(store, heard(is_old=False, waiting=0)) == 1
    assert unresolved(store) == []
    assert note(store, heard(is_old=False, waiting=0)) == 0

    assert note(store, heard()) == 1

    assert actions(store) == [
        ("open_incident", f"key:{KEY}"),
        ("resolve_incident", f"key:{KEY}"),
        ("reopen_incident", f"key:{KEY}"),
    ]


def test_a_spool_that_was_never_old_writes_nothing(store: Store) -> None:
    assert note(store, heard(is_old=False), heard("bb", is_old=False, waiting=0)) == 0

    assert actions(store) == []


def test_a_person_resolves_what_no_producer_speaks_of_any_more(store: Store) -> None:
    note(store, heard())
    (incident,) = unresolved(store)

    resolve_incidents(store, [incident.id], actor=login("cli:ada"), why="the machine is gone")
    keep(store)

    assert unresolved(store) == []


def test_made_up_names_open_no_more_incidents_than_an_hour_may_have(store: Store) -> None:
    names = [f"{number:x}" for number in range(MOST_NEW_INCIDENTS + 5)]

    assert note(store, *(heard(one) for one in names)) == MOST_NEW_INCIDENTS
    assert note(store, *(heard(one) for one in names)) == 0

    assert len(unresolved(store)) == MOST_NEW_INCIDENTS
    one = unresolved(store)[0].title.partition("the spool ")[2].partition(" ")[0]
    assert note(store, heard(one, is_old=False)) == 1
    assert note(store, heard(one)) == 1  # opened again, which counts as none


def test_the_made_up_names_of_one_key_hide_no_spool_of_another(store: Store) -> None:
    note(store, *(heard(f"{number:x}") for number in range(MOST_NEW_INCIDENTS + 5)))

    assert note(store, heard("ff", key="ba9876543210")) == 1

    assert len(unresolved(store)) == MOST_NEW_INCIDENTS + 1


def test_its_clock_climbs_to_the_steward(store: Store) -> None:
    note(store, heard())
    with store.write() as tx:
        tx.execute(update(incidents).values(recover_by=after(-86_400 * 7)))
    keep(store)
    keep(store)

    with store.read() as tx:
        (late,) = list_breached(tx)
        told = tx.execute(select(alerts.c.recipient).where(alerts.c.kind == "escalated")).all()
    assert (late.workflow, late.owner) == ("(spools)", STEWARD)
    assert {one.recipient for one in told} == {STEWARD}


@pytest.mark.parametrize("set_later", [True, False])
def test_without_a_steward_nobody_owns_it_until_there_is_one(
    store: Store, *, set_later: bool
) -> None:
    note(store, heard(), steward=None)
    assert [one.owner for one in unresolved(store)] == ["-"]

    keep(store, steward=STEWARD if set_later else None)

    assert [one.owner for one in unresolved(store)] == [STEWARD if set_later else "-"]
