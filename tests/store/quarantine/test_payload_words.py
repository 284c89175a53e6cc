"""A quarantined event is found by the words of its payload, as long as it is there."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, func, select

from orchestrator.domain.text.words import sought_words
from orchestrator.operations.incidents.keep_clocks import complete_words
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import quarantine_words
from orchestrator.store.quarantine import payload_index
from orchestrator.store.quarantine.actions import discard
from orchestrator.store.views.events import search
from orchestrator.store.views.events.search import Wanted
from orchestrator.store.views.events.show import list_events
from orchestrator.store.views.incidents.list import Sought, list_incidents
from orchestrator.store.views.quarantine.list import count_quarantine, list_quarantine
from orchestrator.store.views.quarantine.selection import Selection
from tests.cli.desk import validate_leads
from tests.leads import accept_leads, publish_leads


def quarantined(store: Store, **fields: str) -> str:
    """A lead that breaks the contract by these fields; its id."""
    (event_id,) = accept_leads(store, 1, **fields)
    validate_leads(store)
    return event_id


def found(store: Store, text: str, **others: str) -> list[str]:
    with store.read() as tx:
        selection = Selection(words=sought_words(text), **others)  # type: ignore[arg-type]
        rows = list_quarantine(tx, selection)
        assert count_quarantine(tx, selection) == len(rows)
        return [row.id for row in rows]


def test_all_words_have_to_be_there_or_to_begin_so(store: Store) -> None:
    publish_leads(store)
    ada = quarantined(store, email="ada@example.com", tier="gold")
    eve = quarantined(store, email="eve@example.com", tier="golden hour")

    assert found(store, "gold") == [ada, eve]
    assert found(store, "Ada GOLD") == [ada]
    assert found(store, "hou eve") == [eve]
    assert found(store, "old") == []
    assert found(store, "gold example", client="acme", workflow="leads") == [ada, eve]
    assert found(store, "gold", client="other") == []


def test_words_that_very_many_have_are_found_all_the_same(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_leads(store)
    ids = [quarantined(store, tier=f"gold {number}") for number in range(4)]

    def newest(text: str, limit: int) -> list[str]:
        with store.read() as tx:
            wanted = Wanted(words=sought_words(text), limit=limit)
            return [one.id for one in list_events(tx, wanted)]

    before = [newest("gold", 3), newest("gold 1", 3), newest("silver", 3)]
    monkeypatch.setattr(payload_index, "VERY_MANY", 2)

    assert before == [ids[:0:-1], [ids[1]], []]
    assert [newest("gold", 3), newest("gold 1", 3), newest("silver", 3)] == before


def test_the_events_of_a_very_large_incident_are_the_newest_of_it_all_the_same(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_leads(store)
    ids = [quarantined(store, tier=f"gold {number}") for number in range(4)]
    quarantined(store, colour="red")

    def newest(limit: int) -> list[str]:
        with store.read() as tx:
            return [one.id for one in list_events(tx, Wanted(incident=1, limit=limit))]

    before = [newest(3), newest(9)]
    monkeypatch.setattr(search, "VERY_MANY", 2)

    assert before == [ids[:0:-1], ids[::-1]]
    assert [newest(3), newest(9)] == before


def test_signs_of_a_query_language_are_no_query(store: Store) -> None:
    publish_leads(store)
    one = quarantined(store, tier="""a" OR 'b':* & !c NEAR(d) words:e""")

    assert found(store, """a" OR 'b':* & !c NEAR(d) words:e""") == [one]
    assert found(store, "a OR zebra") == []


def test_accents_and_scripts_count_the_same_on_both_databases(store: Store) -> None:
    publish_leads(store)
    one = quarantined(store, tier="Müller Ωmega 東京")

    assert found(store, "müll") == found(store, "ωMEGA") == found(store, "東") == [one]
    assert found(store, "muller") == []


def test_incidents_and_the_list_of_events_are_found_by_what_stands(store: Store) -> None:
    publish_leads(store)
    one = quarantined(store, tier="gold")
    quarantined(store, colour="red")

    with store.read() as tx:
        (incident,) = list_incidents(tx, Sought(words=("gold",)))
        assert list_incidents(tx, Sought(words=("green",))) == []
        events = list_events(tx, Wanted(words=("gold",)))
    assert incident.title == "`tier` breaks enum"
    assert [event.id for event in events] == [one]


def test_what_left_the_quarantine_leaves_no_word_behind(store: Store) -> None:
    publish_leads(store)
    one = quarantined(store, tier="gold")
    other = quarantined(store, tier="golden")

    with store.write() as tx:
        discard(tx, [one], why="a test", actor="cli:tester")

    assert found(store, "gold") == [other]
    with store.read() as tx:
        assert tx.execute(select(func.count()).select_from(quarantine_words)).scalar_one() == 1


def test_what_stood_before_there_was_an_index_is_found_once_a_keeper_began(store: Store) -> None:
    publish_leads(store)
    one = quarantined(store, tier="gold")
    with store.write() as tx:
        tx.execute(delete(quarantine_words))
    assert found(store, "gold") == []

    complete_words(store)

    assert found(store, "gold") == [one]
