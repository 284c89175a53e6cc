"""Several deliveries by one request, where a definition says how, and what can befall it."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from connectors.handoff.concurrent import Job, hand_over_many
from orchestrator.domain.delivery.handoff import Action, Confirmed, Failed, Outcome, Receipted
from orchestrator.pipeline.settle import Done
from tests.vendors.cases import Case
from tests.vendors.driving import Bench, bench_of, drive
from tests.vendors.every import CASES
from tests.vendors.fault_proxy import FAULTS, FaultProxy
from tests.vendors.shipped import definition

_MANY = 5
TOGETHER = [one for one in CASES if definition(one.connector).actions[one.action].batch]

together = pytest.mark.parametrize("case", TOGETHER, ids=lambda case: case.name)


def fields(case: Case, number: int) -> dict[str, object]:
    """What the delivery of a number sends: nobody else is meant by it."""
    whose = {"email": f"lead{number}@b.example", "user_id": f"u-{number}"}
    return {name: whose.get(name, value) for name, value in case.fields.items()}


async def hand_all(bench: Bench) -> list[Outcome]:
    jobs = [
        Job(
            id=str(number),
            connector=bench.connector,
            call=bench.call(f"event-{number}.desk", fields(bench.case, number)),
            confirm=bench.case.confirm,
        )
        for number in range(_MANY)
    ]
    answers = await hand_over_many(jobs, finish_by=time.monotonic() + 60)
    outcomes = [answers[job.id] for job in jobs]
    assert all(isinstance(one, Confirmed | Receipted | Failed) for one in outcomes), outcomes
    return [one for one in outcomes if isinstance(one, Confirmed | Receipted | Failed)]


def writes(bench: Bench) -> int:
    return sum(asked.method != "GET" for asked in bench.stand_in.asked)


def action_of(bench: Bench) -> Action:
    return bench.connector.actions[bench.case.action]


@together
def test_several_go_out_by_one_request_and_each_is_proven_by_itself(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        async with bench_of(case, monkeypatch, tmp_path) as bench:
            outcomes = await hand_all(bench)

            assert all(isinstance(one, Confirmed | Receipted) for one in outcomes), outcomes
            assert writes(bench) == 1
            assert bench.stored() == _MANY

    asyncio.run(story())


@together
def test_what_befalls_the_one_request_doubles_and_loses_none_of_them(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        async with (
            FaultProxy() as proxy,
            bench_of(case, monkeypatch, tmp_path, through=proxy.through) as bench,
        ):
            for fault in FAULTS:
                bench.stand_in.forget()
                proxy.next(fault, at="write")
                for number, outcome in enumerate(await hand_all(bench)):
                    await finish(bench, proxy, number, outcome)
                assert bench.stored() == _MANY, fault

    asyncio.run(story())


async def finish(bench: Bench, proxy: FaultProxy, number: int, outcome: Outcome) -> None:
    """Bring one delivery to its end, alone, as the store would."""
    if isinstance(outcome, Failed):
        settled = await drive(
            bench,
            longest=10,
            meanwhile=proxy.quiet,
            call=bench.call(f"event-{number}.desk", fields(bench.case, number)),
            unknown=outcome.unknown,
        )
        assert isinstance(settled, Done), settled


def test_one_that_is_not_taken_spoils_nothing_for_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (case,) = (one for one in TOGETHER if one.name == "hubspot.upsert_contact")

    async def story() -> None:
        async with bench_of(case, monkeypatch, tmp_path) as bench:
            calls = [bench.call(f"event-{n}.crm", fields(case, n)) for n in range(_MANY)]
            wrong = bench.call("event-x.crm", {**case.fields, "email": "nobody"})
            jobs = [
                Job(id=call.key, connector=bench.connector, call=call, confirm=case.confirm)
                for call in (*calls, wrong)
            ]

            answers = await hand_over_many(jobs, finish_by=time.monotonic() + 60)

            refused = answers.pop("event-x.crm")
            assert isinstance(refused, Failed)
            assert (refused.permanent, refused.unknown) == (True, False)
            assert all(isinstance(one, Confirmed) for one in answers.values()), answers
            assert bench.stored() == _MANY

    asyncio.run(story())
