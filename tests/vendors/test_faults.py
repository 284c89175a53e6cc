"""Every shipped definition behind a proxy that cuts, delays, garbles and lies.

Whatever happens on the way, a delivery ends proven or with a person; never twice, never nowhere,
and never called done where it is not.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from connectors.registry import load_connectors
from orchestrator.domain.delivery.handoff import Confirmed, Receipted
from orchestrator.pipeline.settle import Done, GiveUp
from tests.vendors.cases import Case
from tests.vendors.driving import OTHER_KEY, Bench, bench_of, drive
from tests.vendors.every import CASES
from tests.vendors.fault_proxy import FAULTS, SLOW, FaultProxy
from tests.vendors.shipped import definition

_AT = [(name, at) for at in ("write", "read") for name in (*FAULTS, *SLOW)]
_SECONDS, _IMPATIENT = 2.0, 0.15  # for one handoff


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_no_fault_on_the_way_doubles_loses_or_feigns_a_delivery(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        async with (
            FaultProxy() as proxy,
            bench_of(case, monkeypatch, tmp_path, through=proxy.through) as bench,
        ):
            for fault, at in _AT:
                if at == "write" or case.confirm:
                    await one_fault(bench, proxy, fault, at)

    asyncio.run(story())


async def one_fault(bench: Bench, proxy: FaultProxy, fault: str, at: str) -> None:
    case = bench.case
    bench.stand_in.forget()
    case.prepare(bench.stand_in)
    other = await bench.hand(OTHER_KEY, case.other)
    assert isinstance(other, Confirmed | Receipted), other
    others = bench.stored()
    if isinstance(other, Confirmed):
        proxy.wrong_id = lambda body: swapped(bench, other.record_id, body)
    proxy.met.clear()
    proxy.next(fault, at=at)

    longest = _IMPATIENT if fault in SLOW else _SECONDS
    settled = await drive(bench, longest=longest, meanwhile=proxy.quiet)
    await proxy.quiet()

    where = f"{fault} at {at}: {settled}"
    made = bench.stored() - others
    assert proxy.met == [f"{fault} at {at}"], where
    assert made in (0, 1), f"doubled: {where}"
    assert isinstance(settled, GiveUp | Done)
    if isinstance(settled, Done):
        assert made == 1 or case.changes, f"feigned: {where}"
        await check_truth(bench, settled, where)


KEYED = [
    case for case in CASES if "{key}" in str(definition(case.connector).actions[case.action].read)
]


@pytest.mark.parametrize("case", KEYED, ids=lambda case: case.name)
def test_a_record_that_reads_the_same_but_is_anothers_is_not_taken_for_ours(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        async with (
            FaultProxy() as proxy,
            bench_of(case, monkeypatch, tmp_path, through=proxy.through) as bench,
        ):
            twin = await bench.hand(OTHER_KEY)
            assert isinstance(twin, Confirmed), twin
            proxy.wrong_id = lambda body: swapped(bench, twin.record_id, body)
            proxy.next("an answer with another record's id", at="write")

            settled = await drive(bench, longest=_SECONDS, meanwhile=proxy.quiet)

            assert bench.stored() == 2
            if isinstance(settled, Done):  # else it is with a person
                assert settled.record_id != twin.record_id

    asyncio.run(story())


def swapped(bench: Bench, other_id: str, body: bytes) -> bytes:
    """The answer, with the id of the other delivery's record in place of any of ours."""
    for record_id in bench.stand_in.kept:
        body = body.replace(record_id.encode(), other_id.encode())
    return body


async def check_truth(bench: Bench, settled: Done, where: str) -> None:
    """What was called done is there, in the record that was named."""
    if not bench.case.confirm:
        return
    looked = await bench.hand(known=settled.record_id)
    assert isinstance(looked, Confirmed), f"feigned: {where}: {looked}"
    assert settled.record_id in bench.stand_in.kept, f"feigned: {where}"


def test_every_action_over_http_that_is_shipped_was_put_behind_the_proxy() -> None:
    shipped = {
        f"{connector.name}.{action}"
        for connector in load_connectors(None).values()
        if type(connector).__name__ == "HttpConnector"
        for action in connector.actions
    }

    assert {case.name for case in CASES} == shipped
