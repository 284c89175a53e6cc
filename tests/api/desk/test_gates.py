"""QA gates over HTTP: what stops a change is seen there, and waived by its approver alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.domain.access.roles import Role
from orchestrator.store.database.engine import Store
from tests.api.doors import RunningDoor, run_door
from tests.leads import TEXT, accept_leads
from tests.people import key_of
from tests.store.changes.governed import APPROVER, AUTHOR, govern, live_version, proposed
from tests.stores import open_new

NEEDS_PLAN = TEXT.replace("[email, tier]\n  prop", "[email, tier, plan]\n  prop").replace(
    "    tier: {enum", "    plan: {type: string}\n    tier: {enum"
)


@pytest.fixture
def refusing(tmp_path: Path) -> Iterator[tuple[RunningDoor, Store, str]]:
    """A door for the approver's key, and a change that would newly refuse three events."""
    store = open_new(tmp_path / "store" / "meshline.db")
    govern(store)
    accept_leads(store, 3)
    token = proposed(store, NEEDS_PLAN)
    with run_door(store, None, None, key=key_of(store, APPROVER, Role.APPROVER, "acme")) as door:
        yield door, store, token
    store.close()


def test_a_gate_stops_the_approval_until_the_approver_waives_it(
    refusing: tuple[RunningDoor, Store, str],
) -> None:
    door, store, token = refusing
    path, mine = f"/v1/changes/{token}", door.authorization(door.key)
    authors = door.authorization(key_of(store, AUTHOR, Role.OPERATOR, "acme"))
    waiver = {"gate": "contract", "until": "3d", "why": "the old form is off on Friday"}
    yes = {"decision": "approve"}

    seen = door.ask("GET", f"{path}/gates", headers=authors).json()
    stopped = door.ask("POST", f"{path}/decision", json=yes, headers=mine)
    own = door.ask("POST", f"{path}/waivers", json=waiver, headers=authors)
    endless = door.ask("POST", f"{path}/waivers", json={**waiver, "until": ""}, headers=mine)
    waived = door.ask("POST", f"{path}/waivers", json=waiver, headers=mine)
    done = door.ask("POST", f"{path}/decision", json=yes, headers=mine)

    assert (seen["change"], seen["stops"], len(seen["checklist"])) == (token, True, 8)
    (failing,) = [one for one in seen["gates"] if one["stops"]]
    assert (failing["gate"], failing["state"], failing["force"]) == ("contract", "fail", "blocks")
    assert stopped.status_code == 422
    assert "the gate `contract` fails: of all 3 events" in stopped.json()["detail"]
    assert (own.status_code, endless.status_code) == (403, 422)
    assert (waived.status_code, waived.json()["state"]) == (200, "waived")
    assert waived.json()["waiver"]["by"].startswith(f"person:{APPROVER}/key:")
    assert (done.status_code, done.json()["state"], live_version(store)) == (200, "live", 2)


def test_gates_of_no_change_are_not_found(refusing: tuple[RunningDoor, Store, str]) -> None:
    door, _, _ = refusing
    mine = door.authorization(door.key)

    assert door.ask("GET", "/v1/changes/nope/gates", headers=mine).status_code == 404
