"""Questions that would tell personal values are refused where they are asked, and nowhere else."""

from __future__ import annotations

import pytest

from orchestrator.domain.errors import Refused
from orchestrator.domain.recipes.file import recipe_of
from orchestrator.operations.check_personal import check_recipe, check_words
from orchestrator.presenting.personal.gate import NO_CLIENT
from orchestrator.store.database.engine import Store
from orchestrator.store.views.incidents.list import Sought, list_incidents
from orchestrator.store.views.quarantine.selection import Selection
from tests.dashboard.filled import reject_what_is_due
from tests.leads import TEXT, accept_leads, publish_leads
from tests.marked import Marked, fill_marked

OTHERS = TEXT.replace("client: acme", "client: globex").replace("leads\n", "calls\n", 1)
TRIMS = recipe_of([{"trim": "tier"}])
COMPARES = recipe_of([{"map": "tier", "values": {"gold": "pro"}}])


@pytest.fixture
def other(store: Store) -> str:
    """An event of globex's in quarantine, with nothing personal in it."""
    publish_leads(store, OTHERS)
    (found,) = accept_leads(store, 1, tier="gold", client="globex")
    reject_what_is_due(store)
    return found


@pytest.fixture
def marked(store: Store, other: str) -> Marked:
    """Marked leads of acme's beside it."""
    assert other
    return fill_marked(store)


def is_refused(store: Store, about: Selection) -> bool:
    """Whether words and a recipe that compares are refused to who sees no personal value."""
    answers = []
    with store.read() as tx:
        for words, recipe in ((["gold"], TRIMS), ([], COMPARES)):
            try:
                check_words(tx, words, sees=NO_CLIENT, about=about)
                check_recipe(tx, recipe, sees=NO_CLIENT, about=about)
            except Refused as refused:
                answers.append("acme/leads" in refused.detail)
            else:
                answers.append(False)
    assert len(set(answers)) == 1
    return answers[0]


@pytest.mark.usefixtures("marked")
def test_workflows_of_clients_that_one_may_not_view_are_not_in_the_way(store: Store) -> None:
    assert is_refused(store, Selection())
    assert is_refused(store, Selection(clients=frozenset({"acme", "globex"})))

    assert not is_refused(store, Selection(clients=frozenset({"globex"})))
    assert not is_refused(store, Selection(clients=frozenset({"globex"}), client="acme"))
    assert not is_refused(store, Selection(client="globex"))


def test_only_what_is_chosen_counts(store: Store, other: str, marked: Marked) -> None:
    with store.read() as tx:
        incidents = {one.client: one.id for one in list_incidents(tx, Sought())}

    assert not is_refused(store, Selection(ids=(other,)))
    assert is_refused(store, Selection(ids=(other, marked.broken)))
    assert not is_refused(store, Selection(incident=incidents["globex"]))
    assert is_refused(store, Selection(incident=incidents["acme"]))
    assert not is_refused(store, Selection(ids=(other,), incident=incidents["acme"]))
