"""How far an incident is amended is read of a bounded number of its events."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy import select, update

from orchestrator.operations.repair.find import Repair, find_repair
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import payloads, quarantine
from orchestrator.store.views.incidents import standing
from orchestrator.store.views.incidents.page import show_incident
from orchestrator.store.views.incidents.standing import Standing, look_at_standing
from tests.cli.desk import validate_leads
from tests.leads import accept_leads, publish_leads

_EVENTS = 60


@pytest.fixture
def ids(store: Store, monkeypatch: pytest.MonkeyPatch) -> Sequence[str]:
    """An incident with more events than are looked at, or counted; these in order."""
    monkeypatch.setattr(standing, "MOST_COUNTED", 20)
    monkeypatch.setattr(standing, "_MOST_LOOKED_AT", 10)
    publish_leads(store)
    accept_leads(store, _EVENTS, tier="gold")
    validate_leads(store)
    with store.read() as tx:
        order = select(quarantine.c.event_id).order_by(quarantine.c.id)
        return list(tx.execute(order).scalars())


def amend(store: Store, ids: Sequence[str]) -> None:
    good = '{"email": "a@example.com", "tier": "pro"}'
    with store.write() as tx:
        tx.execute(update(payloads).where(payloads.c.event_id.in_(ids)).values(amended=good))


def look(store: Store) -> Standing:
    with store.read() as tx:
        return look_at_standing(tx, 1, _EVENTS)


def repair(store: Store) -> Repair:
    with store.read() as tx:
        incident = show_incident(tx, 1)
    assert incident is not None
    return find_repair(store, incident)


def test_some_of_many_events_are_looked_at_from_all_over(store: Store, ids: Sequence[str]) -> None:
    found = look(store)

    assert (found.counted, found.left, found.amended, found.others_left) == (20, 20, 0, False)
    places = [ids.index(one) for one in found.some_left]
    assert places == sorted(places) and 10 <= len(places) <= 20
    assert places[0] == 0 and places[-1] > _EVENTS - 10
    assert repair(store).told() is None


def test_where_the_oldest_are_amended_the_rest_is_left(store: Store, ids: Sequence[str]) -> None:
    amend(store, ids[:40])

    found = look(store)

    assert (found.left, found.amended, found.others_left) == (0, 20, True)
    assert found.some_left and set(found.some_left) <= set(ids[40:])
    assert not repair(store).is_mended


def test_one_that_is_left_is_found_wherever_it_is(store: Store, ids: Sequence[str]) -> None:
    seen = set(look(store).some_left)
    among, behind = (next(one for one in some if one not in seen) for some in (ids[:20], ids[20:]))
    for left, others in ((among, False), (behind, True)):
        amend(store, ids)
        with store.write() as tx:
            tx.execute(update(payloads).where(payloads.c.event_id == left).values(amended=None))

        found = look(store)

        assert found.some_left == (left,)
        assert (found.left, found.others_left) == (0 if others else 1, others)
        assert not repair(store).is_mended


def test_where_all_are_amended_only_the_replay_is_left(store: Store, ids: Sequence[str]) -> None:
    amend(store, ids)

    assert not look(store).others_left
    assert repair(store).is_mended


def test_of_few_events_all_are_looked_at(store: Store, ids: Sequence[str]) -> None:
    with store.write() as tx:
        gone = update(quarantine).where(quarantine.c.event_id.in_(ids[3:]))
        tx.execute(gone.values(released_at=1))
    amend(store, ids[:1])
    with store.read() as tx:
        found = look_at_standing(tx, 1, 3)

    assert (found.counted, found.left, found.amended) == (3, 2, 1)
    assert (found.some_amended, found.some_left) == ((ids[0],), (ids[1], ids[2]))
