"""Personal values on pages: a login sees them, which is audited; a signed link never does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestrator.domain.text.links import signed
from orchestrator.embedded.child import EmbeddedServer
from orchestrator.store.database.engine import Store
from orchestrator.store.database.migrate import open_store
from orchestrator.store.views.audit import list_audit
from orchestrator.store.views.incidents.list import Sought, list_incidents
from tests.dashboard.rig import USER, RunningFlower, running_flower
from tests.marked import SECRET, Marked, fill_marked

pytestmark = pytest.mark.processes

KEY = "a-key-of-signed-links"


@dataclass(frozen=True, kw_only=True)
class Desk:
    flower: RunningFlower
    store: Store
    marked: Marked
    incidents: tuple[int, ...]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, valkey: EmbeddedServer) -> Iterator[Desk]:
    """Flower before a store whose workflow marks personal fields."""
    folder: Path = tmp_path_factory.mktemp("marked")
    url = f"sqlite:///{folder / 'store.db'}"
    with closing(open_store(url)) as store, pytest.MonkeyPatch.context() as patch:
        marked = fill_marked(store)
        with store.read() as tx:
            incidents = tuple(one.id for one in list_incidents(tx, Sought()))
        patch.setenv("MESHLINE_LINK_KEY", KEY)
        with running_flower(folder, store_url=url, broker_url=valkey.url) as flower:
            yield Desk(flower=flower, store=store, marked=marked, incidents=incidents)


def test_who_is_logged_in_sees_them_and_the_audit_says_who(desk: Desk) -> None:
    for _ in range(2):
        assert SECRET in desk.flower.get(f"/events/{desk.marked.broken}").text

    with desk.store.read() as tx:
        (row,) = list_audit(tx, event_id=desk.marked.broken, action="see_personal_data")
    assert row.actor == f"page:{USER}"


def test_a_signed_link_shows_none_on_any_incident(desk: Desk) -> None:
    assert len(desk.incidents) > 2
    for incident in desk.incidents:
        link = signed(f"/incidents/{incident}", now=time.time(), key=KEY)
        page = desk.flower.get(link, login=False)

        assert page.status_code == 200
        assert SECRET not in page.text.casefold()
    with desk.store.read() as tx:
        assert {one.actor for one in list_audit(tx, action="see_personal_data")} <= {f"page:{USER}"}
