"""Acts on the page of a job: stop it, and go on with it; by whom, and on changed ground."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from orchestrator.domain.access.roles import Role
from orchestrator.embedded.child import EmbeddedServer
from orchestrator.operations.jobs.start import start_plan_job
from orchestrator.store.database.engine import Store
from orchestrator.store.database.migrate import open_store
from orchestrator.store.views.jobs import find_job
from tests.dashboard.access.desk import Somebody, add_operator, add_people, somebody
from tests.dashboard.page_text import text_of
from tests.dashboard.rig import RunningFlower, running_flower
from tests.people import add, named
from tests.plans import frozen

pytestmark = pytest.mark.processes

ADA, BEN = "ada@acme.example", "ben@acme.example"
VIC, EVE = "vic@acme.example", "eve@globex.example"


@pytest.fixture(scope="module")
def desk(
    tmp_path_factory: pytest.TempPathFactory, valkey: EmbeddedServer
) -> Iterator[tuple[RunningFlower, Store]]:
    """Flower over a job of acme's that no keeper takes; two operators, a viewer, a stranger."""
    folder: Path = tmp_path_factory.mktemp("jobs")
    url = f"sqlite:///{folder / 'store.db'}"
    with closing(open_store(url)) as store:
        plan = frozen(store, 3)
        add_people(store, ada="Ada", ben="Ben")
        add(store, VIC, Role.VIEWER, "acme")
        add_operator(store, EVE, "Eve", "globex")
        start_plan_job(store, plan, actor=named(store, ADA))
        with running_flower(folder, store_url=url, broker_url=valkey.url) as flower:
            yield flower, store


def act(one: Somebody, what: str, seen: str) -> httpx.Response:
    return one.post(f"/jobs/1/{what}", {"seen": seen, "why": "a test"})


def seen_by(one: Somebody) -> str:
    return one.seen_on("/jobs/1")


def state(store: Store) -> str:
    with store.read() as tx:
        job = find_job(tx, 1)
    assert job
    return job.state


def test_a_job_is_stopped_and_goes_on_and_the_second_is_told_who_did_it(
    desk: tuple[RunningFlower, Store],
) -> None:
    flower, store = desk
    with somebody(flower) as ada, somebody(flower) as ben:
        ada.come_in(store, ADA)
        ben.come_in(store, BEN)
        seen = seen_by(ada)

        done, late = act(ada, "stop", seen), act(ben, "stop", seen)
        assert (done.status_code, done.headers["Location"]) == (303, "/jobs/1")
        assert (late.status_code, state(store)) == (409, "stopped")
        assert f"is stopped: person:{ADA}/page stopped it at" in text_of(late.text)

        on, late = act(ben, "resume", seen_by(ben)), act(ada, "resume", seen)
        assert (on.status_code, late.status_code, state(store)) == (303, 409, "queued")
        assert f"person:{BEN}/page resumed it at" in text_of(late.text)


def test_who_may_not_act_on_a_job_is_not_offered_it_and_changes_nothing(
    desk: tuple[RunningFlower, Store],
) -> None:
    flower, store = desk
    with somebody(flower) as ada, somebody(flower) as vic, somebody(flower) as eve:
        for one, mail in ((ada, ADA), (vic, VIC), (eve, EVE)):
            one.come_in(store, mail)
        seen, before = seen_by(ada), state(store)

        assert 'action="/jobs/1/' not in vic.get("/jobs/1").text
        for what in ("stop", "resume"):
            assert act(vic, what, seen).status_code == 403
            assert act(eve, what, seen).status_code == 404
            assert ada.get(f"/jobs/1/{what}").status_code == 405
        assert state(store) == before
