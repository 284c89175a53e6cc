"""What a definition says of answers that mean something else than their status."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from orchestrator.domain.errors import (
    DestinationRefused,
    DestinationUnavailable,
    OutcomeUnknown,
    RateLimited,
    Unauthorized,
)
from tests.connectors.http.stub import Stub, made
from tests.connectors.rigs import sent

Run = Callable[..., Any]

TOOL = """
connector: tool
kind: http
base_url: URL
private_network: true
errors:
  - {status: 200, at: error, is: [ratelimited, slow_down], means: rate_limited,
     retry_after: {at: wait, unit: ms}}
  - {status: 200, at: error, is: invalid_auth, means: unauthorized}
  - {status: 200, at: error, is: 17, means: unknown}
  - {status: 5xx, at: "errors[code=maintenance]", means: unavailable}
  - {status: 403, on: write, means: unavailable}
  - {at: error, on: [read, lookup], is: gone, means: absent}
  - {status: 200, at: error, means: refused}
actions:
  record:
    idempotency: lookup
    proof: read_back
    required: [email]
    timeout: 2s
    errors:
      - {status: 404, on: write, means: unavailable}
      - {status: 200, at: error, is: our_own, means: unavailable}
    create: {path: /in, json: {key: "{key}", email: "{send.email}"}, record_id: id}
    lookup: {path: /in, query: {key: "{key}"}, items: items, record_id: id}
    read: {path: "/in/{record_id}", fields: {email: email}}
"""


@pytest.mark.parametrize(
    ("status", "said", "error"),
    [
        (200, {"error": "ratelimited", "wait": 1500}, RateLimited),
        (200, {"error": "invalid_auth"}, Unauthorized),
        (200, {"error": 17}, OutcomeUnknown),
        (200, {"error": "17"}, OutcomeUnknown),
        (200, {"error": "anything"}, DestinationRefused),
        (200, {"error": "our_own"}, DestinationUnavailable),
        (500, {"errors": [{"code": "x"}, {"code": "maintenance"}]}, DestinationUnavailable),
        (500, {"errors": [{"code": "x"}]}, OutcomeUnknown),
        (403, {}, DestinationUnavailable),
        (404, {}, DestinationUnavailable),
        (409, {"error": "gone"}, DestinationRefused),
    ],
)
def test_the_first_rule_that_fits_decides(
    stub: Stub, run: Run, status: int, said: dict[str, object], error: type[Exception]
) -> None:
    stub.answers = [web.json_response(said, status=status)]
    connector = stub.connector(TOOL)

    with pytest.raises(error) as caught:
        run(connector.create(sent()))
    run(connector.close())

    assert type(caught.value) is error
    if isinstance(caught.value, RateLimited):
        assert caught.value.retry_after == 1.5


@pytest.mark.parametrize("nothing", [None, False, "", [], {}, 0])
def test_what_is_empty_is_no_error(stub: Stub, run: Run, nothing: object) -> None:
    stub.answers = [web.json_response({"id": "r-1", "error": nothing})]
    connector = stub.connector(TOOL)

    assert run(connector.create(sent())) == "r-1"
    run(connector.close())


def test_a_rule_may_say_that_a_record_is_not_there(stub: Stub, run: Run) -> None:
    stub.answers = [web.json_response({"error": "gone"}) for _ in range(2)]
    connector = stub.connector(TOOL)

    assert run(connector.lookup(sent())) is None
    assert run(connector.read(sent(), "r-1")) is None
    run(connector.close())


def test_an_answer_that_is_not_json_fits_no_rule_that_reads_it(stub: Stub, run: Run) -> None:
    stub.answers = [web.Response(status=500, text="<html>"), made()]
    connector = stub.connector(TOOL)

    with pytest.raises(OutcomeUnknown):
        run(connector.create(sent()))
    assert run(connector.create(sent())) == "r-1"
    run(connector.close())


def test_a_refused_login_and_a_forbidden_call_are_told_apart(stub: Stub, run: Run) -> None:
    stub.answers = [web.Response(status=401), web.Response(status=403)]
    connector = stub.connector(TOOL.replace("{status: 403, on: write", "{status: 499, on: write"))

    with pytest.raises(Unauthorized):
        run(connector.create(sent()))
    with pytest.raises(DestinationRefused) as caught:
        run(connector.create(sent()))
    run(connector.close())

    assert not isinstance(caught.value, Unauthorized)
