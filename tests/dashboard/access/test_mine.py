"""What waits for whoever has logged in: a number on the first page, and the list behind it."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path

from orchestrator.embedded.child import EmbeddedServer
from orchestrator.operations.incidents.handle import acknowledge_incidents, assign_incidents
from orchestrator.store.database.migrate import open_store
from orchestrator.store.views.incidents.list import Sought, list_incidents
from tests.dashboard.access.desk import Somebody, add_people, somebody
from tests.dashboard.filled import fill
from tests.dashboard.page_text import text_of
from tests.dashboard.rig import running_flower
from tests.people import logged_in

ADA, BEN = "ada@acme.example", "ben@acme.example"


def mine(one: Somebody) -> tuple[int, list[int]]:
    """The number on the first page, and the incidents of the list that it leads to."""
    count = re.search(r"(\d+) mine: incidents that wait for me", text_of(one.get("/now").text))
    assert count
    listed = re.findall(r'data-row="(\d+)"', one.get("/incidents?mine=yes").text)
    return int(count[1]), sorted(map(int, listed))


def test_an_incident_is_mine_until_i_acknowledge_it(tmp_path: Path, valkey: EmbeddedServer) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    with closing(open_store(url)) as store:
        fill(store)
        add_people(store, ada="Ada", ben="Ben")
        with store.read() as tx:
            first, second = sorted(one.id for one in list_incidents(tx, Sought()))[:2]
        with (
            running_flower(tmp_path, store_url=url, broker_url=valkey.url) as flower,
            somebody(flower) as ada,
            somebody(flower) as ben,
        ):
            ada.come_in(store, ADA)
            ben.come_in(store, BEN)
            assert mine(ada) == (0, [])

            assign_incidents(store, [first, second], owner=ADA, actor=logged_in(store, BEN))
            acknowledge_incidents(store, [second], actor=logged_in(store, BEN))
            assert (mine(ada), mine(ben)) == ((2, [first, second]), (0, []))

            acknowledge_incidents(store, [first], actor=logged_in(store, ADA))
            assert mine(ada) == (1, [second])
