"""What makes a version live, or keeps it from it, beside an approval.

A rollback, a broken glass, a freeze, and a rollout, in which a version decides about some events
before it is live for all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import orjson
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from sqlalchemy import text

from orchestrator.domain.changes.rollout import Rollout
from orchestrator.operations.changes.break_glass import break_glass
from orchestrator.operations.changes.freeze import freeze_changes, thaw_changes
from orchestrator.operations.changes.rollout.go_back import stop_rollout
from orchestrator.operations.changes.rollout.keep import keep_rollouts
from orchestrator.operations.rollback_workflow import rollback_workflow
from tests.people import ADMIN
from tests.store.changes.governance.gates import Stop
from tests.store.changes.governance.ground import FIRST, PEOPLE, THIRD
from tests.store.changes.governance.machine import (
    APPROVES,
    HOUR_MS,
    MISHAPS,
    OVERTAKES,
    PEACE,
    PICKS,
    STOPS,
    WHO,
    Machine,
    Mishap,
    Overtake,
)
from tests.store.changes.governance.memory import Emergency

BACKSTOPS = st.sampled_from([THIRD, THIRD, *PEOPLE])
ROLLOUTS = st.sampled_from([
    Rollout(shadow_seconds=3_600, shares=(), each_events=0, each_seconds=0),
    Rollout(shadow_seconds=None, shares=(5_000, 10_000), each_events=0, each_seconds=3_600),
    Rollout(shadow_seconds=3_600, shares=(10_000,), each_events=0, each_seconds=3_600),
])  # fmt: skip
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

    @rule(
        whos=st.permutations(PEOPLE), steps=ROLLOUTS, mishaps=st.tuples(MISHAPS, MISHAPS),
        hours=st.tuples(*[st.integers(0, 2)] * 3), by_glass=st.booleans(),
    )  # fmt: skip
    def a_change_is_rolled_out(
        self, whos: Sequence[str], steps: Rollout, mishaps: tuple[Mishap, Mishap],
        hours: tuple[int, int, int], by_glass: bool,
    ) -> None:  # fmt: skip
        """Proposed with steps, approved, tried; something happens between any two steps."""
        self.rollout = steps
        self._propose(whos[0], whos[0], (17, FIRST, 0), None, None, None, None)
        self.rollout = None
        if self.memory.stories:
            self.everybody_looks(0)
            self.everybody_approves(whos[1:], 0, looked=True)
        for one, mishap in zip(hours, (*mishaps, PEACE), strict=True):
            self._happens(*mishap)
            self.a_keeper_judges(one, None, APPROVES)
        if by_glass:
            self._propose(whos[1], whos[1], (18, FIRST, 0), None, None, None, None)
            if self.memory.stories:
                self.somebody_breaks_the_glass(THIRD, 0, None, APPROVES)

    @rule(hours=st.integers(0, 2), stop=STOPS, other=OVERTAKES)
    def a_keeper_judges(self, hours: int, stop: Stop | None, other: Overtake) -> None:
        self.ground.clock.advance(hours * 3_600)
        with self._act(f"after {hours} h the keeper judges rollouts", stop, other):
            keep_rollouts(self.store)

    @precondition(lambda self: self.memory.stories)
    @rule(who=WHO, pick=st.integers(0, 9), stop=STOPS)
    def somebody_stops_a_rollout(self, who: str, pick: int, stop: Stop | None) -> None:
        token, actor = list(self.memory.stories)[-1 - pick % len(self.memory.stories)], who
        with self._act(f"{who} stops the rollout of {token}", stop):
            stop_rollout(self.store, token, why="it is enough", actor=self._actor(actor))

    def _committed(self) -> None:
        """Whatever may go live is also looked at while it is tried."""
        super()._committed()
        with self.store.engine.connect() as tx:
            row = tx.execute(_TRIED).one_or_none()
        version = None if row is None else int(row.version)
        content = None if row is None else orjson.loads(row.definition)
        self.memory.see_trial(version, content, now=self.now, by=self.memory.told[-1])

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


_TRIED = text(
    "SELECT version, definition FROM workflow_versions"
    " JOIN rollout_arms ON rollout_arms.version_id = workflow_versions.id"
    " WHERE stopped_at IS NULL"
)
