"""Events of one ordering key go one after another, in the order of their acceptance."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, func, select, update

from orchestrator.domain.access.actor import login
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.erase_events import Wanted, erase_events
from orchestrator.operations.quarantine.discard import discard_events
from orchestrator.operations.quarantine.restore import restore_events
from orchestrator.operations.replay.without_plan import replay_events
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import events, line_looks, ordered_events
from orchestrator.store.ordering.lines import ASLEEP, Stand
from orchestrator.store.ordering.stuck_lines import LineSearch
from orchestrator.store.quarantine.actions import amend
from orchestrator.store.views.audit import list_audit
from orchestrator.store.views.quarantine.selection import Selection
from tests.leads import TEXT, lead, publish_leads
from tests.ordered_leads import (
    ORDERED,
    PASSING,
    accept_lead,
    drive,
    drive_all,
    going,
    publish_ordered,
    turn,
)


def count(store: Store, table: object = ordered_events) -> int:
    with store.read() as tx:
        return int(tx.execute(select(func.count()).select_from(table)).scalar_one())  # type: ignore[arg-type]


def discard(store: Store, *ids: str) -> None:
    discard_events(store, Selection(ids=ids), why="a test", actor=login("cli:dana"))


def restore(store: Store, *ids: str) -> None:
    restore_events(store, Selection(ids=ids), why="it is needed", actor=login("cli:dana"))


def mend_and_replay(store: Store, *ids: str) -> None:
    """Replay under a version that takes what broke the contract before."""
    publish_ordered(store, _wider(ORDERED))
    replay_events(store, Selection(ids=ids), actor=login("cli:dana"))


def _wider(text: str) -> str:
    return text.replace("enum: [enterprise, pro]", "type: string").replace('tier == "pro"', "true")


def test_events_of_one_key_go_one_after_another_and_others_are_not_held(store: Store) -> None:
    publish_ordered(store)
    first, second, third = (accept_lead(store, 1) for _ in range(3))
    others = [accept_lead(store, number) for number in (2, 3)]

    turns = drive_all(store)

    assert [sorted(one) for one in turns] == [sorted([first, *others]), [second], [third]]
    assert count(store, line_looks) == 0


def test_events_of_one_batch_keep_its_order(store: Store) -> None:
    publish_ordered(store)
    keys = ["zebra", "ant", "mole", "bee"]

    accepted = accept_batch(store, [lead(1, key=key) for key in keys], actor="key:test")

    assert drive_all(store) == [[one.id] for one in accepted]


def test_a_duplicate_takes_no_second_place(store: Store) -> None:
    publish_ordered(store)
    accept_batch(store, [lead(1, key="form-1")], actor="key:test")
    accept_batch(store, [lead(1, key="form-1")], actor="key:test")

    assert count(store) == 1


@pytest.mark.parametrize("blank", ["", "  "])
def test_an_event_without_a_key_is_not_ordered(store: Store, blank: str) -> None:
    publish_ordered(store)
    for _ in range(2):
        accept_lead(store, 1, email=blank)

    assert count(store) == 0
    assert len(going(store)) == 2


def test_a_workflow_without_the_key_writes_nothing_of_lines(store: Store) -> None:
    publish_leads(store)
    accept_lead(store, 1)

    assert (count(store), count(store, line_looks)) == (0, 0)
    assert len(drive_all(store)) == 1


def test_an_event_in_quarantine_holds_those_behind_it_until_it_is_discarded(store: Store) -> None:
    publish_ordered(store)
    broken, follower = accept_lead(store, 1, tier="gold"), accept_lead(store, 1)
    drive(store, turn(store))
    assert going(store) == []

    discard(store, broken)

    assert drive_all(store) == [[follower]]


def test_a_replay_keeps_its_place_before_those_it_holds(store: Store) -> None:
    publish_ordered(store)
    broken, follower = accept_lead(store, 1, tier="gold"), accept_lead(store, 1)
    drive_all(store)

    mend_and_replay(store, broken)

    assert drive_all(store) == [[broken], [follower]]


def test_with_pass_an_event_in_quarantine_lets_others_by_and_goes_before_who_waits_then(
    store: Store,
) -> None:
    publish_ordered(store, PASSING)
    broken, follower = accept_lead(store, 1, tier="gold"), accept_lead(store, 1)
    drive(store, turn(store))  # the broken one is in quarantine
    under_way = turn(store)  # its follower has the turn
    last = accept_lead(store, 1)
    assert [one.ids for one in under_way] == [(follower,)]

    mend_and_replay(store, broken)

    assert going(store) == []  # one at a time, a replay too
    assert drive(store, under_way) == [follower]
    assert drive_all(store) == [[broken], [last]]


def test_a_restored_event_takes_its_place_again_and_holds_who_has_not_begun(store: Store) -> None:
    publish_ordered(store)
    broken, second, third = (accept_lead(store, 1, tier=tier) for tier in ("gold", "pro", "pro"))
    drive(store, turn(store))
    discard(store, broken)
    under_way = turn(store)
    restore(store, broken)

    assert drive(store, under_way) == [second]
    assert going(store) == []  # the third waits for what is in quarantine again

    mend_and_replay(store, broken)
    assert drive_all(store) == [[broken], [third]]


def test_an_erased_event_holds_nobody(store: Store) -> None:
    publish_ordered(store)
    broken, follower = accept_lead(store, 1, tier="gold"), accept_lead(store, 1)
    drive(store, turn(store))

    erase_events(
        store, Wanted(ids=(broken,)), why="asked to", discard=True, actor=login("cli:dana")
    )

    assert drive_all(store) == [[follower]]
    with store.read() as tx:
        assert tx.execute(select(ordered_events.c.event_id)).scalars().all() == [follower]


def test_a_sleeping_event_may_be_erased(store: Store) -> None:
    publish_ordered(store)
    first, sleeping, last = (accept_lead(store, 1) for _ in range(3))
    groups = turn(store)

    erase_events(
        store, Wanted(ids=(sleeping,)), why="asked to", discard=True, actor=login("cli:dana")
    )
    drive(store, groups)

    assert drive_all(store) == [[last]]
    assert first != last


def test_under_a_version_without_the_key_a_replay_leaves_its_line(store: Store) -> None:
    publish_ordered(store)
    broken, follower = accept_lead(store, 1, tier="gold"), accept_lead(store, 1)
    drive_all(store)

    publish_leads(store, _wider(TEXT))
    replay_events(store, Selection(ids=(broken,)), actor=login("cli:dana"))

    assert drive_all(store) == [sorted([broken, follower])]


def test_what_gets_its_key_by_a_fix_goes_to_the_end_of_the_line(store: Store) -> None:
    publish_ordered(store)
    nameless = accept_lead(store, 1, email="")
    first, second = accept_lead(store, 1), accept_lead(store, 1)
    ended = drive(store, turn(store))
    with store.write() as tx:
        fixed = {nameless: {"email": "lead-1@example.com", "tier": "pro"}}
        amend(tx, fixed, actor="cli:dana", detail={})
    replay_events(store, Selection(ids=(nameless,)), actor=login("cli:dana"))

    assert ended == [first]
    assert drive_all(store) == [[second], [nameless]]


def test_a_line_that_nobody_goes_on_with_is_found_and_told(store: Store) -> None:
    publish_ordered(store)
    first, second = accept_lead(store, 1), accept_lead(store, 1)
    drive(store, turn(store))
    with store.write() as tx:
        tx.execute(delete(line_looks))  # a fault of ours
    assert going(store) == []

    assert LineSearch().wake_stuck(store) == [second]

    with store.read() as tx:
        row = list_audit(tx, newest_first=True)[0]
    assert (row.action, row.event_id, row.actor) == ("wake", second, "relay")
    assert drive_all(store) == [[second]]
    assert LineSearch().wake_stuck(store) == []
    assert first != second


def test_the_next_goes_also_where_nobody_noted_that_the_one_before_ended(store: Store) -> None:
    publish_ordered(store)
    first, second = accept_lead(store, 1), accept_lead(store, 1)
    drive(store, turn(store))
    with store.write() as tx:
        tx.execute(delete(line_looks))
        of_first = ordered_events.c.event_id == first
        tx.execute(update(ordered_events).where(of_first).values(stand=Stand.TURN))

    assert LineSearch().wake_stuck(store) == [second]


def test_who_has_the_turn_and_sleeps_is_found(store: Store) -> None:
    publish_ordered(store)
    alone = accept_lead(store, 1)
    turn(store)
    with store.write() as tx:
        tx.execute(update(events).values(due_at=ASLEEP))

    assert LineSearch().wake_stuck(store) == [alone]


def test_the_search_says_nothing_of_lines_that_are_all_right(store: Store) -> None:
    publish_ordered(store)
    for _ in range(3):
        accept_lead(store, 1)
    accept_lead(store, 2, tier="gold")
    search = LineSearch()

    assert search.wake_stuck(store) == []  # looks are asked for
    drive(store, turn(store))
    assert search.wake_stuck(store) == []
    turn(store)
    assert search.wake_stuck(store) == []


def test_more_looks_than_one_turn_takes_ring_for_the_next_turn(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestrator.store.ordering.turns.MOST_LOOKS", 2)
    publish_ordered(store)
    ids = [accept_lead(store, number) for number in range(3)]
    while store.bell.wait(0.2):  # for what was accepted
        pass

    assert going(store) == ids[:2]
    assert store.bell.wait(5)
    assert going(store) == ids[2:]
    assert not store.bell.wait(0)


@pytest.mark.parametrize("most", [1, 2])
def test_a_search_goes_on_where_it_ended(
    store: Store, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestrator.store.ordering.stuck_lines.MOST_LINES", most)
    publish_ordered(store)
    ids = [accept_lead(store, number) for number in range(5)]
    with store.write() as tx:
        tx.execute(delete(line_looks))
    search, woken = LineSearch(), []
    for _ in range(8):
        woken += search.wake_stuck(store)

    assert sorted(woken) == sorted(ids)
