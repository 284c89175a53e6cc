"""Producers say what waits on their own disks, and the door shows it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from meshline import Event, Producer
from meshline.spool import Spool
from meshline.transport import HttpTransport
from tests.api.doors import LEAD, RunningDoor, leads_store, open_door


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDoor]:
    with leads_store(tmp_path_factory.mktemp("door")) as store, open_door(store) as door:
        yield door


def _gauge(door: RunningDoor, name: str) -> list[float]:
    text = door.ask("GET", "/metrics").text
    found = re.findall(rf"^meshline_spool_{name}{{key=\"[^\"]+\"}} (\S+)$", text, re.MULTILINE)
    return [float(one) for one in found]


def _emit(door: RunningDoor, said: str) -> int:
    header = {"meshline_spool": said}
    body = b'{"type": "lead.created", "data": {"email": "jo@shop.example", "tier": "pro"}}'
    return door.post_raw(body, **header).status_code


def test_the_newest_report_of_each_spool_counts_and_those_of_one_key_are_summed(
    door: RunningDoor,
) -> None:
    for said in (
        "waiting=9, oldest=50, refused=1, id=aa",
        "waiting=4, oldest=70, refused=2, id=aa",
        "waiting=3, oldest=20, refused=0, id=bb",
    ):
        assert _emit(door, said) == 202

    assert _gauge(door, "waiting_events") == [7]
    assert _gauge(door, "refused_events") == [2]
    assert 70 <= _gauge(door, "oldest_seconds")[0] < 170

    for spool in ("aa", "bb"):
        _emit(door, f"waiting=0, oldest=0, refused=0, id={spool}")
    assert _gauge(door, "waiting_events") == [0]
    assert _gauge(door, "oldest_seconds") == [0]


@pytest.mark.parametrize("said", ["", "waiting=-1", "waiting=1e9", "oldest=5", "x" * 3000, "a,b=,"])
def test_a_report_that_cannot_be_read_costs_no_event_and_counts_nothing(
    door: RunningDoor, said: str
) -> None:
    before = _gauge(door, "waiting_events")

    assert _emit(door, said) == 202

    assert _gauge(door, "waiting_events") == before


def test_a_producer_reports_its_spool(door: RunningDoor, tmp_path: Path) -> None:
    path = tmp_path / "events.spool"
    away = Producer("http://127.0.0.1:9", key="k", spool=path, attempts=1, forward=False)
    with away:
        away.emit_many(Event("lead.created", LEAD, ordering_key=str(one)) for one in range(3))
    url = f"http://127.0.0.1:{door.port}"
    transport = HttpTransport(url)
    with Producer(url, key=door.key, spool=Spool(path), forward=False, transport=transport) as back:
        back.emit("lead.created", LEAD, ordering_key="another")
        assert _gauge(door, "waiting_events") == [3]
        assert back.flush() == 0

    assert _gauge(door, "waiting_events") == [0]
