"""What a person may not see is not there: every page, for somebody of another client."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from orchestrator.dashboard.actions.act import ActPage
from orchestrator.dashboard.pages.routes import routes
from orchestrator.dashboard.reader import StoreReader
from orchestrator.domain.access.roles import Role
from orchestrator.embedded.child import EmbeddedServer
from orchestrator.operations.access.keys import create_key
from orchestrator.store.database.engine import Store
from orchestrator.store.database.migrate import open_store
from tests.dashboard.access.desk import Somebody, add_people, somebody
from tests.dashboard.peopled import Peopled
from tests.dashboard.peopled import people as fill_with_people
from tests.dashboard.rig import RunningFlower, running_flower
from tests.people import ADMIN, add, logged_in, withdraw

VIC, ALL = "vic@bolt.example", "all@acme.example"  # a viewer of bolt's; an operator of everybody's
NIL = "nil@bolt.example"  # had a role once

LISTS = {
    *("now", "incidents", "events", "jobs", "destinations", "workflows", "inventory"),
    *("dead-letters", "alerts", "audit", "changes", "inbox", "approvals"),
}
FILES = ("/workflows/inventory.csv", "/workflows/inventory.json", "/audit.csv", "/audit.json")
ONE = {
    "event": "/events/{event}",
    "incident": "/incidents/1",
    "destination": "/destinations/acme/leads/crm",
    "connector": "/destinations/fake",
    "workflow": "/workflows/acme/leads",
    "dead-letter": "/dead-letters/{letter}",
    "job": "/jobs/1",
    "plan": "/plans/0123456789ab",
    "change": "/changes/{change}",
    "approval": "/approvals/{asked}",
}
# They show nothing of a client, or are tried elsewhere; for acts see test_every_route.py.
_OTHERS = {
    *("revision", "log-in", "log-in-by-company", "back-from-company", "sign-out", "invite"),
    "events-static",
}


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Peopled]]:
    """Acme has something of everything, bolt an event; Vic looks at bolt's."""
    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('story') / 'store.db'}")
    told = fill_with_people(store)
    add_people(store, all="All")
    add(store, VIC, Role.VIEWER, "bolt")
    add(store, NIL, Role.VIEWER, "bolt")
    withdraw(store, NIL, Role.VIEWER, "bolt")
    yield store, told
    store.close()


@pytest.fixture(scope="module")
def shown(
    tmp_path_factory: pytest.TempPathFactory, story: tuple[Store, Peopled], valkey: EmbeddedServer
) -> Iterator[RunningFlower]:
    """Flower over that store."""
    url = story[0].url.render_as_string(hide_password=False)
    folder = tmp_path_factory.mktemp("shown")
    with running_flower(folder, store_url=url, broker_url=valkey.url) as flower:
        yield flower


@pytest.fixture
def vic(shown: RunningFlower, story: tuple[Store, Peopled]) -> Iterator[Somebody]:
    """Vic, who has logged in."""
    with somebody(shown) as one:
        one.come_in(story[0], VIC)
        yield one


@pytest.fixture
def everyone(shown: RunningFlower, story: tuple[Store, Peopled]) -> Iterator[Somebody]:
    """Somebody of every client."""
    with somebody(shown) as one:
        one.come_in(story[0], ALL)
        yield one


def test_every_page_is_tried_here() -> None:
    ours = {
        one.name
        for one in routes(StoreReader("sqlite://"))
        if one.name and not issubclass(one.handler_class, ActPage)
    }
    files = {"inventory-file", "audit-file", "job-failed-file"}
    assert ours - _OTHERS - files - {"connector"} == LISTS | set(ONE) - {"connector"}


@pytest.mark.parametrize("path", [*(f"/{name}" for name in sorted(LISTS)), *FILES])
def test_a_list_has_nothing_of_another_client(
    vic: Somebody, everyone: Somebody, story: tuple[Store, Peopled], path: str
) -> None:
    path = path.replace("/inventory", "/workflows/inventory") if path == "/inventory" else path
    hers, all_ = vic.get(path), everyone.get(path)

    assert (hers.status_code, all_.status_code) == (200, 200)
    for told in ("acme", story[1].failing, story[1].held, story[1].filled.renamed):
        assert told not in hers.text.lower()
    if path not in ("/jobs", "/dead-letters"):  # of which the story has none, or nobody's
        assert "acme" in all_.text.lower()


@pytest.mark.parametrize("name", ONE)
def test_what_is_another_clients_is_not_there(
    vic: Somebody, everyone: Somebody, story: tuple[Store, Peopled], name: str
) -> None:
    told = story[1]
    path = ONE[name].format(
        event=told.failing, letter=told.open_letter, change=told.change, asked=told.asked
    )
    hers = vic.get(path)

    assert hers.status_code == 404
    assert everyone.get(path).status_code == (404 if name in ("job", "plan") else 200)
    # As of something that never was there.
    never = (
        path.replace(told.failing, "0" * 32)
        .replace(told.asked, "0" * 32)
        .replace("acme", "none")
        .replace("fake", "none")
    )
    never = never.replace(f"/{told.open_letter}", "/999") if name == "dead-letter" else never
    never = "/incidents/999" if name == "incident" else never
    assert vic.get(never).status_code == 404


def test_a_filter_for_another_client_finds_none_such(vic: Somebody) -> None:
    for path in ("/events", "/incidents", "/jobs", "/destinations", "/alerts", "/audit"):
        assert "there is no client" in vic.get(f"{path}?client=acme").text


# Whose a task is nobody knows.
FLOWERS = (
    *("/workers", "/worker/w1", "/tasks", "/task/1", "/tasks/datatable", "/broker"),
    *("/api/workers", "/api/tasks", "/api/task/info/1", "/metrics"),
)


def test_flowers_own_pages_are_for_those_who_see_every_client(
    vic: Somebody, everyone: Somebody
) -> None:
    assert {path: vic.get(path).status_code for path in FLOWERS} == dict.fromkeys(FLOWERS, 403)
    assert 403 not in {everyone.get(path).status_code for path in FLOWERS}
    hers, all_ = vic.get("/now").text, everyone.get("/now").text
    assert 'href="/tasks"' in all_ and 'href="/tasks"' not in hers
    assert vic.get("/there-is-none").status_code == 404


def test_somebody_without_a_role_sees_no_page_and_may_leave(
    shown: RunningFlower, story: tuple[Store, Peopled]
) -> None:
    with somebody(shown) as nil:
        nil.come_in(story[0], NIL)
        paths = ("/", "/now", "/now/revision", "/events", "/tasks", "/audit.csv", "/metrics")
        answers = {path: nil.get(path) for path in paths}
        assert {one.status_code for one in answers.values()} == {403}
        assert "You have no role yet" in answers["/now"].text
        assert nil.get("/logout").status_code == 200
        assert nil.post("/logout", {}).headers["Location"] == "/login"


def test_a_key_for_one_client_reads_no_metrics(
    shown: RunningFlower, story: tuple[Store, Peopled]
) -> None:
    admin = logged_in(story[0], ADMIN)
    key = create_key(story[0], clients=["bolt"], label="x", actor=admin, role=Role.VIEWER)

    with somebody(shown) as program:
        assert program.get("/metrics", Authorization=f"Bearer {key}").status_code == 403
