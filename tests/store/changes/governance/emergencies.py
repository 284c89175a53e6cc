"""What makes a version live, or keeps it from it, beside an approval: rollback, glass, freezes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from orchestrator.operations.changes.break_glass import break_glass
from orchestrator.operations.changes.freeze import freeze_changes, thaw_changes
from orchestrator.operations.rollback_workflow import rollback_workflow
from tests.people import ADMIN
from tests.store.changes.governance.gates import Stop
from tests.store.changes.governance.ground import FIRST, PEOPLE, THIRD
from tests.store.changes.governance.machine import (
    APPROVES,
    HOUR_MS,
    OVERTAKES,
    PICKS,
    STOPS,
    WHO,
    Machine,
    Overtake,
)
from tests.store.changes.governance.memory import Emergency

BACKSTOPS = st.sampled_from([THIRD, THIRD, *PEOPLE])
VERSIONS = st.none() | st.none() | st.integers(1, 4)


class MachineOfEmergencies(Machine):
    """One interleaving in which people also roll back, break the glass, freeze and thaw."""

    @rule(who=WHO, to=VERSIONS, stop=STOPS, other=OVERTAKES)
    def somebody_rolls_back(
        self, who: str, to: int | None, stop: Stop | None, other: Overtake
    ) -> None:
        actor = self._actor(who)
        with (
            self._act(f"{who} rolls back to {to or 'the version before'}", stop, other),
            self._emergency(Emergency(who=who, token=None)),
        ):
            rollback_workflow(self.store, "acme", "leads", why="it is bad", actor=actor, to=to)

    @precondition(lambda self: self.memory.stories)
    @rule(who=BACKSTOPS, pick=PICKS, stop=STOPS, other=OVERTAKES)
    def somebody_breaks_the_glass(
        self, who: str, pick: int, stop: Stop | None, other: Overtake
    ) -> None:
        token, actor = self._pick(pick) or "", self._actor(who)
        with (
            self._act(f"{who} breaks the glass for {token}", stop, other),
            self._emergency(Emergency(who=who, token=token)),
        ):
            break_glass(self.store, token, why="it burns", actor=actor)

    @rule(hours=st.sampled_from([1, 2, 24]), thaws=st.booleans(), stop=STOPS)
    def an_admin_freezes_or_thaws(self, hours: int, thaws: bool, stop: Stop | None) -> None:
        actor = self._actor(ADMIN)
        ends = 0 if thaws else max(self.memory.frozen_until, self.now + 1 + hours * HOUR_MS)
        with self._act("changes thaw" if thaws else f"changes freeze for {hours} h", stop):
            self.effects = [lambda: setattr(self.memory, "frozen_until", ends)]
            if thaws:
                thaw_changes(self.store, "acme", why="it is over", actor=actor)
            else:
                until = f"{hours}h"
                freeze_changes(self.store, "acme", until=until, why="a feast", actor=actor)

    @rule(whos=st.permutations(PEOPLE), hours=st.integers(0, 3), later=st.booleans())
    def a_change_meets_a_freeze(self, whos: Sequence[str], hours: int, later: bool) -> None:
        """Proposed before or in it, approved in it, and time passes."""
        if not later:
            self.an_admin_freezes_or_thaws(2, False, None)
        self._propose(whos[0], whos[0], (16, FIRST, 0), "1h", None, None, None)
        if later:
            self.an_admin_freezes_or_thaws(2, False, None)
        if self.memory.stories:
            self.everybody_approves(whos[1:], 0, looked=False)
        self.time_passes(hours, True, None, APPROVES)

    @rule(who=BACKSTOPS, whom=st.sampled_from([FIRST, *PEOPLE]), back=WHO)
    def the_glass_is_broken_and_taken_back(self, who: str, whom: str, back: str) -> None:
        """A version by glass, the way back, and perhaps forward again to what nobody approved."""
        self._propose(who, who, (18, whom, 0), None, None, None, None)
        if self.memory.stories:
            self.somebody_breaks_the_glass(who, 0, None, APPROVES)
        for to in (None, self.memory.live):
            self.somebody_rolls_back(back, to, None, APPROVES)

    @contextmanager
    def _emergency(self, emergency: Emergency) -> Iterator[None]:
        self.memory.emergency = emergency
        try:
            yield
        finally:
            self.memory.emergency = None

    def _overtake(self, other: Overtake | None) -> None:
        """What somebody else does meanwhile is no part of the emergency."""
        mine, self.memory.emergency = self.memory.emergency, None
        super()._overtake(other)
        self.memory.emergency = mine
