"""Flower hears of tasks on either broker, and its tab shows what no worker could read."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from tests.dashboard.rig import running_flower
from tests.poison.rig import Rig, Sent, eventually, ours

pytestmark = pytest.mark.processes


def test_flower_shows_tasks_and_poison(rig: Rig, tmp_path: Path) -> None:
    url = rig.store.url.render_as_string()
    with running_flower(tmp_path, store_url=url, broker_url=rig.broker) as flower:
        assert "poison_message" not in causes(flower.get("/events").text)
        rig.put(Sent(headers=ours("ghost")))

        def hears() -> bool:
            number = uuid.uuid4().hex
            rig.put(Sent(headers=ours(id=number)))
            return eventually(lambda: flower.get(f"/task/{number}").status_code == 200, seconds=3)

        assert eventually(hears)
        page = causes(flower.get("/events").text)

    assert "poison_message" in page
    assert "meshline" in page and "dead-letters" in page
    assert "Traceback" not in flower.log.read_text()


def causes(page: str) -> str:
    """The part of the tab that is about the quarantine."""
    return page.partition('id="causes"')[2].partition('id="list"')[0]
