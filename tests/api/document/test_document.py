"""The door answers what /openapi.json says, to requests that fit it and to those that do not."""

from __future__ import annotations

import pytest

from orchestrator.api.desk.table import ROUTES
from tests.api.desk.stories import open_desk
from tests.api.document.holding import NEVER_DONE, Held, hold

pytestmark = pytest.mark.slow

MANY = 2_500  # requests; fewer were sent where a phase was left out


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Held:
    with open_desk(tmp_path_factory.mktemp("desk")) as desk:
        return hold(desk, seed=1, examples=2)


def test_no_answer_is_other_than_the_document_says(held: Held) -> None:
    assert held.failures == []


def test_every_route_was_asked_and_did_what_it_is_for(held: Held) -> None:
    assert held.requests > MANY
    asked = {f"{one.method} {one.path.replace(':circuit', '')}" for one in ROUTES}
    assert asked - held.statuses.keys() == {"GET /openapi.json"}
    assert held.never_done == NEVER_DONE
