"""A new contract tried on real events: how many it newly refuses, and how many it newly passes."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from orchestrator.domain.changes.gates.evidence import ContractTrial
from orchestrator.operations.changes.gates import gather
from orchestrator.operations.changes.show import ExplainedChange, explain_change
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import events
from tests.leads import TEXT, accept_leads
from tests.store.changes.governed import author, decide, govern, proposed, publish

NEEDS_PLAN = TEXT.replace("[email, tier]\n  prop", "[email, tier, plan]\n  prop").replace(
    "    tier: {enum", "    plan: {type: string}\n    tier: {enum"
)


def explained(store: Store, token: str) -> ExplainedChange:
    with store.read() as tx:
        return explain_change(tx, token, None)


def trial(store: Store, text: str) -> ContractTrial:
    found = explained(store, proposed(store, text)).contract
    assert found is not None
    return found


def test_events_that_pass_today_and_would_be_refused_are_counted(store: Store) -> None:
    govern(store)
    ids = accept_leads(store, 7)

    found = trial(store, NEEDS_PLAN)

    assert (found.events, found.whole, found.newly_refused, found.newly_passing) == (7, True, 7, 0)
    assert found.covers == "no"
    assert set(found.examples) < set(ids)
    assert found.told == (
        "of all 7 events of the last 28 days it newly refuses 7, and newly passes 0"
    )


def test_events_that_the_form_broke_pass_by_the_amendment_that_is_proposed(store: Store) -> None:
    govern(store)
    accept_leads(store, 3, tier="gold")
    accept_leads(store, 2)

    found = trial(store, TEXT + "amend:\n  - {map: tier, values: {gold: pro}}\n")

    assert (found.events, found.newly_refused, found.newly_passing) == (5, 0, 3)
    assert found.covers == "yes"


def test_a_change_of_no_contract_tries_nothing_and_counts_what_passes_as_before(
    store: Store,
) -> None:
    govern(store)
    accept_leads(store, 4)

    found = trial(store, TEXT.replace("15m", "20m"))

    assert (found.events, found.newly_refused, found.newly_passing) == (4, 0, 0)
    assert found.covers == "yes"


def test_of_many_events_the_newest_are_tried_and_it_says_so(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    govern(store)
    accept_leads(store, 6)
    newest = accept_leads(store, 3)
    monkeypatch.setattr(gather, "MOST_EVENTS", 3)

    found = trial(store, NEEDS_PLAN)

    assert (found.events, found.whole) == (3, False)
    assert set(found.examples) == set(newest)
    assert "of the newest 3 events" in found.told


def test_other_workflows_erased_events_and_old_ones_are_left_out(store: Store) -> None:
    govern(store)
    erased, *_ = accept_leads(store, 3)
    old = accept_leads(store, 1)[0]
    with store.write() as tx:
        tx.execute(
            update(events).where(events.c.id == erased).values(erased_at=1, erased_by="test")
        )
        tx.execute(update(events).where(events.c.id == old).values(workflow="other"))

    assert trial(store, NEEDS_PLAN).events == 2


def test_without_an_event_it_says_that_none_was_tried(store: Store) -> None:
    govern(store)

    found = trial(store, NEEDS_PLAN)

    assert (found.events, found.whole) == (0, True)
    assert "none was tried" in found.told


def test_a_change_that_is_over_keeps_its_words_and_what_was_tried(store: Store) -> None:
    govern(store)
    token = proposed(store, NEEDS_PLAN)
    accept_leads(store, 2)  # they came later: what was approved does not change with them
    decide(store, token)

    found = explained(store, token)

    assert [one.says for one in found.words] == ["`plan` is new, and required"]
    assert found.contract is not None
    assert found.contract.events == 0


def test_a_first_version_changes_nothing_that_could_be_tried(store: Store) -> None:
    govern(store)
    text = TEXT.replace("workflow: leads", "workflow: others").replace("lead.created", "x.made")
    done = publish(store, text, by=author(store))
    assert done.change is not None

    found = explained(store, done.change)

    assert found.contract is None
    assert [one.direction for one in found.words] == ["added"]
