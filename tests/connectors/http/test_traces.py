"""The requests of a delivery carry the trace of its event."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from connectors.http.connector import HttpConnector
from tests.connectors.http.stub import WEBHOOK, Stub, made
from tests.connectors.rigs import sent

MANY = """
connector: told
kind: http
base_url: URL
private_network: true
actions:
  track:
    idempotency: native_key
    proof: receipt
    required: [name]
    create: {path: /track, json: {id: "{key}", name: "{send.name}"}}
    batch:
      path: /batch
      most: 3
      json: {batch: "{items}"}
      item: {id: "{key}", name: "{send.name}"}
"""

Run = Callable[..., Any]

TRACE = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01", "tracestate": "rojo=1"}


def test_a_request_carries_the_trace_unless_its_definition_says_another(
    stub: Stub, run: Run
) -> None:
    stub.answers = [made(), made(), made()]
    connector = stub.connector(WEBHOOK)
    own = stub.connector(WEBHOOK.replace("auth: {}", "auth: {}\nheaders: {Traceparent: ours}"))

    run(connector.create(replace(sent(), trace=TRACE)))
    run(connector.create(sent()))
    run(own.create(replace(sent(), trace=TRACE)))
    run(connector.close())
    run(own.close())

    traced, plain, said = stub.headers
    assert {name: traced[name] for name in TRACE} == TRACE
    assert "traceparent" not in plain
    assert said["traceparent"] == "ours" and "tracestate" not in said


@pytest.mark.parametrize(("many", "carried"), [(1, True), (2, False)])
def test_a_request_for_several_events_is_of_no_one_trace(
    stub: Stub, run: Run, many: int, carried: bool
) -> None:
    stub.answers = [web.json_response({})]
    connector = stub.connector(MANY)
    assert isinstance(connector, HttpConnector)
    calls: Sequence[Any] = [
        replace(sent(), key=f"k{n}", action="track", fields={"name": "Ada"}, trace=TRACE)
        for n in range(many)
    ]

    run(connector.create_many(calls))
    run(connector.close())

    assert ("traceparent" in stub.headers[0]) is carried
