"""Systems that take some events and not others, that are down, or that want fewer calls.

The real relay and the real tasks run, by a clock that the stories move; after each commit the laws
hold. Of a system that takes others every good event is delivered, and every one that it cannot take
ends in quarantine. An outage quarantines nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random

import pytest
from sqlalchemy import select

from orchestrator.domain.access.actor import login
from orchestrator.domain.delivery.handoff import Outgoing
from orchestrator.operations.switch_destinations import resume_destination
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import deliveries
from orchestrator.store.destinations.circuits import troubled_circuits
from orchestrator.store.views.destinations.list import DestinationRow, list_destinations
from orchestrator.store.views.events.show import EventView, show_event
from orchestrator.store.views.incidents.list import Sought, list_incidents
from tests.model.actors import Stop, Then
from tests.model.destination import ModelDestination
from tests.model.lab import Lab
from tests.model.world import World

COOLDOWN = int(ModelDestination.limits.breaker.cooldown_seconds)
HOUR = 3_600


@pytest.fixture
def world(quick_lab: Lab) -> Iterator[World]:
    made = quick_lab.new_world()
    with made.closing():
        yield made


def number_of(call: Outgoing) -> int:
    return int(str(call.fields["email"]).removeprefix("lead-").partition("@")[0])


def ill_for(bad: Sequence[int], how: str = "unavailable") -> Callable[[Outgoing], str | None]:
    """A system that cannot take some leads, and takes all others."""
    return lambda call: how if number_of(call) in bad else None


def always(how: str) -> Callable[[Outgoing], str | None]:
    return lambda _: how


def well(_: Outgoing) -> None:
    return None


def send(world: World, numbers: Sequence[int], kind: str = "found") -> None:
    world.emit(dict.fromkeys(numbers, kind), None)


def live(world: World, seconds: float, *, step: float = 1.0) -> None:
    """Let relay and workers work while so much time passes."""
    end = world.clock.ms + int(seconds * 1000)
    while world.clock.ms < end:
        world.relay(0, None)
        world.work_off()
        world.clock.advance(step)


def states(world: World, numbers: Sequence[int]) -> list[str]:
    return [world.laws.state_of(world.answered[one]) for one in numbers]


def shown(world: World, number: int) -> EventView:
    with world.store.read() as tx:
        event = show_event(tx, world.answered[number])
    assert event
    return event


def attempts(world: World) -> list[int]:
    with Store.read(world.store) as tx:
        return list(tx.execute(select(deliveries.c.attempt)).scalars())


def in_the_way(world: World) -> dict[str, str | None]:
    with Store.read(world.store) as tx:
        return {name: one.reason for name, one in troubled_circuits(tx).items() if one.breaker_open}


def calls_of(world: World, number: int) -> int:
    return sum(event_id == world.answered[number] for _, event_id in world.tool.created)


def listed(world: World, destination: str = "found") -> DestinationRow:
    with Store.read(world.store) as tx:
        return next(one for one in list_destinations(tx) if one.destination == destination)


@pytest.mark.parametrize("how", ["unavailable", "cut", "hangs"])
@pytest.mark.parametrize("bad", [3, 12])
def test_events_that_a_system_cannot_take_stop_nobody_else(
    world: World, bad: int, how: str
) -> None:
    bads, goods = range(bad), range(bad, bad + 10)
    world.tool.illness = ill_for(bads, how)
    send(world, bads)
    live(world, 3)
    send(world, goods)

    # Here calls hang one after the other, each for as long as a call may take.
    live(world, 10 * COOLDOWN + (bad * 20 if how == "hangs" else 0))

    assert states(world, goods) == ["delivered"] * 10
    live(world, 300, step=5)
    send(world, [99])  # of those that failed last, nobody could tell before
    live(world, 300, step=5)
    assert states(world, bads) == ["quarantined"] * bad
    for number in bads:
        event = shown(world, number)
        assert event.reason == "retries_exhausted"
        assert "the system took others meanwhile, so it cannot take this one" in str(event.detail)
        assert calls_of(world, number) <= 12
    assert not in_the_way(world)


def test_an_outage_quarantines_nobody_though_only_one_event_waits(world: World) -> None:
    world.tool.illness = always("unavailable")
    send(world, [0])
    live(world, 60)
    live(world, HOUR, step=30)

    event = shown(world, 0)
    assert event.state == "routed"
    (delivery,) = event.deliveries
    assert (delivery.state, delivery.attempt) == ("held", 0)
    with Store.read(world.store) as tx:
        (incident,) = list_incidents(tx, Sought(), limit=9)
    assert incident.reason == "held"

    world.tool.illness = well
    live(world, 2 * COOLDOWN)
    assert states(world, [0]) == ["delivered"]


def test_an_event_that_failed_before_is_not_at_fault_for_a_system_that_is_gone(
    world: World,
) -> None:
    world.tool.illness = ill_for([0])
    send(world, [0])
    live(world, 1)
    send(world, [1])
    live(world, 1)
    assert states(world, [0, 1]) == ["routed", "delivered"]
    before = attempts(world)

    world.tool.illness = always("gone")
    send(world, [2])
    live(world, HOUR, step=5)

    assert states(world, [0, 2]) == ["routed"] * 2
    assert max(attempts(world)) <= max(before) + 1
    world.tool.illness = well
    live(world, 60)
    assert states(world, [0, 2]) == ["delivered"] * 2


def test_an_outage_of_many_costs_nobody_a_try_and_few_calls(world: World) -> None:
    send(world, range(5))
    live(world, 2)
    world.tool.illness = always("cut")
    send(world, range(5, 40))
    live(world, HOUR, step=30)

    assert states(world, range(5, 40)) == ["routed"] * 35
    assert max(attempts(world)[5:]) <= 1
    assert len(world.tool.created) < HOUR / COOLDOWN + 100
    world.tool.illness = well
    live(world, 60)
    assert set(states(world, range(40))) == {"delivered"}


def test_another_event_tries_each_time(world: World) -> None:
    world.tool.illness = always("unavailable")
    send(world, range(8))
    live(world, 2)
    began = len(world.tool.created)
    live(world, 8 * COOLDOWN + 8)

    tried = [event_id for _, event_id in world.tool.created[began:]]
    assert len(tried) >= 6
    assert len(set(tried)) == min(len(tried), 8)


@pytest.mark.slow
def test_bad_ones_that_come_all_the_time_do_not_keep_good_ones_waiting(world: World) -> None:
    bads = range(0, 60, 2)
    world.tool.illness = ill_for(bads)
    for number in range(60):
        send(world, [number])
        live(world, 2)
    live(world, 12 * COOLDOWN)

    goods = range(1, 60, 2)
    assert states(world, goods) == ["delivered"] * 30
    send(world, [99])
    live(world, 60)
    assert states(world, bads) == ["quarantined"] * 30


def test_one_action_that_is_down_stops_no_other_action(world: World) -> None:
    world.tool.illness = lambda call: "unavailable" if call.action == "folded" else None
    send(world, range(10), "folded")
    live(world, 4)
    send(world, range(10, 20), "found")
    live(world, 2)

    assert states(world, range(10, 20)) == ["delivered"] * 10
    live(world, HOUR, step=30)
    assert in_the_way(world) == {"tool.folded": "failing"}
    assert states(world, range(10)) == ["routed"] * 10  # no other ticket got through: an outage
    assert listed(world, "folded").block == "breaker"
    assert listed(world, "found").block is None
    world.tool.illness = well
    live(world, 30)
    assert states(world, range(10)) == ["delivered"] * 10


@pytest.mark.slow
def test_a_system_that_comes_and_goes_loses_nobody_a_place(world: World) -> None:
    up = 4_000
    world.tool.illness = lambda _: None if world.clock.ms % 8_000 < up else "unavailable"
    for number in range(40):
        send(world, [number])
        live(world, 1)
    live(world, 120)

    assert states(world, range(40)) == ["delivered"] * 40


def test_an_answer_that_refuses_one_event_says_that_the_system_is_up(world: World) -> None:
    world.tool.illness = always("unavailable")
    send(world, range(4))
    live(world, 3)
    assert in_the_way(world)

    world.tool.illness = ill_for([0, 1, 2, 3], "refused")
    live(world, 3 * COOLDOWN)
    assert not in_the_way(world)
    assert states(world, range(4)) == ["quarantined"] * 4


def test_a_probe_whose_worker_dies_is_followed_by_another_event(world: World) -> None:
    world.tool.illness = always("unavailable")
    send(world, range(4))
    live(world, 3)
    world.tool.illness = well
    world.clock.advance(COOLDOWN)
    world.relay(0, None)
    assert world.broker.messages
    world.work(world.broker.messages.pop(0), Stop(gates=3, then=Then.CRASH))

    live(world, 3 * COOLDOWN)

    assert states(world, range(4)).count("delivered") >= 3
    live(world, 200)
    assert states(world, range(4)) == ["delivered"] * 4


def test_a_login_that_is_refused_for_one_event_holds_the_others_for_one_cooldown(
    world: World,
) -> None:
    world.tool.illness = ill_for([0], "login")
    send(world, [0])
    live(world, 1)
    assert in_the_way(world) == {"tool": "unauthorized"}
    send(world, range(1, 6))
    live(world, 2 * COOLDOWN)

    assert states(world, range(1, 6)) == ["delivered"] * 5
    for number in range(6, 30):
        send(world, [number])
        live(world, 2)
        assert not in_the_way(world)
    assert states(world, [0]) == ["quarantined"]


def per_minute(world: World) -> Mapping[int, int]:
    found: dict[int, int] = {}
    for at, _ in world.tool.created:
        minute = (at - world.tool.created[0][0]) // 60_000
        found[minute] = found.get(minute, 0) + 1
    return found


def test_a_pause_without_a_time_grows_and_is_everybodys(world: World) -> None:
    world.tool.illness = always("slow down")
    send(world, range(60))
    looks = []
    for _ in range(10):  # pauses have a jitter: one may be over, and the next not begun
        live(world, 1)
        looks.append(listed(world))
    assert all(row.block is None for row in looks)
    assert looks[-1].pauses and any(row.postponed_until for row in looks)
    live(world, 120)
    live(world, HOUR, step=30)

    minutes = per_minute(world)
    assert minutes[0] <= 30  # those that were out together, and a few that came first
    assert sum(count for minute, count in minutes.items() if minute) <= 12
    assert states(world, range(60)) == ["routed"] * 60
    assert max(attempts(world)) == 0
    row = listed(world)
    assert (row.block, row.reason) == ("breaker", "rate_limited")
    assert row.pauses > 5 and "429" in str(row.error)
    with Store.read(world.store) as tx:
        assert [one.reason for one in list_incidents(tx, Sought(), limit=9)] == ["held"]

    world.tool.illness = well
    live(world, 1_000, step=20)
    assert states(world, range(60)) == ["delivered"] * 60
    assert listed(world).pauses == 0


def test_after_a_pause_one_call_goes_first(world: World) -> None:
    world.tool.illness = always("slow down")
    send(world, range(20))
    live(world, 1)
    before = len(world.tool.created)
    live(world, 30)

    times = [at for at, _ in world.tool.created[before:]]
    assert 2 <= len(times) <= 5
    assert len(set(times)) == len(times)


def test_what_a_person_resumes_goes_out_at_once_also_from_its_actions_breaker(
    world: World,
) -> None:
    world.tool.illness = always("unavailable")
    send(world, range(4))
    live(world, 3)
    assert in_the_way(world) == {"tool.found": "failing"}
    world.tool.illness = well
    resume_destination(world.store, ["tool"], why="they are back", actor=login("cli:tester"))
    live(world, 3)

    assert states(world, range(4)) == ["delivered"] * 4


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_whatever_comes_good_ones_arrive_and_bad_ones_end(world: World, seed: int) -> None:
    chance = Random(seed)
    bad = {number for number in range(40) if chance.random() < 0.3}
    how = chance.choice(["unavailable", "cut"])
    outages = [(start := chance.randrange(100), start + chance.randrange(40)) for _ in range(2)]
    began = world.clock.ms

    def illness(call: Outgoing) -> str | None:
        second = (world.clock.ms - began) / 1000
        down = any(start <= second < end for start, end in outages)
        return how if down or number_of(call) in bad else None

    world.tool.illness = illness
    number = 0
    while number < 40:
        some = range(number, min(40, number + chance.randrange(1, 6)))
        send(world, some)
        number = some[-1] + 1
        live(world, chance.randrange(1, 6))
    for last in range(100, 106):  # others go on coming
        live(world, 40, step=4)
        send(world, [last])
    live(world, 60)

    for number in range(40):
        wanted = "quarantined" if number in bad else "delivered"
        assert states(world, [number]) == [wanted], f"{number} of {sorted(bad)}"
