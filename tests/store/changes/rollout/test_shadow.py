"""A candidate decides beside the live version: nothing is sent by it, and only differences stay."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select, update

from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.changes.rollout import shadow
from orchestrator.operations.changes.rollout.keep import keep_rollouts
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import (
    deliveries,
    events,
    rollout_arms,
    rollout_events,
    shadow_diffs,
)
from tests.leads import TEXT, accept_leads, lead, publish_leads
from tests.store.changes.governed import change, live_version
from tests.store.changes.rollout.rolling import (
    BROKEN,
    HARMLESS,
    figures,
    pass_time,
    roll_out,
    states_by_version,
    work,
)
from tests.waiting import wait_until

OTHER_TITLE = TEXT.replace('"Onboard " + email', '"Welcome " + email')
OTHER_DESK = TEXT.replace("to: [crm]}", "to: [crm, desk]}")


@pytest.fixture(autouse=True)
def _no_latecomers(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was accepted a moment ago is looked at: nobody commits late here."""
    from orchestrator.store.rollout import shadow as rows

    monkeypatch.setattr(rows, "_LATE_MS", -1_000)


def _shadowed(store: Store, text: str, **steps: str | None) -> str:
    publish_leads(store)
    asked = {"shadow": "1h", "canary": None, "each": None} | steps
    return roll_out(store, text, **asked).change or ""


def test_every_event_is_decided_by_the_live_version_and_differences_are_told(store: Store) -> None:
    token = _shadowed(store, OTHER_TITLE)
    accept_leads(store, 3, tier="enterprise")
    accept_leads(store, 4)
    work(store)
    keep_rollouts(store)

    assert states_by_version(store) == {(1, "delivered"): 7}
    shown = figures(store, token)
    assert (shown.state, shown.steps[0].events, shown.steps[0].bad) == ("shadow", 7, 3)
    (difference,) = shown.differences
    assert (difference.kind, difference.after) == ("fields", "desk.title changed")
    assert difference.events == 3
    with store.read() as tx:
        assert tx.execute(select(func.count()).select_from(rollout_events)).scalar_one() == 0
        sent = tx.execute(select(deliveries.c.send)).scalars().all()
        kept = tx.execute(select(shadow_diffs)).all()
    assert not any("Welcome" in one for one in sent)
    assert not any("example.com" in str(one) for one in kept)  # no value of a payload

    keep_rollouts(store)
    assert figures(store, token).steps[0].events == 7  # each is looked at once


def test_other_destinations_are_a_difference(store: Store) -> None:
    token = _shadowed(store, OTHER_DESK)
    accept_leads(store, 2)
    keep_rollouts(store)
    (difference,) = figures(store, token).differences
    assert (difference.kind, difference.before, difference.after) == (
        "otherwise",
        "crm",
        "crm, desk",
    )


def test_what_it_would_newly_refuse_ends_it_with_nothing_harmed(store: Store) -> None:
    token = _shadowed(store, BROKEN, canary="100%", each="5ev")
    accept_leads(store, 5, tier="enterprise")
    accept_leads(store, 1)
    work(store)
    keep_rollouts(store)

    assert (live_version(store), change(store, token).state) == (1, "rolled_back")
    assert "it would refuse event" in (change(store, token).because or "")
    assert states_by_version(store) == {(1, "delivered"): 6}
    assert figures(store, token).differences[0].kind == "newly_refused"


def test_after_its_time_the_canary_begins_or_without_one_it_is_live(store: Store) -> None:
    token = _shadowed(store, HARMLESS, canary="100%", each="2ev")
    keep_rollouts(store)
    assert change(store, token).state == "shadow"
    pass_time(store, token, 3_601)
    keep_rollouts(store)
    assert change(store, token).state == "canary"
    accept_leads(store, 2)
    work(store)
    keep_rollouts(store)
    assert live_version(store) == 2

    alone = roll_out(store, OTHER_TITLE, shadow="1h", canary=None, each=None).change or ""
    pass_time(store, alone, 3_601)
    keep_rollouts(store)
    assert (live_version(store), change(store, alone).state) == (3, "live")


def _lasts(store: Store, token: str) -> bool:
    return " more, and so far" in figures(store, token).says


def test_its_time_alone_does_not_end_it_while_events_of_its_time_are_left(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also a refusal that only the last event shows is found before the canary."""
    monkeypatch.setattr(shadow, "_CHUNK", 2)
    monkeypatch.setattr(shadow, "_TURN_SECONDS", 0.0)  # one chunk in a turn
    token = _shadowed(store, BROKEN, canary="100%", each="5ev")
    accept_leads(store, 6, tier="enterprise")
    accept_leads(store, 1)
    with store.write() as tx:  # its time is over just behind the last of them
        last = tx.execute(select(func.max(events.c.accepted_at))).scalar_one()
        tx.execute(update(rollout_arms).values(since=last + 1_000 - 3_600_000))
    wait_until(lambda: not _lasts(store, token), within=10)

    keep_rollouts(store)
    shown = figures(store, token)
    assert (shown.state, shown.steps[0].events, shown.steps[0].left) == ("shadow", 2, 5)
    assert "not enough yet: " in shown.says and "2 of 7 events (28%)" in shown.says

    for _ in range(3):
        keep_rollouts(store)
    assert change(store, token).state == "rolled_back"
    assert "it would refuse event" in (change(store, token).because or "")


def test_many_events_are_looked_at_in_chunks_and_few_differences_are_kept(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shadow, "_CHUNK", 3)
    monkeypatch.setattr(shadow, "_TURN_SECONDS", 0.0)  # one chunk in a turn
    monkeypatch.setattr(shadow, "MOST_KEPT", 4)
    token = _shadowed(store, OTHER_DESK)
    accept_leads(store, 10)
    seen = []
    for _ in range(5):
        keep_rollouts(store)
        seen.append(figures(store, token).steps[0].events)

    assert seen == [3, 6, 9, 10, 10]
    shown = figures(store, token)
    assert (shown.steps[0].bad, sum(one.events for one in shown.differences)) == (10, 4)


def test_a_turn_that_finds_only_events_of_others_is_kept_so_that_the_next_one_goes_on(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shadow, "_CHUNK", 2)
    monkeypatch.setattr(shadow, "_TURN_SECONDS", 0.0)  # one chunk in a turn
    token = _shadowed(store, HARMLESS)
    publish_leads(store, TEXT.replace("client: acme", "client: globex"))
    others = [lead(number, client="globex") for number in range(4)]
    accept_batch(store, others, actor="key:test")
    accept_leads(store, 1)
    seen = []
    for _ in range(3):
        keep_rollouts(store)
        seen.append(figures(store, token).steps[0].events)

    assert seen == [0, 0, 1]
