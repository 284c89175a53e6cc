"""A commit whose answer is lost is done again, and counts once: nothing is stranded by it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from orchestrator.domain.lifecycle import STAGE_OF, DeliveryState
from tests.model.actors import Stop, Then
from tests.model.lab import Lab
from tests.model.world import World

STAGES = ("validate", "route", "dispatch")
LEADS = ("found", "noted", "both")


def worlds_that_lost(lab: Lab, stage: str, *, breaking: int = 0) -> Iterator[World]:
    """A world for each gate at which a task of the stage hears of a failure; the task is over."""
    for gates in count():
        world = lab.new_world()
        with world.closing():
            world.emit(dict(enumerate(LEADS)), None)
            world.relay(0, None)
            worker = world.worker(world.first_message(stage), world.workers[0])
            lab.breaking = breaking
            world.begin(worker, Stop(gates=gates, then=Then.FAIL))
            if not worker.crashed:  # where it calls the tool nobody tells it of a failure
                yield world
            world.come_to_a_good_end()
        if worker.left is not None:
            assert gates > 3, "it came to no gate"
            return


@pytest.mark.parametrize("stage", STAGES)
def test_a_task_leaves_nothing_in_hand_and_nobody_asleep(quick_lab: Lab, stage: str) -> None:
    _look_at_all(quick_lab, stage)


def _look_at_all(lab: Lab, stage: str) -> None:
    for world in worlds_that_lost(lab, stage):
        seen = world.laws.seen
        sending = [one for one in seen.deliveries.values() if one.state == DeliveryState.SENDING]
        assert not sending, f"{sending} were taken, and their run is over"
        on_its_way = {one["headers"]["id"].rpartition(".")[2] for one in world.broker.messages}
        for row in seen.events.values():
            driven = str(row.epoch) in on_its_way or (row.due_at or 0) <= world.clock.ms
            assert row.state not in STAGE_OF or driven, f"{row} sleeps until its lease ends"


def test_a_delivery_counts_the_calls_that_were_made(quick_lab: Lab) -> None:
    for world in worlds_that_lost(quick_lab, "dispatch"):
        calls = [event_id for _, event_id in world.tool.created]
        for (event_id, _), row in world.laws.seen.deliveries.items():
            assert row.attempt <= calls.count(event_id), f"{row} was called less often"


@pytest.mark.parametrize("stage", ["validate", "route"])
def test_a_decision_that_broke_is_one_failed_try(quick_lab: Lab, stage: str) -> None:
    for world in worlds_that_lost(quick_lab, stage, breaking=1):
        assert max(row.attempt for row in world.laws.seen.events.values()) <= 1


@pytest.mark.postgres
def test_nothing_is_left_in_hand_beside_a_server(server_lab: Lab) -> None:
    _look_at_all(server_lab, "dispatch")
