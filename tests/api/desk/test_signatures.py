"""A signed decision over HTTP: the text and its signature come with it, or neither."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.domain.access.roles import Role
from orchestrator.store.database.engine import Store
from tests.api.doors import RunningDoor, run_door
from tests.people import key_of
from tests.store.changes.governed import APPROVER, approver, change, govern, live_version, proposed
from tests.store.changes.signers import add_key, make_key, signed, statement
from tests.stores import open_new


@pytest.fixture
def door(tmp_path: Path) -> Iterator[tuple[RunningDoor, Store]]:
    """A door for the approver's key of HTTP."""
    store = open_new(tmp_path / "store" / "meshline.db")
    govern(store)
    with run_door(store, None, None, key=key_of(store, APPROVER, Role.APPROVER, "acme")) as opened:
        yield opened, store
    store.close()


def test_a_signed_decision_has_its_own_grade(
    door: tuple[RunningDoor, Store], tmp_path: Path
) -> None:
    opened, store = door
    token, key = proposed(store), make_key(tmp_path)
    add_key(store, key, by=approver(store))
    said = signed(key, statement(store, token, by=approver(store)))
    path, mine = f"/v1/changes/{token}/decision", opened.authorization(opened.key)
    yes = {"decision": "approve", "message": said.message}

    alone = opened.ask("POST", path, json=yes, headers=mine)
    wrong = opened.ask("POST", path, json={**yes, "signature": "no"}, headers=mine)
    both = {**yes, "signature": said.signature, "run_plan": "x"}
    plan = opened.ask("POST", path, json=both, headers=mine)
    done = opened.ask("POST", path, json={**yes, "signature": said.signature}, headers=mine)

    assert (alone.status_code, wrong.status_code, plan.status_code) == (422, 422, 422)
    assert plan.json()["detail"].startswith("an approval with a plan cannot be signed")
    assert alone.json()["detail"].startswith("a signature comes with the text that was signed")
    assert wrong.json()["detail"].startswith("the signature does not count: ")
    assert (done.status_code, done.json()["state"], live_version(store)) == (200, "live", 2)
    assert [one.grade for one in change(store, token).decisions] == ["key"]


def test_a_decision_by_a_key_of_http_says_so(door: tuple[RunningDoor, Store]) -> None:
    opened, store = door
    token, mine = proposed(store), opened.authorization(opened.key)

    yes = {"decision": "approve"}
    done = opened.ask("POST", f"/v1/changes/{token}/decision", json=yes, headers=mine)

    assert done.status_code == 200
    assert [one.grade for one in change(store, token).decisions] == ["api_key"]
