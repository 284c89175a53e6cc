"""The backtest of an amendment covers the events that wait in quarantine for it."""

from __future__ import annotations

import pytest

from orchestrator.domain.errors import ChangedSinceSeen
from orchestrator.domain.recipes.amendment import parse_amendments
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.changes.backtest import backtest_change
from orchestrator.operations.changes.show import explain_change
from orchestrator.operations.repair.amend import fix_events
from orchestrator.operations.repair.publish_amendment import publish_amendment
from orchestrator.presenting.backtests import sentences
from orchestrator.store.database.engine import Store
from orchestrator.store.views.quarantine.selection import Selection
from tests.cli.desk import validate_leads
from tests.leads import lead
from tests.plans import RECIPE
from tests.store.changes.governed import author, decide, govern
from tests.store.changes.healing import planned, stalled


def test_it_says_what_the_plan_would_do_with_each_event_that_waits(store: Store) -> None:
    govern(store)
    stalled(store, 5)
    gold = accept_batch(store, [lead(n, tier="gold") for n in (7, 8)], actor="key:form")
    validate_leads(store)
    by_hand = parse_amendments([], ["tier=pro"], [])
    fix_events(store, Selection(ids=(gold[0].id,)), by_hand, actor=author(store))
    amendment = publish_amendment(store, "acme", "leads", RECIPE, actor=author(store))
    token = amendment.change or ""

    done = backtest_change(store, token, actor=author(store))

    group = done.result.group
    assert group is not None
    assert (group.events, group.looked_at) == (7, 7)
    assert group.passing == planned(store, token).events == 6
    stays = next(one for one in group.outcomes if one.after == "contract_violation")
    assert (stays.before, stays.events, stays.examples) == ("contract_violation", 1, (gold[1].id,))
    told = list(sentences(done.result))
    assert told[0] == "of 7 events in quarantine, 6 would go on"
    with store.read() as tx:
        assert explain_change(tx, token, None).digest == done.subject


def test_an_approval_is_of_the_backtest_that_was_seen(store: Store) -> None:
    govern(store)
    stalled(store, 2)
    amendment = publish_amendment(store, "acme", "leads", RECIPE, actor=author(store))
    token = amendment.change or ""
    with store.read() as tx:
        seen = explain_change(tx, token, None).digest

    done = backtest_change(store, token, actor=author(store))

    assert done.subject not in (None, seen)
    with pytest.raises(ChangedSinceSeen):
        decide(store, token, seen=[seen])
    decide(store, token, seen=[done.subject or ""])
