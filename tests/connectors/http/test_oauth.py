"""OAuth 2: a token is fetched once, kept, and fetched anew when it is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiohttp import web

from orchestrator.domain.delivery.handoff import Failed
from orchestrator.domain.errors import (
    DestinationRefused,
    DestinationUnavailable,
    OutcomeUnknown,
    Unauthorized,
)
from tests.connectors.http.stub import Stub
from tests.connectors.rigs import hand, sent

Run = Callable[..., Any]

TOOL = """
connector: tool
kind: http
base_url: URL
private_network: true
auth:
  oauth2: {grant: client_credentials, token_url: URL/token, client_id: "env:ID",
    client_secret: "env:SECRET", scope: write}
actions:
  record:
    idempotency: none
    proof: receipt
    open_fields: true
    timeout: 2s
    create: {path: /in, json: "{send}"}
"""


class Issuer:
    """A token endpoint that counts, and a tool that takes only the newest token."""

    def __init__(self, stub: Stub) -> None:
        self.forms: list[dict[str, list[str]]] = []
        self.logins: list[str | None] = []
        self.good = ""
        self.more: dict[str, object] = {"expires_in": 3600}
        self.refusal: web.Response | None = None
        self.taken = 0
        stub.handle_with(self.answer)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/token":
            self.forms.append(parse_qs((await request.read()).decode()))
            self.logins.append(request.headers.get("Authorization"))
            await asyncio.sleep(0.01)
            if self.refusal is not None:
                return self.refusal
            self.good = f"token-{len(self.forms)}-abc"
            return web.json_response({"access_token": self.good, **self.more})
        if request.headers.get("Authorization") != f"Bearer {self.good}":
            return web.Response(status=401, text=f"no: {request.headers.get('Authorization')}")
        self.taken += 1
        return web.json_response({})


@pytest.fixture
def issuer(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> Issuer:
    monkeypatch.setenv("ID", "meshline")
    monkeypatch.setenv("SECRET", "cl1ent-s3cret")
    return Issuer(stub)


def test_many_calls_at_once_fetch_one_token(stub: Stub, run: Run, issuer: Issuer) -> None:
    connector = stub.connector(TOOL)

    async def many() -> None:
        await asyncio.gather(*(connector.create(sent(f"k-{one}")) for one in range(10)))

    run(many())
    run(connector.close())

    assert issuer.taken == 10
    assert issuer.forms == [
        {
            "grant_type": ["client_credentials"],
            "scope": ["write"],
            "client_id": ["meshline"],
            "client_secret": ["cl1ent-s3cret"],
        }
    ]


def test_a_token_that_is_refused_is_fetched_anew_once(stub: Stub, run: Run, issuer: Issuer) -> None:
    connector = stub.connector(TOOL)
    run(connector.create(sent()))
    issuer.good = "taken back"

    run(connector.create(sent("key-2")))

    assert (len(issuer.forms), issuer.taken) == (2, 2)

    async def refuse(request: web.BaseRequest) -> web.StreamResponse:
        issuer_answer = await issuer.answer(request)
        return issuer_answer if request.path == "/token" else web.Response(status=401)

    stub.handle_with(refuse)
    with pytest.raises(Unauthorized):
        run(connector.create(sent("key-3")))
    run(connector.close())

    assert len(issuer.forms) == 3


def test_a_token_that_is_about_to_run_out_is_not_used(stub: Stub, run: Run, issuer: Issuer) -> None:
    issuer.more = {"expires_in": "0.000001"}
    connector = stub.connector(TOOL)

    run(connector.create(sent()))
    run(connector.create(sent("key-2")))
    run(connector.close())

    assert len(issuer.forms) == 2


def test_a_login_goes_into_the_header_where_that_is_said(
    stub: Stub, run: Run, issuer: Issuer
) -> None:
    connector = stub.connector(TOOL.replace("scope: write", "send_as: basic"))

    run(connector.create(sent()))
    run(connector.close())

    assert issuer.forms == [{"grant_type": ["client_credentials"]}]
    assert issuer.logins == ["Basic bWVzaGxpbmU6Y2wxZW50LXMzY3JldA=="]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (web.json_response({"error": "invalid_grant"}, status=400), Unauthorized),
        (web.Response(status=401), Unauthorized),
        (web.Response(status=500), DestinationUnavailable),
        (web.Response(status=302, headers={"Location": "/x"}), DestinationRefused),
        (web.json_response({}), DestinationUnavailable),
        (web.Response(text="<html>"), DestinationUnavailable),
    ],
)
def test_without_a_token_nothing_goes_out(
    stub: Stub, run: Run, issuer: Issuer, answer: web.Response, error: type[Exception]
) -> None:
    issuer.refusal = answer
    connector = stub.connector(TOOL)

    with pytest.raises(error) as caught:
        run(connector.create(sent()))
    run(connector.close())

    assert not isinstance(caught.value, OutcomeUnknown)
    assert stub.asked == ["POST /token"]


def test_no_error_shows_a_token_or_a_secret(stub: Stub, run: Run, issuer: Issuer) -> None:
    connector = stub.connector(TOOL)
    run(connector.create(sent()))

    async def repeat(request: web.BaseRequest) -> web.StreamResponse:
        shown = f"{request.headers.get('Authorization')} {(await request.read()).decode()}"
        return web.Response(status=400, text=shown)

    stub.handle_with(repeat)
    told = run(hand(connector, sent("key-2")))
    other = stub.connector(TOOL)
    asked = run(hand(other, sent("key-3")))
    run(connector.close())
    run(other.close())

    assert isinstance(told, Failed)
    assert isinstance(asked, Failed)
    assert "Bearer ***" in told.error
    assert "client_secret=***" in asked.error
    assert "token-1-abc" not in told.error
