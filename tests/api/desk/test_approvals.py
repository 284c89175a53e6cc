"""Events that wait for a yes, over HTTP: what is seen is what is decided about, by `If-Match`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from orchestrator.domain.access.roles import Role
from orchestrator.store.database.engine import Store
from tests.api.doors import RunningDoor, run_door
from tests.leads import accept_leads
from tests.people import key_of
from tests.store.approvals.asked import APPROVER, OPERATOR, drive, event, requests, with_people
from tests.stores import open_new


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[tuple[RunningDoor, Store, list[str]]]:
    """A door for the approver's key, and three leads that wait."""
    store = open_new(tmp_path / "store" / "meshline.db")
    with_people(store)
    ids = accept_leads(store, 3, tier="enterprise")
    drive(store)
    with run_door(store, None, None, key=key_of(store, APPROVER, Role.APPROVER, "acme")) as door:
        yield door, store, ids
    store.close()


def decide(
    door: RunningDoor, path: str, body: dict[str, str], *, tag: str | None = None, key: str = ""
) -> httpx.Response:
    headers = door.authorization(key or door.key)
    if tag is not None:
        headers["If-Match"] = tag
    return door.ask("POST", f"{path}/decision", json=body, headers=headers)


def test_one_is_decided_about_as_it_was_seen(
    asking: tuple[RunningDoor, Store, list[str]],
) -> None:
    door, store, (first, second, _) = asking
    shown = door.ask("GET", f"/v1/approvals/{first}", headers=door.authorization(door.key))
    listed = door.ask("GET", "/v1/approvals", headers=door.authorization(door.key)).json()
    path, yes = f"/v1/approvals/{first}", {"decision": "approve", "why": "known"}

    stale = decide(door, path, yes, tag='"another"')
    operator = decide(door, path, yes, key=key_of(store, OPERATOR, Role.OPERATOR, "acme"))
    blank = decide(door, f"/v1/approvals/{second}", {"decision": "refuse"})
    done = decide(door, path, yes, tag=shown.headers["ETag"])
    again = decide(door, path, yes)
    no = decide(door, f"/v1/approvals/{second}", {"decision": "refuse", "why": "not to them"})

    assert shown.json()["digest"] == requests(store)[0].subject
    assert shown.json()["deliveries"][1]["send"] == {"title": "Onboard lead-0@example.com"}
    assert len(listed["approvals"]) == 3
    assert (stale.status_code, stale.json()["code"]) == (412, "changed_since_seen")
    assert operator.status_code == 403
    assert (blank.status_code, blank.json()["field"]) == (422, "why")
    assert done.json() == {"decision": "approve", "events": [first], "left": []}
    assert again.status_code == 409
    assert "it was approved at" in again.json()["detail"]
    assert no.status_code == 200
    assert (event(store, first).state, event(store, second).state) == ("routed", "quarantined")


def test_a_group_needs_what_was_seen(asking: tuple[RunningDoor, Store, list[str]]) -> None:
    door, store, ids = asking
    headers = door.authorization(door.key)
    (group,) = door.ask("GET", "/v1/approval-groups", headers=headers).json()["groups"]
    path = f"/v1/approval-groups/{group['group']}"
    shown = door.ask("GET", path, headers=headers)

    without = decide(door, path, {"decision": "approve"})
    done = decide(door, path, {"decision": "approve"}, tag=shown.headers["ETag"])
    gone = door.ask("GET", path, headers=headers)

    assert (group["events"], len(shown.json()["requests"])) == (3, 3)
    assert (without.status_code, without.json()["field"]) == (422, "digest")
    assert sorted(done.json()["events"]) == sorted(ids)
    assert gone.status_code == 404
    assert {event(store, one).state for one in ids} == {"routed"}
