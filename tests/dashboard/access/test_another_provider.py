"""The login by an identity provider that we did not write, and by one that does not answer."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

import httpx
import pytest
from playwright.sync_api import Browser, Page

from orchestrator.embedded.child import EmbeddedServer
from orchestrator.store.access.people import find_person
from orchestrator.store.database.engine import Store
from tests.dashboard.access.desk import Somebody, somebody
from tests.dashboard.browsing import opened
from tests.dashboard.rig import RunningFlower, running_flower
from tests.servers.independent_provider import IndependentProvider, independent_provider

pytestmark = pytest.mark.processes

WANTED = "/events?state=quarantined"
_ELSEWHERE = re.compile("^https:")


@pytest.fixture(scope="module")
def ports() -> tuple[int, int]:
    """Two that are free: of Flower and of the provider, each of which has to know the other's."""
    with ExitStack() as both:
        held = [
            both.enter_context(closing(socket.create_server(("127.0.0.1", 0)))) for _ in range(2)
        ]
        return held[0].getsockname()[1], held[1].getsockname()[1]


@pytest.fixture(scope="module")
def provider(
    tmp_path_factory: pytest.TempPathFactory, ports: tuple[int, int]
) -> Iterator[IndependentProvider]:
    with independent_provider(ports[1], tmp_path_factory.mktemp("provider")) as running:
        running.register(f"http://127.0.0.1:{ports[0]}/login/company/back")
        yield running


@pytest.fixture(scope="module")
def flower(
    tmp_path_factory: pytest.TempPathFactory,
    people: Store,
    valkey: EmbeddedServer,
    provider: IndependentProvider,
    ports: tuple[int, int],
) -> Iterator[RunningFlower]:
    with running_flower(
        tmp_path_factory.mktemp("another"),
        store_url=people.url.render_as_string(hide_password=False),
        broker_url=valkey.url,
        port=ports[0],
        MESHLINE_OIDC_ISSUER=provider.url,
        MESHLINE_OIDC_CLIENT_ID=provider.client,
        MESHLINE_OIDC_CLIENT_SECRET="env:TEST_COMPANY_SECRET",
        MESHLINE_OIDC_NAME="Acme",
        TEST_COMPANY_SECRET=provider.secret,
    ) as running:
        yield running


@contextmanager
def at_the_provider(browser: Browser, flower: RunningFlower) -> Iterator[Page]:
    """A fresh browser that asked for a page of ours, and was sent to log in."""
    with opened(browser, flower, login=False, fails="status of 403") as page:
        # The provider's page has a style sheet of another host, which nobody asks here.
        page.route(_ELSEWHERE, lambda route: route.fulfill(content_type="text/css", body=""))
        page.goto(WANTED)
        page.get_by_role("link", name="Log in with Acme").click()
        page.get_by_role("button", name="Deny").wait_for()
        yield page


@pytest.mark.chromium
def test_an_account_comes_to_the_desk_and_comes_again_when_its_address_has_changed(
    browser: Browser, flower: RunningFlower, provider: IndependentProvider, people: Store
) -> None:
    with at_the_provider(browser, flower) as page:
        page.get_by_role("button", name="ada-1").click()
        page.wait_for_url(f"{flower.url}{WANTED}")
        assert "Lovelace" in page.content()
    with people.read() as tx:
        assert find_person(tx, "ada@acme.example").subject == f"{provider.url} ada-1"

    provider.change("ada-1", email="ada.new@acme.example", email_verified=True)
    with at_the_provider(browser, flower) as page:
        page.get_by_role("button", name="ada-1").click()
        page.wait_for_url(f"{flower.url}{WANTED}")
        assert "Lovelace" in page.content()


@pytest.mark.chromium
@pytest.mark.parametrize(
    ("button", "words"),
    [
        ("eve-1", "nobody here has the mail address"),
        ("ben-1", "has not verified the mail address"),
        ("Deny", "the provider did not let you in"),
    ],
)
def test_whom_the_provider_does_not_prove_to_be_a_person_stays_outside(
    browser: Browser, flower: RunningFlower, button: str, words: str
) -> None:
    with at_the_provider(browser, flower) as page:
        page.get_by_role("button", name=button).click()
        page.get_by_text(words).wait_for()
        page.goto(WANTED)
        page.get_by_role("link", name="Log in with Acme").wait_for()


def come_in(flower: RunningFlower, subject: str) -> httpx.Response:
    """The way to the provider and back without a window; what our page answers."""
    with somebody(flower) as browsing:
        there = browsing.get("/login/company?next=/events").headers["location"]
        back = httpx.post(there, data={"sub": subject}).headers["location"]
        return browsing.get(back.removeprefix(flower.url))


def test_a_provider_with_a_new_key_needs_nothing_of_us(
    flower: RunningFlower, provider: IndependentProvider
) -> None:
    assert come_in(flower, "ada-1").status_code == 303
    before = provider.key_ids()

    provider.stop()
    provider.start()

    assert provider.key_ids() != before
    answer = come_in(flower, "ada-1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/events")


def test_a_provider_that_hangs_ends_in_a_page_that_says_so(
    tmp_path_factory: pytest.TempPathFactory, people: Store, valkey: EmbeddedServer
) -> None:
    # One that takes calls, and does no more.
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as silent,
        running_flower(
            tmp_path_factory.mktemp("hanging"),
            store_url=people.url.render_as_string(hide_password=False),
            broker_url=valkey.url,
            MESHLINE_OIDC_ISSUER=f"http://127.0.0.1:{silent.getsockname()[1]}",
            MESHLINE_OIDC_CLIENT_ID="meshline",
            MESHLINE_OIDC_TIMEOUT_SECONDS="0.5",
        ) as flower,
    ):
        answer = Somebody(url=flower.url, client=flower.client).get("/login/company")

    assert answer.status_code == 503
    said = re.sub(r"&#(x27|39);", "'", answer.text)
    assert "the company's login cannot be used: it does not answer (TimeoutError)" in said
    assert "log in with a password" in said
