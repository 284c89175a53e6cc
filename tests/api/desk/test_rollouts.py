"""A rollout over HTTP alone: proposed, approved, run, judged, looked at, and stopped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from orchestrator.domain.access.roles import Role
from orchestrator.operations.access.keys import create_key
from orchestrator.operations.changes.keep_time import keep_time_of_changes
from orchestrator.operations.changes.rollout.keep import keep_rollouts
from orchestrator.store.database.engine import Store
from tests.api.doors import RunningDoor, problem, run_door
from tests.leads import TEXT
from tests.people import ADMIN, add, key_of, logged_in
from tests.store.changes.governed import APPROVER, AUTHOR, govern, live_version
from tests.store.changes.rollout.rolling import BROKEN, HARMLESS, work
from tests.stores import open_new


@dataclass(frozen=True, kw_only=True)
class Rolling:
    """A door, and a key for each who acts."""

    store: Store
    door: RunningDoor
    author: str
    approver: str
    viewer: str
    producer: str

    def post(self, path: str, body: object, key: str) -> Any:
        return self.door.ask("POST", path, json=body, headers=self.door.authorization(key))

    def roll_out(self, text: str, **steps: str) -> Any:
        """Propose and approve it; the answer to the approval."""
        told = self.post("/v1/workflows", {"file": text, "why": "w", **steps}, self.author).json()
        assert told["state"] == "proposed"
        address = f"/v1/changes/{told['change']}/decision"
        return self.post(address, {"decision": "approve"}, self.approver).json()

    def figures(self, token: str) -> Any:
        return self.door.get(f"/v1/changes/{token}/rollout", key=self.viewer).json()

    def send(self, number: int, tier: str) -> None:
        body = {
            "client": "acme",
            "type": "lead.created",
            "data": {"email": f"{number}@example.com", "tier": tier},
        }
        assert self.post("/v1/events", body, self.producer).status_code == 202

    def keep(self) -> None:
        """What relay, worker and keeper do meanwhile."""
        work(self.store)
        keep_rollouts(self.store)
        keep_time_of_changes(self.store)


@pytest.fixture
def rolling(tmp_path: Path) -> Iterator[Rolling]:
    store = open_new(tmp_path / "store" / "meshline.db")
    govern(store)
    add(store, "viewer@acme.example", Role.VIEWER, "acme")
    admin = logged_in(store, ADMIN)
    try:
        with run_door(store, None, None, key="none") as door:
            yield Rolling(
                store=store,
                door=door,
                author=key_of(store, AUTHOR, Role.OPERATOR, "acme"),
                approver=key_of(store, APPROVER, Role.APPROVER, "acme"),
                viewer=key_of(store, "viewer@acme.example", Role.VIEWER, "acme"),
                producer=create_key(store, clients=["acme"], label="t", actor=admin),
            )
    finally:
        store.close()


def test_it_goes_on_or_back_by_what_becomes_of_events_that_came_over_http(rolling: Rolling) -> None:
    good = rolling.roll_out(HARMLESS, canary="100%", each="2ev")
    assert (good["state"], good["live_version"]) == ("canary", None)
    said = rolling.figures(good["change"])
    assert said["says"].startswith("not enough yet: this step needs 2 more events")
    for number in range(2):
        rolling.send(number, "enterprise")
    rolling.keep()
    said = rolling.figures(good["change"])
    assert (said["state"], said["says"], said["taken"]["delivered"]) == (
        "live",
        "every step passed",
        2,
    )
    assert live_version(rolling.store) == 2

    bad = rolling.roll_out(BROKEN.replace("20m", "30m"), canary="100%", each="9ev")["change"]
    rolling.send(7, "pro")
    rolling.keep()
    said = rolling.figures(bad)
    assert (said["state"], said["taken"]["quarantined"]) == ("rolled_back", 1)
    assert "has not had in 28 days" in said["says"]
    assert live_version(rolling.store) == 2


def test_somebody_stops_it_and_what_waited_for_its_end_goes_live(rolling: Rolling) -> None:
    tried = rolling.roll_out(HARMLESS, shadow="1h")["change"]
    waiting = rolling.roll_out(TEXT.replace("15m", "33m"))
    assert (waiting["state"], waiting["waits_for"]) == ("approved", tried)
    (step,) = rolling.figures(tried)["steps"]
    assert (step["mode"], step["events"], step["left"]) == ("shadow", 0, 0)

    stop = f"/v1/changes/{tried}/stop"
    problem(rolling.post(stop, {"why": "no"}, rolling.viewer), 403, "forbidden")
    problem(rolling.post(stop, {"why": " "}, rolling.author), 422, "refused")
    assert live_version(rolling.store) == 1
    stopped = rolling.post(stop, {"why": "the desk sees odd titles"}, rolling.author)
    assert (stopped.status_code, stopped.json()["state"]) == (200, "rolled_back")
    problem(rolling.post(stop, {"why": "again"}, rolling.author), 409, "illegal_move")
    assert rolling.figures(tried)["says"] == "it went back: the desk sees odd titles"

    rolling.keep()
    told = rolling.door.get(f"/v1/changes/{waiting['change']}", key=rolling.viewer).json()
    assert (told["state"], told["live_version"], told["waits_for"]) == ("live", 3, None)
