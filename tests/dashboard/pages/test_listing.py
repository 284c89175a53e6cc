"""What the list of events asks the store, on every kind of store."""

from __future__ import annotations

import pytest

from orchestrator.store.database.engine import Store
from orchestrator.store.views.events.search import Wanted
from orchestrator.store.views.events.show import list_events, name_workflows
from tests.dashboard.filled import HOSTILE, Filled, fill


@pytest.fixture
def filled(store: Store) -> Filled:
    return fill(store)


def ids(store: Store, **conditions: str | int) -> list[str]:
    with store.read() as tx:
        return [one.id for one in list_events(tx, Wanted(**conditions))]  # type: ignore[arg-type]


def test_events_are_found_by_why_they_stand_still(store: Store, filled: Filled) -> None:
    assert ids(store, reason="destination_refused") == [filled.refused]
    assert ids(store, reason="contract_violation") == [filled.hostile, filled.renamed]
    assert ids(store, reason="contract_violation", workflow="other") == []


def test_a_reason_that_was_mended_finds_nothing(store: Store, filled: Filled) -> None:
    assert filled.replayed not in ids(store, reason="contract_violation")


def test_events_are_found_by_their_key_or_the_beginning_of_their_id(
    store: Store, filled: Filled
) -> None:
    assert ids(store, text="form-0") == [filled.renamed]
    assert ids(store, text=HOSTILE) == [filled.hostile]
    assert ids(store, text=filled.refused) == [filled.refused]
    assert filled.refused in ids(store, text=filled.refused[:9].upper())
    assert ids(store, text="form") == []
    assert ids(store, text="%") == ids(store, text="_") == []


def test_pages_follow_one_another_without_gap_or_double(store: Store, filled: Filled) -> None:
    pages: list[list[str]] = [ids(store, limit=3)]
    while page := ids(store, limit=3, before=pages[-1][-1]):
        pages.append(page)

    assert [len(page) for page in pages] == [3, 3, 1]
    assert [one for page in pages for one in page] == ids(store)


def test_every_workflow_that_was_published_has_a_name_to_choose(
    store: Store, filled: Filled
) -> None:
    with store.read() as tx:
        assert name_workflows(tx) == [("acme", "leads")]
