"""Who heals sees personal values where their role allows it; who only looks sees masks."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from orchestrator.domain.access.roles import Role
from orchestrator.embedded.child import EmbeddedServer
from orchestrator.store.database.migrate import open_store
from orchestrator.store.views.audit import list_audit
from tests.dashboard.access.desk import add_people, somebody
from tests.dashboard.rig import running_flower
from tests.marked import SECRET, fill_marked
from tests.people import add

pytestmark = pytest.mark.processes

ADA, VIC = "ada@acme.example", "vic@acme.example"


def test_a_plan_and_a_preview_show_values_to_whom_the_table_lets_see_them(
    tmp_path: Path, valkey: EmbeddedServer
) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    with closing(open_store(url)) as store:
        marked = fill_marked(store)
        add_people(store, ada="Ada")
        add(store, VIC, Role.VIEWER, "acme")
        with (
            running_flower(tmp_path, store_url=url, broker_url=valkey.url) as flower,
            somebody(flower) as ada,
            somebody(flower) as vic,
        ):
            ada.come_in(store, ADA)
            vic.come_in(store, VIC)
            plan = f"/plans/{marked.token}"
            looks = (plan, "/jobs/1", "/jobs/1/failed.csv", "/jobs/1/failed.json")
            for path in looks:
                answer = vic.get(path)
                assert answer.status_code == 200, path
                assert SECRET not in answer.text.casefold(), path
            assert SECRET in ada.get(plan).text.casefold()

            tried = [
                ada.post(f"/incidents/{number}/recipe/preview", {"recipe": "--set-from copy=email"})
                for number in range(1, 5)
            ]
            assert any(SECRET in one.text.casefold() for one in tried)
        with store.read() as tx:
            seen = list_audit(tx, action="see_personal_data")
    assert {row.actor for row in seen} == {f"person:{ADA}/page"}
