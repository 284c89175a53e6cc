"""A short storm over each pair of store and broker: nothing is lost, nothing is doubled."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.account import LEFT_OUT
from tests.faults.plan import Kind, Pair, kinds_of
from tests.faults.run import Options, run_chaos

EVENTS = 400
KINDS = (
    Kind.POOL_CHILD_KILLED,
    Kind.WORKER_KILLED,
    Kind.RELAY_KILLED,
    Kind.DOOR_KILLED,
    Kind.BROKER_EMPTIED,
    Kind.BROKER_KILLED,
    Kind.BROKER_WIPED,
    Kind.BROKER_FROZEN,
    Kind.STORE_CRASHED,
    Kind.CLOCK_STEPPED,
    Kind.CUT_AFTER_STORE,
    Kind.ERROR,
)
SPARED = {Pair.SQLITE: (), Pair.POSTGRES: (), Pair.RABBITMQ: (Kind.BROKER_WIPED,)}
"""RabbitMQ takes ten seconds to come up."""


@pytest.mark.processes
@pytest.mark.parametrize("pair", list(Pair))
def test_whatever_breaks_every_lead_arrives_once(
    pair: Pair, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    kinds = tuple(kind for kind in KINDS if kind in kinds_of(pair) and kind not in SPARED[pair])
    storm = Options(pair=pair, events=EVENTS, faults=len(kinds), seed=1, pace=0.2, only=kinds)

    report = run_chaos(storm, tmp_path / "home", print)

    for kind in report.left_out.keys() & {*kinds}:
        record_property(LEFT_OUT, f"{kind}: {report.left_out[kind]}")
    told = "\n".join(report.lines())
    assert report.whole, told
    assert not report.too_still, told
    assert report.verdict.flawless, told
    assert {one.kind for one in report.struck} == {*kinds} - report.left_out.keys(), told
    assert report.last_line() == (
        f"chaos: accepted {EVENTS} confirmed 387 quarantined 13 lost 0 doubled 0"
    ), told
