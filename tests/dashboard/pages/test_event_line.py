"""An event as a line of time, and its payload as it came beside as it was amended."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.presenting.event_line import Mark, Stop, draw_line
from orchestrator.presenting.payload_rows import MOST_ROWS, lay_beside
from orchestrator.store.database.engine import Store
from orchestrator.store.views.events.show import EventView, show_event
from tests.dashboard.filled import Filled, fill
from tests.dashboard.holding import hold


@pytest.fixture
def filled(store: Store) -> Filled:
    return fill(store)


def viewed(store: Store, event_id: str) -> EventView:
    with store.read() as tx:
        found = show_event(tx, event_id, with_payload=True)
    assert found is not None
    return found


def line_of(store: Store, event_id: str) -> list[tuple[str, str]]:
    return [(stop.mark.value, stop.title) for stop in draw_line(viewed(store, event_id))]


def test_a_good_event_goes_from_the_door_to_each_record(store: Store, filled: Filled) -> None:
    stops = draw_line(viewed(store, filled.delivered))

    assert [stop.title for stop in stops][:3] == ["accepted", "validated", "routed"]
    assert {stop.title for stop in stops[3:5]} == {"crm: confirmed", "desk: confirmed"}
    assert [(stop.title, stop.mark) for stop in stops[5:]] == [("delivered", Mark.DONE)]
    assert "record record-crm" in {stop.told for stop in stops}
    assert not any(stop.here for stop in stops)


def test_an_event_is_delivered_after_its_last_record_also_within_a_millisecond(
    store: Store, filled: Filled
) -> None:
    event = viewed(store, filled.delivered)
    at = event.history[-1].at
    same = tuple(replace(one, updated_at=at) for one in event.deliveries)

    assert draw_line(replace(event, deliveries=same))[-1].title == "delivered"


def test_the_stall_is_marked_and_who_goes_on_until_when(store: Store, filled: Filled) -> None:
    stops = draw_line(viewed(store, filled.refused))

    (stall,) = [stop for stop in stops if stop.here]
    assert (stall.mark, stall.title) == (Mark.STALL, "stalled at dispatch")
    assert "HTTP 422" in stall.told
    assert stops[-1].mark is Mark.NEXT
    assert stops[-1].title.startswith("waits for triage@acme.example, until ")
    assert ("try", "crm: failed") in line_of(store, filled.refused)


def test_what_people_did_stands_between(store: Store, filled: Filled) -> None:
    told = line_of(store, filled.replayed)

    assert told[:4] == [
        ("done", "accepted"), ("stall", "stalled at validate"), ("person", "amended"),
        ("person", "replayed"),
    ]  # fmt: skip
    assert told[4][1].startswith("validate comes next")
    assert not any(stop.here for stop in draw_line(viewed(store, filled.replayed)))


def test_a_hold_says_where_and_since_when(store: Store) -> None:
    stops = draw_line(viewed(store, hold(store)))

    assert ("wait", "crm: held") in [(stop.mark.value, stop.title) for stop in stops]
    assert any(stop.title.startswith("crm: held at acme/leads/crm since 20") for stop in stops)


def test_a_long_wait_between_two_stops_is_told(store: Store, filled: Filled) -> None:
    event = viewed(store, filled.delivered)
    first, *others = event.history
    event = replace(event, history=(replace(first, at="2020-01-01T00:00:00.000Z"), *others))

    later = [stop.later for stop in draw_line(event)]

    assert later[0] is None
    assert later[1] is not None and later[1].endswith("d")


def test_a_stop_has_a_time_or_is_at_the_end(store: Store, filled: Filled) -> None:
    for one in (filled.delivered, filled.refused, filled.replayed, filled.accepted):
        times = [stop.at for stop in draw_line(viewed(store, one))]
        timed = [at for at in times if at]
        assert timed == sorted(timed) and times[: len(timed)] == timed


def test_a_rename_is_seen_side_by_side(store: Store, filled: Filled) -> None:
    content = viewed(store, filled.replayed).content
    assert content is not None

    rows = lay_beside(content.payload, content.amended).rows

    assert {row.path: (row.came, row.amended, row.change) for row in rows} == {
        "/email": ('"ada@example.com"', '"grace@example.com"', "changed"),
        "/customer_tier": ('"pro"', None, "taken out"),
        "/tier": (None, '"pro"', "added"),
    }


def test_a_payload_that_nobody_amended_has_no_change() -> None:
    laid = lay_beside({"a/b": {"~": [1, {}]}, "c": None})

    assert [row.path for row in laid.rows] == ["/a~1b/~0/0", "/a~1b/~0/1", "/c"]
    assert {row.change for row in laid.rows} == {""}


@pytest.mark.parametrize("wide", [True, False])
def test_a_payload_of_any_size_and_depth_is_drawn_within_bounds(wide: bool) -> None:
    deep: object = 1
    for _ in range(10_000):
        deep = [deep]
    came = {f"field-{number}": number for number in range(20_000)} if wide else deep

    laid = lay_beside(came, {"other": 1})

    assert len(laid.rows) <= MOST_ROWS
    assert laid.more == wide


def test_what_was_not_read_is_not_said_to_be_taken_out() -> None:
    came = {f"field-{number:05}": number for number in range(6_000)}
    amended = dict(reversed(came.items()))

    assert not [row for row in lay_beside(came, amended).rows if row.change]


def test_stops_are_told_without_a_drawing() -> None:
    stop = Stop(at=None, mark=Mark.WAIT, title="crm: held")

    assert (stop.by, stop.told, stop.later, stop.here) == (None, "", None, False)
