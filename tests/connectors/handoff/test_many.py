"""Many handoffs at once: each has its answer, and none starts that could not end in time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from connectors.definition.shared_keys import FakeDefinition
from connectors.definition_file import parse_definition
from connectors.fake import FakeConnector, Mishap
from connectors.handoff.concurrent import Job, hand_over_many
from orchestrator.domain.delivery.handoff import (
    Confirmed,
    Failed,
    NotStarted,
    Outgoing,
    Receipted,
    Timing,
)
from orchestrator.domain.errors import (
    ConnectorError,
    DestinationRefused,
    DestinationUnavailable,
    OutcomeUnknown,
    RateLimited,
    Unauthorized,
)
from tests.connectors.http.stub import WEBHOOK, Stub, made
from tests.connectors.rigs import sent

Run = Callable[..., Any]


def jobs_of(fake: FakeConnector, count: int) -> list[Job]:
    calls = [sent(f"key-{number}") for number in range(count)]
    return [Job(id=one.key, connector=fake, call=one, confirm=("email",)) for one in calls]


def test_many_are_handed_over_and_each_has_its_answer(fake: FakeConnector, run: Run) -> None:
    jobs = jobs_of(fake, 200)
    fake.mishaps.append(Mishap(at="create", error=OutcomeUnknown("gone"), stored=True))

    answers = run(hand_over_many(jobs, finish_by=time.monotonic() + 60))

    assert list(answers) == [job.id for job in jobs]
    assert sum(isinstance(one, Confirmed) for one in answers.values()) == 199
    assert isinstance(answers["key-0"], Failed)


def test_no_more_calls_are_under_way_than_the_action_allows(run: Run, stub: Stub) -> None:
    under_way, most = 0, 0

    async def hold(request: web.BaseRequest) -> web.Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.01)
        under_way -= 1
        return made()

    stub.handle_with(hold)
    connector = stub.connector(WEBHOOK.replace("timeout: 2s", "timeout: 2s\n    max_in_flight: 3"))
    jobs = [
        Job(id=str(number), connector=connector, call=sent(str(number), a=1), confirm=())
        for number in range(12)
    ]

    answers = run(hand_over_many(jobs, finish_by=time.monotonic() + 60))
    run(connector.close())

    assert all(isinstance(one, Receipted) for one in answers.values())
    assert most == 3


def test_no_call_starts_that_could_outlast_the_time(fake: FakeConnector, run: Run) -> None:
    within_its_timeout = time.monotonic() + fake.actions["record"].timeout_seconds - 1

    answers = run(hand_over_many(jobs_of(fake, 3), finish_by=within_its_timeout))

    assert [type(one) for one in answers.values()] == [NotStarted] * 3
    assert fake.creates == 0


def test_what_is_left_when_the_time_is_up_is_not_started(fake: FakeConnector, run: Run) -> None:
    timeout, lane = fake.actions["record"].timeout_seconds, fake.actions["record"].max_in_flight
    fake.mishaps.extend(Mishap(at="create", seconds=0.3) for _ in range(lane))

    answers = run(
        hand_over_many(jobs_of(fake, lane + 5), finish_by=time.monotonic() + timeout + 0.15)
    )

    kinds = [type(one) for one in answers.values()]
    assert kinds == [Confirmed] * lane + [NotStarted] * 5
    assert fake.creates == lane


def test_a_slow_destination_keeps_no_other_waiting(run: Run) -> None:
    finished: list[str] = []

    class Watched(FakeConnector):
        async def read(self, call: Outgoing, record_id: str) -> Any:
            finished.append(self.name)
            return await super().read(call, record_id)

    slow, quick = Watched(definition_of("slow")), Watched(definition_of("quick"))
    slow.mishaps.append(Mishap(at="create", seconds=0.2))
    jobs = [
        Job(id=one.name, connector=one, call=sent(one.name), confirm=("email",))
        for one in (slow, quick)
    ]

    run(hand_over_many(jobs, finish_by=time.monotonic() + 60))

    assert finished == ["quick", "slow"]


def definition_of(name: str) -> FakeDefinition:
    actions = "{record: {idempotency: lookup, proof: read_back, open_fields: true}}"
    text = f"connector: {name}\nkind: fake\nactions: {actions}"
    definition = parse_definition(text, name="test.yaml")
    assert isinstance(definition, FakeDefinition)
    return definition


def test_a_call_may_be_given_less_time_than_its_action_allows(
    fake: FakeConnector, run: Run
) -> None:
    fake.mishaps.append(Mishap(at="create", seconds=60))

    answers = run(hand_over_many(jobs_of(fake, 1), finish_by=time.monotonic() + 60, longest=0.1))

    (outcome,) = answers.values()
    assert isinstance(outcome, Failed)
    assert outcome.unknown
    assert "longer than 0.1 s" in outcome.error


@pytest.mark.parametrize("error", [RateLimited("429"), Unauthorized("401")])
def test_after_a_wish_for_a_pause_or_a_refused_login_no_further_call_starts(
    fake: FakeConnector, run: Run, error: ConnectorError
) -> None:
    lane = fake.actions["record"].max_in_flight
    fake.mishaps.extend(Mishap(at="create", error=error, seconds=0.01) for _ in range(lane))

    answers = run(hand_over_many(jobs_of(fake, lane * 3), finish_by=time.monotonic() + 60))

    assert sum(isinstance(one, NotStarted) for one in answers.values()) == lane * 2


def test_it_is_told_which_calls_failed_and_when_others_got_through(
    fake: FakeConnector, run: Run
) -> None:
    fake.mishaps.append(Mishap(at="create", error=DestinationUnavailable("503")))
    fake.mishaps.append(Mishap(at="create", error=DestinationRefused("422")))
    timing = Timing()

    run(hand_over_many(jobs_of(fake, 3), timing=timing, finish_by=time.monotonic() + 60))

    assert list(timing.failed) == ["key-0"]  # a refusal says that the system is up
    assert list(timing.taken) == [("fake", "record")]
    assert timing.failed["key-0"].began <= timing.failed["key-0"].ended
    assert not timing.halted


def test_what_never_went_out_says_nothing_of_its_system(fake: FakeConnector, run: Run) -> None:
    misfit = Job(id="odd", connector=fake, call=sent("odd"), confirm=())
    timing = Timing()

    answers = run(hand_over_many([misfit], timing=timing, finish_by=time.monotonic() + 60))

    assert isinstance(answers["odd"], Failed)
    assert not timing.taken and not timing.failed
