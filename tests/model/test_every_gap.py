"""Every gap between two steps of every process, and what a pause in it can lead to.

The machine of `test_machine.py` puts many faults into one story. Here each story has one fault, and
all of them are told.
"""

from __future__ import annotations

from itertools import count, product

import pytest

from tests.model.actors import Stop, Then
from tests.model.destination import SETTLE_SECONDS
from tests.model.lab import Lab
from tests.model.world import World

LEADS = ("found", "broken", "both", "told")

MEANWHILE = ("its work is done by another", "its run ends", "its lease ends")
ENDS = {
    "goes on": None,
    "dies": Stop(gates=0, then=Then.CRASH),
    "hears of a failure": Stop(gates=0, then=Then.FAIL),
}
WHO = ("relay", "validate", "route", "dispatch")


@pytest.mark.parametrize("who", WHO)
def test_a_process_may_stand_still_anywhere(quick_lab: Lab, who: str) -> None:
    for meanwhile, end in product(MEANWHILE, ENDS):
        _tell_all(quick_lab, who, meanwhile, end)


@pytest.mark.postgres
@pytest.mark.parametrize("who", WHO)
def test_so_it_may_beside_a_server(server_lab: Lab, who: str) -> None:
    _tell_all(server_lab, who, "its lease ends", "goes on")


def _tell_all(lab: Lab, who: str, meanwhile: str, end: str) -> None:
    """One story for each gate that the process comes to."""
    for gates in count():
        world = lab.new_world()
        with world.closing():
            try:
                stood = _tell(world, who, gates, meanwhile, ENDS[end])
                world.come_to_a_good_end()
            except BaseException as error:
                error.add_note(f"{who} stops at gate {gates}, {meanwhile}, and it {end}")
                raise
        if not stood:
            assert gates > 3, "it never stopped at a gate"
            return


def _tell(world: World, who: str, gates: int, meanwhile: str, end: Stop | None) -> bool:
    """One story; whether the process was stopped before it was done."""
    pause = Stop(gates=gates, then=Then.PAUSE)
    world.emit(dict(enumerate(LEADS)), None)
    if who == "relay":
        world.relay(0, pause)
    else:
        world.relay(0, None)
        message = world.first_message(who)
        world.work(message, pause)
        world.broker.messages.append(message)  # it is not acknowledged yet
    if not world.actors:
        return False
    if meanwhile == "its run ends":
        world.clock.advance(world.config.dispatch_budget_seconds + SETTLE_SECONDS)
    elif meanwhile == "its lease ends":
        world.clock.advance(world.config.lease_seconds)
    world.relay(1, None)
    world.work_off()
    world.resume(world.actors[0], end)
    return True
