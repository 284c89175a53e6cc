"""An incident says by which recipes and plans its events went on."""

from __future__ import annotations

from orchestrator.domain.access.actor import login
from orchestrator.operations.replay.run_plan import run_plan
from orchestrator.store.database.engine import Store
from orchestrator.store.views.incidents.healed_by import HealedBy, healed_by
from tests.plans import frozen


def test_recipe_and_plan_are_named_once_events_went_on_by_them(store: Store) -> None:
    token = frozen(store, 25)
    with store.read() as tx:
        before = healed_by(tx, 1)
    run_plan(store, token, actor=login("cli:ada"))
    with store.read() as tx:
        found, other = healed_by(tx, 1), healed_by(tx, 2)

    assert before == other == HealedBy(recipes=(), plans=(), versions=())
    assert found == HealedBy(recipes=(1,), plans=(token,), versions=())
