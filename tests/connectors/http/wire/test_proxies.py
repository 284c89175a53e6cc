"""Behind a firewall calls go out by a proxy, and nowhere that they may not go without it."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp.connector
import pytest

from connectors.http.wire.proxies import Proxies, UnusableProxy, target_of
from orchestrator.domain.delivery.handoff import Failed, Receipted
from tests.connectors.http.stub import WEBHOOK, Stub, made
from tests.connectors.http.wire.connect_proxy import ConnectProxy
from tests.connectors.rigs import hand, sent
from tests.self_signed import CERTIFICATE, self_signed

Run = Callable[..., Any]
OPEN = WEBHOOK.replace("private_network: true\n", "").replace("2s", "5s")
PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "MESHLINE_PROXY")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What names lead to on this machine; none leads anywhere unless a test says so."""
    known: dict[str, str] = {}
    look_up = socket.getaddrinfo

    def resolved(host: Any, *more: Any, **named: Any) -> Any:
        if str(host).endswith(".example.com") and host not in known:
            raise socket.gaierror(socket.EAI_NONAME, "not known")
        return look_up(known.get(host, host), *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    return known


@pytest.fixture
def proxied(run: Run, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., ConnectProxy]]:
    """Puts up a proxy and names it in a variable."""
    proxies = []

    def put_up(variable: str, upstream: int, named: str = "http://", **how: Any) -> ConnectProxy:
        proxy = ConnectProxy(upstream, **how)
        run(proxy.start())
        proxies.append(proxy)
        monkeypatch.setenv(variable, f"{named}127.0.0.1:{proxy.port}")
        return proxy

    yield put_up
    for proxy in proxies:
        run(proxy.stop())


def ask(run: Run, stub: Stub, definition: str, url: str) -> Any:
    connector = stub.connector(definition.replace("URL", url))

    async def once() -> Any:
        outcome = await hand(connector, sent(text="hi"))
        await connector.close()
        return outcome

    return run(once())


def port_of(stub: Stub) -> int:
    return int(stub.url.rpartition(":")[2])


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "MESHLINE_PROXY"])
def test_a_call_over_tls_goes_out_by_a_tunnel_of_the_proxy(
    run: Run,
    names: dict[str, str],
    proxied: Callable[..., ConnectProxy],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    variable: str,
) -> None:
    trusted = ssl.create_default_context(cadata=CERTIFICATE)
    trusted.check_hostname = False
    monkeypatch.setattr(aiohttp.connector, "_SSL_CONTEXT_VERIFIED", trusted)
    stub = Stub()
    run(stub.start(tls=self_signed(tmp_path)))
    stub.answers.append(made())
    named = "http://me:pass%20word@"
    proxy = proxied(variable, port_of(stub), named, login="me:pass word")

    outcome = ask(run, stub, OPEN, "https://crm.example.com")

    assert isinstance(outcome, Receipted), outcome
    assert proxy.asked == ["CONNECT crm.example.com:443"]
    assert stub.asked == ["POST /in"]
    assert "Proxy-Authorization" not in stub.headers[0]
    run(stub.stop())


def test_a_plain_call_is_carried_on_by_the_proxy(
    run: Run, stub: Stub, names: dict[str, str], proxied: Callable[..., ConnectProxy]
) -> None:
    stub.answers.append(made())
    proxy = proxied("HTTP_PROXY", port_of(stub), "http://me:secret@", login="me:secret")

    outcome = ask(run, stub, WEBHOOK, "http://crm.example.com")

    assert isinstance(outcome, Receipted), outcome
    assert proxy.asked == ["POST http://crm.example.com/in"]


@pytest.mark.parametrize(
    ("url", "leads_to", "reason"),
    [
        ("https://10.1.2.3", None, "not public"),
        ("https://[::ffff:10.1.2.3]", None, "not public"),
        ("https://inside.example.com", "10.1.2.3", "not public"),
        ("https://clouds.example.com", "169.254.169.254", "a cloud's own"),
    ],
)
def test_a_proxy_leads_nobody_behind_our_door(
    run: Run,
    stub: Stub,
    names: dict[str, str],
    proxied: Callable[..., ConnectProxy],
    url: str,
    leads_to: str | None,
    reason: str,
) -> None:
    if leads_to:
        names[url.removeprefix("https://")] = leads_to
    proxy = proxied("HTTPS_PROXY", 1)

    outcome = ask(run, stub, OPEN, url)

    assert isinstance(outcome, Failed)
    assert reason in outcome.error
    assert (outcome.unknown, proxy.asked) == (False, [])


def test_a_private_network_has_no_way_to_a_clouds_metadata_by_a_proxy(
    run: Run, stub: Stub, proxied: Callable[..., ConnectProxy]
) -> None:
    proxy = proxied("HTTP_PROXY", 1)

    outcome = ask(run, stub, WEBHOOK, "http://169.254.169.254")

    assert "a cloud's own" in outcome.error
    assert proxy.asked == []


@pytest.mark.parametrize(
    ("answer", "told"),
    [(b"403 No", "the proxy answered 403"), (b"407 Who", "the proxy wants another login")],
)
def test_a_proxy_that_refuses_has_certainly_stored_nothing_and_its_login_is_not_told(
    run: Run,
    stub: Stub,
    names: dict[str, str],
    proxied: Callable[..., ConnectProxy],
    answer: bytes,
    told: str,
) -> None:
    proxied("HTTPS_PROXY", 1, "http://me:s3cret@", answer=answer)

    outcome = ask(run, stub, OPEN, "https://crm.example.com")

    assert isinstance(outcome, Failed)
    assert outcome.error == f"hook: create: {told}"
    assert (outcome.permanent, outcome.unknown, outcome.reached) == (False, False, False)


def test_a_proxy_that_is_away_and_one_that_cannot_work_are_told_without_their_address(
    run: Run, stub: Stub, names: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:s3cret@127.0.0.1:1")
    away = ask(run, stub, OPEN, "https://crm.example.com")
    monkeypatch.setenv("HTTPS_PROXY", "socks5://me:s3cret@127.0.0.1:1")
    odd = ask(run, stub, OPEN, "https://crm.example.com")

    assert away.error == "hook: create: the proxy cannot be reached"
    assert "HTTPS_PROXY: a proxy that speaks 'socks5' is not used" in odd.error
    assert not (away.unknown or odd.unknown)


@pytest.mark.parametrize(
    ("variables", "url", "found"),
    [
        ({}, "https://crm.example.com", None),
        ({"HTTPS_PROXY": "proxy:3128"}, "https://crm.example.com", "http://proxy:3128"),
        ({"HTTPS_PROXY": "http://p:1"}, "http://crm.example.com", None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "example.com"}, "https://a.example.com", None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"}, "https://a.example.com", None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "10.0.0.0/8"}, "https://10.2.3.4", None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "10.0.0.0/8"}, "https://11.2.3.4", "http://p:1"),
        ({"HTTPS_PROXY": "http://p:1"}, "https://127.0.0.1:8", None),
        ({"HTTPS_PROXY": "http://p:1"}, "https://localhost", None),
        (
            {"HTTPS_PROXY": "http://p:1", "MESHLINE_PROXY": "https://q:2"},
            "https://a.example.com",
            "https://q:2",
        ),
        ({"HTTPS_PROXY": "http://p:1", "MESHLINE_PROXY": "off"}, "https://a.example.com", None),
        (
            {"MESHLINE_PROXY": "http://q:2", "NO_PROXY": ".example.com"},
            "https://a.example.com",
            None,
        ),
    ],
)
def test_the_environment_says_which_proxy_and_for_whom(
    variables: dict[str, str], url: str, found: str | None
) -> None:
    proxy = Proxies(variables).of(*target_of(url))

    assert (proxy and proxy.url) == found


@pytest.mark.parametrize(
    "url", ["socks5h://p:1", "ftp://p", "http://", "http://p:99999", "http://p/x"]
)
def test_an_address_that_is_no_proxy_is_refused(url: str) -> None:
    with pytest.raises(UnusableProxy, match=r"MESHLINE_PROXY: .*write http://HOST:PORT|port"):
        Proxies({"MESHLINE_PROXY": url}).of("https", "crm.example.com", None)
