"""A discard is taken back: the event is in quarantine as it was, until retention empties it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import select, update

from orchestrator.domain.access.actor import login
from orchestrator.domain.errors import NotFound, Refused
from orchestrator.domain.incidents.incident import IncidentMove
from orchestrator.domain.text.words import sought_words
from orchestrator.operations import apply_retention as retention
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.erase_events import Wanted, erase_events
from orchestrator.operations.incidents.keep_clocks import keep_clocks
from orchestrator.operations.quarantine.discard import discard_events
from orchestrator.operations.quarantine.restore import Restored, restore_events
from orchestrator.operations.replay.without_plan import replay_events
from orchestrator.store.database.clock import after
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.database.schema import events, payloads, quarantine
from orchestrator.store.desk.retention import finished_before
from orchestrator.store.quarantine.incident_moves import move_incident
from orchestrator.store.quarantine.restoring import restore
from orchestrator.store.quarantine.stays import Sweep
from orchestrator.store.quarantine.workflow_terms import TermsShelf
from orchestrator.store.views.events.show import EventView, show_event
from orchestrator.store.views.incidents.page import show_incident
from orchestrator.store.views.quarantine.list import QuarantinedEvent, list_quarantine
from orchestrator.store.views.quarantine.selection import Selection
from tests.cli.desk import validate_leads
from tests.leads import accept_leads, lead, publish_leads

EVERYTHING = Selection(client="acme")


def quarantined(store: Store, count: int, **fields: str) -> list[str]:
    """Leads that break the contract."""
    publish_leads(store)
    ids = accept_leads(store, count, **(fields or {"tier": "gold"}))
    validate_leads(store)
    return ids


def given_up(store: Store, ids: Sequence[str]) -> None:
    discard_events(store, Selection(ids=tuple(ids)), why="a test lead", actor=login("cli:dana"))


def back(store: Store, selection: Selection = EVERYTHING, **options: Any) -> Restored:
    return restore_events(
        store, selection, why="the wrong filter", actor=login("cli:eve"), **options
    )


def listed(store: Store, selection: Selection = EVERYTHING) -> list[QuarantinedEvent]:
    with store.read() as tx:
        return list_quarantine(tx, selection)


def shown(store: Store, event_id: str) -> EventView:
    with store.read() as tx:
        event = show_event(tx, event_id)
    assert event
    return event


def test_what_is_restored_is_in_quarantine_as_it_was(store: Store) -> None:
    ids = quarantined(store, 2)
    with store.write() as tx:
        tx.execute(update(quarantine).values(since=after(-7_200), recover_by=after(60)))
    before = listed(store)
    given_up(store, ids)

    done = back(store)

    assert (done.ids, done.refused, done.skipped) == (ids, [], [])
    (cause,) = done.causes
    assert (cause.workflow, cause.reason, cause.events) == ("leads", "contract_violation", 2)
    assert listed(store) == before
    last = shown(store, ids[0]).history[-1]
    assert (last.action, last.actor, last.source, last.target, last.detail) == (
        *("restore", "cli:eve", "discarded", "quarantined"),
        {"why": "the wrong filter"},
    )


def test_its_incident_is_open_again_with_its_owner_and_first_deadline(store: Store) -> None:
    ids = quarantined(store, 1)
    with store.write() as tx:
        move_incident(tx, 1, IncidentMove.ASSIGN, owner="d@acme.example", actor="cli:dana")
        before = show_incident(tx, 1)
    given_up(store, ids)
    keep_clocks(store, TermsShelf(), Sweep())

    assert back(store).incidents == [1]

    with store.read() as tx:
        incident = show_incident(tx, 1)
    assert before
    assert incident
    same = ("owner", "recover_by", "opened_at", "events", "standing")
    assert [getattr(incident, name) for name in same] == [getattr(before, name) for name in same]
    assert incident.state == "open"


def test_it_can_be_found_by_its_words_again_and_replayed(store: Store) -> None:
    ids = quarantined(store, 1, tier="golden hour")
    given_up(store, ids)
    words = Selection(words=sought_words("golden"))
    assert listed(store, words) == []

    back(store)

    assert [row.id for row in listed(store, words)] == ids
    assert replay_events(store, words, actor=login("cli:eve"), anyway=True).events[0].id == ids[0]
    assert shown(store, ids[0]).state == "accepted"


def test_done_again_it_changes_nothing_and_says_where_the_event_is(store: Store) -> None:
    ids = quarantined(store, 1)
    named = Selection(ids=tuple(ids))
    given_up(store, ids)
    back(store, named)

    again = back(store, named)

    (skipped,) = again.skipped
    assert (again.ids, skipped.id, skipped.state) == ([], ids[0], "quarantined")
    assert skipped.act and (skipped.act.done, skipped.act.by) == ("restored", "cli:eve")
    assert [one.action for one in shown(store, ids[0]).history].count("restore") == 1


def test_it_may_be_discarded_and_restored_again(store: Store) -> None:
    ids = quarantined(store, 1)
    for _ in range(3):
        given_up(store, ids)
        assert back(store).ids == ids

    with store.read() as tx:
        assert len(tx.execute(select(quarantine.c.id)).all()) == 1


def test_the_filters_choose_among_discarded_events_by_when_they_were_discarded(
    store: Store,
) -> None:
    old, new, left = quarantined(store, 3)
    given_up(store, [old, new])
    with store.write() as tx:
        long_ago = update(quarantine).where(quarantine.c.event_id == old)
        tx.execute(long_ago.values(ended_at=after(-7_200)))
        hour_ago = tx.execute(select(after(-3_600))).scalar_one()

    assert back(store, Selection(since=hour_ago), dry_run=True).ids == [new]
    assert back(store, Selection(until=hour_ago), dry_run=True).ids == [old]
    assert back(store, Selection(reason="no_route")).ids == []
    assert back(store, Selection(since=hour_ago, reason="contract_violation")).ids == [new]
    assert {row.id for row in listed(store)} == {new, left}


def test_the_words_of_discarded_payloads_are_looked_for_too(store: Store) -> None:
    gold = quarantined(store, 1, tier="gold")
    silver = quarantined(store, 1, tier="silver")
    given_up(store, [*gold, *silver])

    assert back(store, Selection(words=sought_words("SILV example"))).ids == silver


def test_a_trial_run_restores_nothing(store: Store) -> None:
    ids = quarantined(store, 2)
    given_up(store, ids)

    done = back(store, dry_run=True)

    assert (done.ids, done.causes[0].events) == (ids, 2)
    assert listed(store) == []


def test_what_retention_or_an_erasure_emptied_is_refused_event_by_event(store: Store) -> None:
    kept, old, erased = quarantined(store, 3)
    given_up(store, [kept, old, erased])
    erase_events(store, Wanted(ids=(erased,)), why="asked for", actor=login("cli:dana"))
    with store.write() as tx:
        tx.execute(payloads.delete().where(payloads.c.event_id == old))

    done = back(store)

    assert done.ids == [kept]
    said = {str(one.id): str(one.detail) for one in done.refused}
    assert said[erased].startswith("it was erased")
    assert said[old].startswith("retention emptied it")
    with store.write() as tx:  # and where one was emptied since it was looked at
        assert restore(tx, [old, erased], why="no", actor="cli:eve").ids == []
    assert shown(store, erased).state == shown(store, old).state == "discarded"


def test_a_retention_that_chose_an_event_before_its_restore_leaves_it_whole(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    restored, forgotten = quarantined(store, 2)
    given_up(store, [restored, forgotten])
    with store.write() as tx:
        tx.execute(update(events).values(updated_at=after(-3 * 86_400)))
    monkeypatch.setattr(retention, "_DAY_MS", 0)  # what is finished now is old enough

    def chosen(tx: Tx, *given: Any, **more: Any) -> list[str]:
        found = finished_before(tx, *given, **more)
        if restored in found:
            back(store, Selection(ids=(restored,)))
        return found

    monkeypatch.setattr(retention, "finished_before", chosen)

    assert retention.apply_retention(store, days=1, actor=login("cli:dana")).events == 1

    with store.read() as tx:
        assert list(tx.execute(select(payloads.c.event_id)).scalars()) == [restored]
    assert listed(store)[0].violations


def test_a_repeat_at_the_door_is_a_duplicate_before_and_after(store: Store) -> None:
    publish_leads(store)
    (first,) = accept_batch(store, [lead(1, key="form-1", tier="gold")], actor="key:test")
    validate_leads(store)
    for change in (lambda: given_up(store, [first.id]), lambda: back(store)):
        change()
        (again,) = accept_batch(store, [lead(1, key="form-1", tier="gold")], actor="key:test")
        assert (again.id, again.duplicate) == (first.id, True)


def test_a_reason_a_condition_and_known_ids_are_needed(store: Store) -> None:
    quarantined(store, 1)

    with pytest.raises(Refused, match="a restore needs a reason"):
        restore_events(store, EVERYTHING, why=" ", actor=login("cli:eve"))
    with pytest.raises(Refused, match="nothing was selected"):
        back(store, Selection())
    with pytest.raises(NotFound, match="there is no event 'ghost'"):
        back(store, Selection(ids=("ghost",)))
