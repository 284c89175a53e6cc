"""Play interleavings: some thousands by chance, or the same ones each time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.store.changes.governance.emergencies import MachineOfEmergencies
from tests.store.changes.governance.ground import Ground
from tests.store.changes.governance.machine import Machine
from tests.store.changes.governance.memory import Unapproved
from tests.store.changes.governance.plants import PLANTS, planted
from tests.store.changes.governance.recorder import Recorder

STEPS = 12  # acts of an interleaving, at most


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of some interleavings."""

    played: int
    live: int  # versions that went live by an approval
    said: int  # decisions that counted
    story: str | None  # how a version went live that nobody else approved; None: none did


def play(
    ground: Ground, count: int, *, number: int | None = None, plant: str | None = None
) -> Outcome:
    """Play up to the first version that nobody approved; `number` None: the same ones each time."""
    recorder, story = Recorder(), None
    machine = Machine if plant in PLANTS else MachineOfEmergencies

    def begin() -> Machine:
        return machine(ground, recorder)

    told = settings(
        max_examples=count,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        derandomize=number is None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
        report_multiple_bugs=False,
    )
    factory: Any = begin if number is None else seed(number)(begin)
    try:
        with planted(plant), recorder.listening():
            run_state_machine_as_test(factory, settings=told)
    except Unapproved as found:
        story = str(found)
    return Outcome(played=recorder.played, live=recorder.live, said=recorder.said, story=story)
