"""Personal values over HTTP: a viewer's key sees masks, an operator's values, and it is audited."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest
from sqlalchemy import select

from orchestrator.domain.access.roles import Role
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import audit
from tests.api.doors import RunningDoor, run_door
from tests.marked import SECRET, Marked, fill_marked
from tests.people import add, add_admin, key_of

MASK = "••••"
OPERATOR = "operator@acme.example"


@dataclass(frozen=True, kw_only=True)
class MarkedDesk:
    """A door before marked events, and two keys of people."""

    store: Store
    door: RunningDoor
    marked: Marked
    keys: Mapping[Role, str]

    def read(self, address: str, role: Role) -> str:
        answer = self.door.get(address, key=self.keys[role])
        assert answer.status_code == 200, answer.text
        return answer.text.casefold()


@pytest.fixture
def marked_desk(store: Store) -> Iterator[MarkedDesk]:
    marked = fill_marked(store)
    add_admin(store)
    keys = {role: _key(store, role) for role in (Role.VIEWER, Role.OPERATOR)}
    with run_door(store, None, None, key=keys[Role.VIEWER]) as door:
        yield MarkedDesk(store=store, door=door, marked=marked, keys=keys)


@pytest.mark.parametrize(
    "address", ["/v1/events", "/v1/events/{event}", "/v1/quarantine", "/v1/plans/{token}"]
)
def test_a_viewer_sees_masks_and_an_operator_values_which_is_audited(
    marked_desk: MarkedDesk, address: str
) -> None:
    marked = marked_desk.marked
    address = address.format(token=marked.token, event=marked.refused)

    masked = marked_desk.read(address, Role.VIEWER)
    assert seen_by(marked_desk.store) == set()
    plain = marked_desk.read(address, Role.OPERATOR)

    assert SECRET not in masked
    assert MASK in masked
    assert SECRET in plain
    assert seen_by(marked_desk.store) == {f"person:{OPERATOR}"}


@pytest.mark.parametrize("address", ["/v1/quarantine?text={}&client=acme", "/v1/events?words={}"])
def test_a_viewer_does_not_search_what_is_masked(marked_desk: MarkedDesk, address: str) -> None:
    refused = marked_desk.door.get(address.format(SECRET))

    assert refused.status_code == 422, refused.text
    marked_desk.read(address.format(SECRET), Role.OPERATOR)


def seen_by(store: Store) -> set[str]:
    """Who saw personal values, as the audit has it, without the key."""
    looked = select(audit.c.actor).where(audit.c.action == "see_personal_data")
    with store.read() as tx:
        return {actor.partition("/")[0] for actor in tx.execute(looked).scalars()}


def _key(store: Store, role: Role) -> str:
    person = f"{role}@acme.example"
    add(store, person, role, "acme")
    return key_of(store, person, role, "acme")
