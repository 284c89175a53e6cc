"""A crash between any two transactions, a broker that does what it likes: nothing lost or doubled.

The machine drives the real relay and the real tasks through a story that hypothesis makes up. After
each commit the laws of `laws.py` must hold; at the end, with all faults over, every event must come
to its end.

Each run tells the same stories, so that a red one is the change's doing. For new ones:
`pytest tests/model --hypothesis-profile=explore`, which prints how to play a failure again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.model.actors import Stop, Then
from tests.model.commands import COMMANDS
from tests.model.destination import MISHAPS
from tests.model.lab import Lab
from tests.model.workflows import KINDS

STOPS = st.none() | st.builds(Stop, gates=st.integers(0, 10), then=st.sampled_from(Then))
PAUSES = st.builds(Stop, gates=st.integers(0, 5), then=st.just(Then.PAUSE))
ENDS = st.none() | st.builds(Stop, gates=st.integers(0, 1), then=st.sampled_from(Then))
NAPS = st.sampled_from([91, 26, 0])
FATES = st.sampled_from(["once", "once", "again", "lost"])
PICKS = st.integers(0, 20)
LEADS = st.lists(st.sampled_from(KINDS), min_size=1, max_size=4)
MOST_LEADS, MOST_VERSIONS = 10, 4
HAPPENINGS = [("decide", "break")] + [(at, what) for at, all_ in MISHAPS.items() for what in all_]


class Machine(RuleBasedStateMachine):
    """What may happen, in any order."""

    def __init__(self, lab: Lab) -> None:
        super().__init__()
        self.lab = lab
        self.world = lab.new_world()
        self.leads = 0

    @initialize(kinds=LEADS, links=st.integers(0, 2))
    def some_leads_are_on_their_way(self, kinds: list[str], links: int) -> None:
        self.a_producer_sends(kinds, None)
        self.world.relay(0, None)
        for _ in range(links):
            for message in self.world.broker.take_all():
                self.world.work(message, None)

    @precondition(lambda self: self.leads < MOST_LEADS)
    @rule(kinds=LEADS, stop=STOPS)
    def a_producer_sends(self, kinds: list[str], stop: Stop | None) -> None:
        numbers = range(self.leads, self.leads + len(kinds))
        self.leads += len(kinds)
        self.world.emit(self.world.unanswered | dict(zip(numbers, kinds, strict=True)), stop)

    @rule(which=st.integers(0, 1), stop=STOPS)
    def a_relay_takes_a_turn(self, which: int, stop: Stop | None) -> None:
        self.world.relay(which, stop)

    @precondition(lambda self: self.world.broker.messages)
    @rule(pick=PICKS, stop=STOPS, fate=FATES)
    def a_message_leaves_the_broker(self, pick: int, stop: Stop | None, fate: str) -> None:
        messages = self.world.broker.messages
        message = messages[pick % len(messages)]
        if fate == "lost" or (self.world.work(message, stop) and fate == "once"):
            messages.remove(message)

    @precondition(lambda self: self.world.actors)
    @rule(pick=PICKS, stop=STOPS)
    def one_that_was_stopped_goes_on(self, pick: int, stop: Stop | None) -> None:
        self.world.resume(self.world.actors[pick % len(self.world.actors)], stop)

    @rule(pick=PICKS, fate=FATES, pause=PAUSES, nap=NAPS, others=STOPS, end=ENDS)
    def a_worker_stands_still_while_others_go_on(
        self, pick: int, fate: str, pause: Stop, nap: int, others: Stop | None, end: Stop | None
    ) -> None:
        if not self.world.broker.messages:
            self.a_producer_sends(["found"], None)
            self.world.relay(0, None)
        if self.world.broker.messages:
            with self._others_going_on(nap, others, end):
                self.a_message_leaves_the_broker(pick, pause, fate)

    @rule(pause=PAUSES, nap=NAPS, others=STOPS, end=ENDS)
    def a_relay_stands_still_while_others_go_on(
        self, pause: Stop, nap: int, others: Stop | None, end: Stop | None
    ) -> None:
        self.a_producer_sends(["found"], None)
        with self._others_going_on(nap, others, end):
            self.world.relay(0, pause)

    @contextmanager
    def _others_going_on(self, nap: int, others: Stop | None, end: Stop | None) -> Iterator[None]:
        known = list(self.world.actors)
        yield
        still = [one for one in self.world.actors if one not in known]
        self.world.clock.advance(nap)
        self.world.relay(1, None)
        for message in self.world.broker.take_all():
            self.world.work(message, others)
        for actor in still:
            self.world.resume(actor, end)

    @rule(seconds=st.sampled_from([1, 6, 26, 91]))
    def time_passes(self, seconds: int) -> None:
        self.world.clock.advance(seconds)

    @rule(happenings=st.lists(st.sampled_from(HAPPENINGS), min_size=1, max_size=4))
    def there_will_be_trouble(self, happenings: list[tuple[str, str]]) -> None:
        for at, what in happenings:
            if at == "decide":
                self.lab.breaking += 1
            else:
                self.world.tool.mishaps[at].append(what)

    @rule(command=st.sampled_from(["publish", *COMMANDS]), stop=STOPS)
    def a_person_acts(self, command: str, stop: Stop | None) -> None:
        if command in COMMANDS:
            self.world.person(COMMANDS[command], stop)
        elif self.world.versions < MOST_VERSIONS:
            self.world.publish()

    @rule(turns=st.integers(1, 3))
    def nothing_goes_wrong_for_a_while(self, turns: int) -> None:
        for _ in range(turns):
            self.world.relay(0, None)
            self.world.work_off()

    def teardown(self) -> None:
        self.lab.breaking = 0
        with self.world.closing():
            self.world.come_to_a_good_end()


@pytest.mark.slow
def test_nothing_is_lost_and_nothing_doubled_whatever_happens(quick_lab: Lab) -> None:
    _tell(quick_lab, _settings(60))


@pytest.mark.postgres
def test_nothing_is_lost_and_nothing_doubled_beside_a_server(server_lab: Lab) -> None:
    _tell(server_lab, _settings(5))


def _tell(lab: Lab, told: settings) -> None:
    run_state_machine_as_test(lambda: Machine(lab), settings=told)  # type: ignore[arg-type]


def _settings(examples: int) -> settings:
    same = settings(
        stateful_step_count=30,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    exploring = settings.get_current_profile_name() == "explore"
    return same if exploring else settings(same, max_examples=examples, derandomize=True)
