"""Processes that meet inside their transactions: one is stopped between two statements.

PostgreSQL only, for it is about locks. One process stops after so many of its gates (each statement
is one here), another one begins and stops after so many of its own, and then they go on in turn;
who waits for a row of another goes on when that one is done. All laws hold after each commit, and
nobody may ever wait in a circle.

Each run takes some of the pairs of places: for all of them `--hypothesis-profile=explore`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import product
from typing import Any

import psycopg
import pytest
from hypothesis import settings

from orchestrator.domain.delivery.handoff import BreakerPolicy
from orchestrator.domain.errors import StoreUnavailable
from orchestrator.store.destinations.breakers import note_failures
from orchestrator.store.destinations.circuits import resume_circuit
from tests.model.actors import Actor, Stop, Then
from tests.model.commands import COMMANDS
from tests.model.lab import Lab
from tests.model.world import World

pytestmark = pytest.mark.postgres

LEADS = {0: "found", 1: "both", 2: "noted"}
_SOME = 3  # pairs of places of each meeting; all of them take many minutes
_PATIENCE = 30.0  # seconds that a story may take
_NO_STOP = 1_000  # gates; nobody comes through so many

Meeting = Callable[[World], Sequence[Callable[[], Actor]]]
"""What a world looks like before they meet; those who do, each made when its turn comes first."""


def a_relay_lets_go_what_a_run_holds(world: World) -> list[Callable[[], Actor]]:
    message = up_to_dispatch(world)
    with world.store.write() as tx:
        policy = BreakerPolicy(failures=1, cooldown_seconds=30)
        note_failures(tx, "tool", ["e"], error="503", policy=policy, actor="worker:dispatch")

    def tend() -> None:
        with world.store.write() as tx:
            resume_circuit(tx, "tool", why=None, actor="cli:ann")
        world.relays[1].turn()

    return [
        lambda: world.worker(message, world.workers[0]),
        lambda: Actor("relay", tend, owner=world.relays[1]),
    ]


def two_relays_let_go_what_a_run_holds(world: World) -> list[Callable[[], Actor]]:
    first, second = a_relay_lets_go_what_a_run_holds(world)
    other = world.relays[0]
    return [first, second, lambda: Actor("relay", other.turn, owner=other)]


def a_message_comes_twice(world: World) -> list[Callable[[], Actor]]:
    world.tool.mishaps["create"] += ["unavailable", "cut"]
    message = up_to_dispatch(world)
    return [
        lambda: world.worker(message, world.workers[0]),
        lambda: world.worker(message, world.workers[1]),
    ]


def two_people_see_to_the_same_events(world: World) -> list[Callable[[], Actor]]:
    world.emit(dict.fromkeys(range(3), "broken"), None)
    world.relay(0, None)
    world.work_off()
    return [
        lambda: Actor("person", lambda: COMMANDS["fix"](world.store)),
        lambda: Actor("person", lambda: COMMANDS["replay"](world.store)),
    ]


MEETINGS: tuple[Meeting, ...] = (
    a_relay_lets_go_what_a_run_holds,
    two_relays_let_go_what_a_run_holds,
    a_message_comes_twice,
    two_people_see_to_the_same_events,
)


@pytest.mark.parametrize("meeting", MEETINGS, ids=lambda one: one.__name__)
def test_they_may_meet_between_any_two_statements(server_lab: Lab, meeting: Meeting) -> None:
    explores = settings.get_current_profile_name() == "explore"
    gates = _tell(server_lab, meeting, _NO_STOP, _NO_STOP)
    assert min(gates) > 5, "there is no middle to meet in"
    places = list(product(*map(range, gates)))
    for first, second in places if explores else places[:: max(1, len(places) // _SOME)]:
        _tell(server_lab, meeting, first, second)


def _tell(lab: Lab, meeting: Meeting, first: int, second: int) -> tuple[int, int]:
    """One story; how many gates the first two came through before they stopped, or were done."""
    world = lab.new_world(within=True)
    with world.closing(), _somebody_waits(world) as waits:
        try:
            through = _meet(world, meeting(world), (first, second), waits)
            world.come_to_a_good_end()
        except BaseException as error:
            error.add_note(f"{meeting.__name__}: gates {first} and {second}")
            raise
    return through


def _meet(
    world: World,
    makers: Sequence[Callable[[], Actor]],
    gates: tuple[int, int],
    waits: Callable[[], bool],
) -> tuple[int, int]:
    """Each comes to its place, and those after the second as far as they come; then all go on."""
    actors: list[Actor] = []
    for place, make in enumerate(makers):
        actor = make()
        actors.append(actor)
        stop = Stop(gates=gates[place], then=Then.PAUSE) if place < len(gates) else None
        _go(world, partial(actor.advance, stop, waits))
    through = tuple(stop - (actor.left or 0) for stop, actor in zip(gates, actors, strict=False))
    # Who waits for another's row comes to its place once that one is done.
    end = time.monotonic() + _PATIENCE
    while not all(actor.done for actor in actors):
        assert time.monotonic() < end, "they wait for each other"
        for actor in (one for one in actors if not one.done):
            on = partial(actor.advance, None) if actor.stands else actor.come_to
            _go(world, partial(on, waits))
    return through[0], through[1]


def _go(world: World, on: Callable[[], bool]) -> None:
    try:
        on()
    except StoreUnavailable as error:
        # The model's store is never away here: it is what a circle of waits ends with.
        raise AssertionError(f"they waited in a circle: {error.__cause__}") from error
    if world.broken:
        raise world.broken


@contextmanager
def _somebody_waits(world: World) -> Iterator[Callable[[], bool]]:
    """Whether a transaction of this world waits for a row of another."""
    url = world.store.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:
        yield lambda: bool(connection.execute(_WAITING).fetchone())


_WAITING = """\
SELECT 1 FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock' LIMIT 1"""


def up_to_dispatch(world: World) -> Any:
    """The message for dispatch of some leads, which nobody has taken yet."""
    world.emit(LEADS, None)
    world.relay(0, None)
    while (message := world.broker.messages.pop(0))["headers"]["task"] != "meshline.dispatch":
        world.work(message, None)
    return message
