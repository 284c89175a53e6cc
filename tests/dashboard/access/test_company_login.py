"""The login by the company's identity provider, and everything that it does not take."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser
from pydantic import ValidationError

from orchestrator.cli.doctor.login_checks import look_at_company_login
from orchestrator.dashboard.access.provider import Provider, ProviderAway
from orchestrator.domain.access.roles import Role
from orchestrator.embedded.child import EmbeddedServer
from orchestrator.operations.access.people import disable_person
from orchestrator.settings import Settings
from orchestrator.store.access.people import find_person
from orchestrator.store.database.engine import Store
from tests.dashboard.access.desk import Somebody, somebody
from tests.dashboard.browsing import opened
from tests.dashboard.rig import RunningFlower, running_flower
from tests.people import ADMIN, add, logged_in
from tests.servers.identity_provider import CLIENT, SECRET, IdentityProvider, identity_provider
from tests.waiting import PATIENCE

pytestmark = pytest.mark.processes

BACK = "/login/company/back"


@pytest.fixture(scope="module")
def provider() -> Iterator[IdentityProvider]:
    with identity_provider() as running:
        yield running


@pytest.fixture(scope="module")
def flower(
    tmp_path_factory: pytest.TempPathFactory,
    people: Store,
    valkey: EmbeddedServer,
    provider: IdentityProvider,
) -> Iterator[RunningFlower]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with running_flower(
        tmp_path_factory.mktemp("company"),
        store_url=people.url.render_as_string(hide_password=False),
        broker_url=valkey.url,
        port=port,
        MESHLINE_OIDC_ISSUER=provider.url,
        MESHLINE_OIDC_CLIENT_ID=CLIENT,
        MESHLINE_OIDC_CLIENT_SECRET="env:TEST_COMPANY_SECRET",
        MESHLINE_OIDC_NAME="Acme",
        MESHLINE_OIDC_DOMAINS="acme.example",
        TEST_COMPANY_SECRET=SECRET,
    ) as running:
        yield running


@pytest.fixture
def browsing(flower: RunningFlower, provider: IdentityProvider) -> Iterator[Somebody]:
    provider.restore()
    with somebody(flower) as one:
        yield one


def come_back(browsing: Somebody, path: str = "/logout") -> httpx.Response:
    """The way to the provider and back, as a browser goes it; what our page answers."""
    away = browsing.get(f"/login/company?next={path}")
    assert away.status_code == 303, away.text
    back = httpx.get(away.headers["location"]).headers["location"]
    assert back.startswith(f"{browsing.url}{BACK}?")
    return browsing.get(back.removeprefix(browsing.url))


def refused(browsing: Somebody, answer: httpx.Response, status: int, words: str) -> None:
    assert answer.status_code == status, answer.text
    assert words in answer.text.replace("&#x27;", "'").replace("&#39;", "'")
    assert browsing.session is None


def test_the_first_login_binds_the_subject_which_decides_from_then_on(
    browsing: Somebody, provider: IdentityProvider, people: Store
) -> None:
    answer = come_back(browsing, "/events")

    assert (answer.status_code, answer.headers["location"]) == (303, "/events")
    assert browsing.get("/logout").status_code == 200
    with people.read() as tx:
        assert find_person(tx, "ada@acme.example").subject == f"{provider.url} ada-1"
    provider.claims["email"] = "ada.new@acme.example"  # her address changes
    with somebody_else(browsing) as again:
        assert come_back(again).status_code == 303
    provider.claims |= {"sub": "eve-1", "email": "ada@acme.example"}  # and is somebody else's
    with somebody_else(browsing) as eve:
        refused(eve, come_back(eve), 403, "another account of the company's login is bound")


@contextmanager
def somebody_else(browsing: Somebody) -> Iterator[Somebody]:
    """A browser that holds nothing."""
    with httpx.Client(timeout=30) as client:
        yield Somebody(url=browsing.url, client=client)


@pytest.mark.parametrize(
    ("lies", "words"),
    [
        ({"aud": "somebody-else"}, "token is not good"),
        ({"iss": "http://127.0.0.1:1"}, "token is not good"),
        ({"nonce": "of another login"}, "token is not good"),
        ({"exp": int(time.time()) - 3600}, "token is not good"),
        ({"iat": int(time.time()) + 7200}, "token is not good"),
        ({"azp": "somebody-else", "aud": [CLIENT, "somebody-else"]}, "made for somebody else"),
        ({"email_verified": False}, "has not verified the mail address"),
        ({"email_verified": "true"}, "has not verified the mail address"),
        ({"email": "ada@globex.example"}, "not of a domain"),
        ({"email": None}, "names no person"),
        ({"sub": "nobody-1", "email": "nobody@acme.example"}, "nobody here has"),
    ],
)
def test_a_token_that_is_not_right_lets_nobody_in(
    browsing: Somebody, provider: IdentityProvider, lies: dict[str, object], words: str
) -> None:
    provider.lies = lies

    refused(browsing, come_back(browsing), 403, words)


@pytest.mark.parametrize("signed_by", ["none", "other"])
def test_a_token_that_the_provider_did_not_sign_lets_nobody_in(
    browsing: Somebody, provider: IdentityProvider, signed_by: str
) -> None:
    provider.signed_by = signed_by

    refused(browsing, come_back(browsing), 403, "token is not good")


def test_a_provider_with_a_new_key_is_asked_for_it_once(
    browsing: Somebody, provider: IdentityProvider
) -> None:
    assert come_back(browsing).status_code == 303
    browsing.client.cookies.clear()
    provider.change_key()
    provider.asked.clear()

    assert come_back(browsing).status_code == 303
    assert provider.asked.count("/jwks") == 1


def test_a_login_counts_once_and_only_in_the_browser_that_began_it(browsing: Somebody) -> None:
    away = browsing.get("/login/company").headers["location"]
    back = httpx.get(away).headers["location"].removeprefix(browsing.url)
    with somebody_else(browsing) as eve:
        refused(eve, eve.get(back), 403, "not begun in this browser")
        eve.get("/login/company")
        refused(eve, eve.get(back), 403, "not begun in this browser")
    code = parse_qs(urlsplit(back).query)["code"][0]
    assert come_back(browsing).status_code == 303

    browsing.client.cookies.clear()
    state = parse_qs(urlsplit(browsing.get("/login/company").headers["location"]).query)["state"]
    assert browsing.get(f"{BACK}?code={code}x&state={state[0]}").status_code == 403
    refused(browsing, browsing.get(back), 403, "not begun in this browser")


def test_a_code_that_was_used_is_not_taken_again(browsing: Somebody) -> None:
    away = browsing.get("/login/company").headers["location"]
    kept = browsing.client.cookies.get("meshline-company") or ""
    back = httpx.get(away).headers["location"].removeprefix(browsing.url)
    assert browsing.get(back).status_code == 303

    browsing.client.cookies.clear()
    browsing.client.cookies.set("meshline-company", kept, domain="127.0.0.1", path="/")
    refused(browsing, browsing.get(back), 403, "does not take this login any more")


@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example", "/%5Cevil.example"])
def test_nobody_is_led_to_another_host(browsing: Somebody, path: str) -> None:
    assert come_back(browsing, path).headers["location"] == "/"


def test_a_provider_that_refuses_is_told_of_and_its_words_are_not_shown(browsing: Somebody) -> None:
    answer = browsing.get(f"{BACK}?error=access_denied&error_description=<b>words</b>")

    refused(browsing, answer, 403, "did not let you in")
    assert "words" not in answer.text


def test_a_disabled_person_is_refused_and_may_be_bound_anew(
    browsing: Somebody, provider: IdentityProvider, people: Store
) -> None:
    mail, admin = "cleo@acme.example", logged_in(people, ADMIN)
    add(people, mail, Role.VIEWER, "acme")
    provider.claims |= {"sub": "cleo-1", "email": mail}
    assert come_back(browsing).status_code == 303
    browsing.client.cookies.clear()

    disable_person(people, mail, actor=admin)

    refused(browsing, come_back(browsing), 403, "the person is disabled")
    disable_person(people, mail, actor=admin, enable=True)
    provider.claims["sub"] = "cleo-2"
    assert come_back(browsing).status_code == 303


def test_the_doctor_asks_whether_the_provider_answers(provider: IdentityProvider) -> None:
    provider.restore()

    def look(issuer: str) -> list[str]:
        config = Settings(oidc_issuer=issuer, oidc_client_id=CLIENT, oidc_name="Acme")
        return [one.found for one in look_at_company_login(config)]

    assert "Acme answers" in look(provider.url)[0]
    assert "another issuer" in look(provider.url.replace("127.0.0.1", "localhost"))[0]
    assert "does not answer" in look("http://127.0.0.1:1")[0]
    provider.padding = 300_000
    assert "too much" in look(provider.url)[0]
    assert list(look_at_company_login(Settings())) == []


def test_the_wait_for_a_turn_is_within_the_time_limit() -> None:
    async def ask() -> None:
        busy = asyncio.Semaphore(0)  # as many as may be asked at once are waited for
        url = "http://127.0.0.1:1"
        provider = Provider(issuer=url, client=CLIENT, secret="", seconds=0.1, _calls=busy)
        await asyncio.wait_for(provider.addresses(), PATIENCE)

    with pytest.raises(ProviderAway, match="does not answer"):
        asyncio.run(ask())


@pytest.mark.parametrize(
    "given",
    [
        {"oidc_issuer": "http://login.acme.example", "oidc_client_id": CLIENT},
        {"oidc_issuer": "https://login.acme.example"},
        {"oidc_client_id": CLIENT},
    ],
)
def test_settings_that_cannot_work_are_refused(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(given)


@pytest.mark.chromium
def test_a_person_logs_in_in_a_browser(
    browser: Browser, flower: RunningFlower, provider: IdentityProvider
) -> None:
    provider.restore()
    with opened(browser, flower, login=False) as page:
        page.goto("/events?state=quarantined")
        page.get_by_role("link", name="Log in with Acme").click()
        page.wait_for_url("**/events?state=quarantined")
        assert "Lovelace" in page.content()
