"""A producer's key reads where its event is, and no personal value of it."""

from __future__ import annotations

import orjson

from orchestrator.store.database.engine import Store
from tests.api.doors import open_door
from tests.marked import SECRET, fill_marked


def test_the_door_shows_no_personal_value(store: Store) -> None:
    marked = fill_marked(store)

    with open_door(store) as door:
        shown = {one: door.get(f"/v1/events/{one}").json() for one in marked.events}

    told = orjson.dumps(shown).decode().casefold()
    assert SECRET not in told
    assert shown[marked.broken]["quarantine"]["violations"][0]["kind"] == "format"
    assert "••••" in told
