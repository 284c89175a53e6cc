"""Flower behind a proxy that speaks https, sends its secret, and knows who people are."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from orchestrator.dashboard.access.trusted_proxy import SECRET_HEADER
from orchestrator.embedded.child import EmbeddedServer
from orchestrator.operations.access.people import disable_person
from orchestrator.store.database.engine import Store
from tests.dashboard.access.desk import add_operator
from tests.dashboard.rig import RunningFlower, running_flower
from tests.people import ADMIN, PASSWORD, logged_in

pytestmark = pytest.mark.processes

SECRET = "the-secret-of-the-proxy"
DESK = "https://desk.example"


@pytest.fixture(scope="module")
def proxied(
    tmp_path_factory: pytest.TempPathFactory, people: Store, valkey: EmbeddedServer
) -> Iterator[RunningFlower]:
    """A Flower that believes a proxy."""
    folder = tmp_path_factory.mktemp("proxied")
    url = people.url.render_as_string(hide_password=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MESHLINE_DASHBOARD_URL", DESK)
        patch.setenv("MESHLINE_PROXY_SECRET", SECRET)
        patch.setenv("MESHLINE_PROXY_LOGIN_HEADER", "X-Mail")
        with running_flower(folder, store_url=url, broker_url=valkey.url) as flower:
            yield flower


def get(flower: RunningFlower, **headers: str) -> httpx.Response:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.get(f"{flower.url}/events", headers=given, timeout=30)


def test_the_proxy_lets_in_whom_it_names(proxied: RunningFlower) -> None:
    answer = get(proxied, **{SECRET_HEADER: SECRET, "X-Mail": "Ben@acme.example"})

    assert answer.status_code == 200
    assert ">Ben</a>" in answer.text
    assert ">Sign out</button>" not in answer.text, "there is no session to end"


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Mail": "ben@acme.example"},
        {"X-Mail": "ben@acme.example", SECRET_HEADER: "another-secret-of-a-stranger"},
        {"X-Mail": "nobody@acme.example", SECRET_HEADER: SECRET},
        {"X-Mail": "ada@acme.example,ben@acme.example", SECRET_HEADER: SECRET},
        {"X-Mail": "", SECRET_HEADER: SECRET},
    ],
)
def test_nobody_else_is_let_in(proxied: RunningFlower, headers: dict[str, str]) -> None:
    assert get(proxied, **headers).status_code == 401


def test_whom_the_proxy_names_wins_over_a_session(proxied: RunningFlower, people: Store) -> None:
    add_operator(people, "ivo@acme.example", "Ivo")
    disable_person(people, "ivo@acme.example", actor=logged_in(people, ADMIN))

    answer = get(proxied, **{SECRET_HEADER: SECRET, "X-Mail": "ivo@acme.example"})

    assert answer.status_code == 401
    assert "is disabled" in answer.text


def test_over_https_the_cookies_are_for_this_host_over_https_alone(proxied: RunningFlower) -> None:
    with httpx.Client(timeout=30) as client:
        page = client.get(f"{proxied.url}/login")
        token = page.text.partition('name="_xsrf" value="')[2].partition('"')[0]
        said = page.headers["Set-Cookie"]
        answer = client.post(
            f"{proxied.url}/login",
            data={"_xsrf": token, "mail": "ada@acme.example", "password": PASSWORD},
            headers={"Origin": DESK, "Cookie": said.partition(";")[0]},
        )

    assert "Secure" in said
    assert answer.status_code == 303
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-meshline-session=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
