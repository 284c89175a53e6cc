"""Flower hears of tasks on either broker, and its tab shows what no worker could read."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from tests.dashboard.rig import running_flower
from tests.poison.rig import Rig, Sent, ours
from tests.waiting import eventually

pytestmark = pytest.mark.processes


def test_flower_shows_tasks_and_poison(rig: Rig, tmp_path: Path) -> None:
    url = rig.store.url.render_as_string()
    with running_flower(tmp_path, store_url=url, broker_url=rig.broker) as flower:
        assert "No dead letter is open" in flower.get("/dead-letters").text
        rig.put(Sent(headers=ours("ghost")))

        def hears() -> bool:
            number = uuid.uuid4().hex
            rig.put(Sent(headers=ours(id=number)))
            return eventually(lambda: flower.get(f"/task/{number}").status_code == 200, within=3)

        assert eventually(hears)
        page = flower.get("/dead-letters").text

    assert "No dead letter is open" not in page
    assert "ghost" in page
    assert "Traceback" not in flower.log.read_text()
