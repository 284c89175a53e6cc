"""The story of a change: one line of time, each moment with figures and who."""

from __future__ import annotations

from orchestrator.operations.changes.backtest import backtest_change
from orchestrator.operations.changes.rehearsing.keep import keep_rehearsal
from orchestrator.operations.changes.rehearsing.material import gather_material
from orchestrator.operations.changes.show import explain_change
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.operations.rollback_workflow import rollback_workflow
from orchestrator.presenting.change_stories import Happened, told_story
from orchestrator.store.database.engine import Store
from tests.leads import accept_leads, lead_workflow
from tests.store.changes.governed import APPROVER, AUTHOR, author, decide, govern, proposed, version
from tests.store.changes.rehearsing.found import FOUND


def story(store: Store, token: str) -> list[Happened]:
    with store.read() as tx:
        return told_story(explain_change(tx, token, None))


def test_each_moment_is_told_once_in_order_with_figures_and_who(store: Store) -> None:
    govern(store)
    accept_leads(store, 3)
    token = proposed(store)
    other = proposed(store, version(40))
    backtest_change(store, token, actor=author(store))
    ran = gather_material(store, token, actor=author(store))
    keep_rehearsal(store, ran, FOUND, actor=author(store))
    decide(store, token)
    rollback_workflow(store, "acme", "leads", why="too slow", actor=author(store))

    told = story(store, token)

    assert [(one.what, one.by) for one in told] == [
        ("proposed", AUTHOR),
        ("checked", AUTHOR),
        ("backtested", AUTHOR),
        ("rehearsed", AUTHOR),
        ("approved", APPROVER),
        ("live as version 2", APPROVER),
        ("taken back: version 1 is live", AUTHOR),
    ]
    by_word = {one.what.split()[0].rstrip(":"): one for one in told}
    assert by_word["backtested"].figures is not None
    assert by_word["backtested"].figures.startswith("3 events, 3 decided as today")
    assert by_word["rehearsed"].figures == FOUND.told
    assert "gates" in (by_word["checked"].figures or "")
    assert by_word["approved"].how == "session"
    assert by_word["taken"].why is not None
    assert sorted(one.at for one in told) == [one.at for one in told]
    assert [one.what for one in story(store, other)][-1] == "overtaken by another version"


def test_a_trial_that_another_took_the_place_of_has_its_count_only(store: Store) -> None:
    govern(store)
    accept_leads(store, 3)
    token = proposed(store)
    ran = gather_material(store, token, actor=author(store))
    keep_rehearsal(store, ran, FOUND, actor=author(store))
    publish_workflow(store, lead_workflow(version(30)), actor=author(store), change=token)

    told = story(store, token)

    assert [one.what for one in told] == ["proposed", "rehearsed", "edited: round 2", "checked"]
    assert told[1].figures == "3 events"
