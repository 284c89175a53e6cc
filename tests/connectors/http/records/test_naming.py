"""A record's id is where the system says it: in a header, a body, or only in our request."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from connectors.definition_file import parse_definition
from connectors.handoff.single import hand_over
from orchestrator.domain.delivery.handoff import Confirmed, Failed, Outgoing, Receipted
from orchestrator.domain.errors import InvalidFile
from tests.connectors.http.stub import Stub
from tests.connectors.rigs import hand, sent

Run = Callable[..., Any]

BY_HEADER = """
connector: tool
kind: http
base_url: URL/api
private_network: true
actions:
  record:
    idempotency: lookup
    proof: read_back
    required: [email]
    optional: [amount, paid, tags]
    timeout: 2s
    create:
      path: /things
      json: {key: "{key}", email: "{send.email}", amount: "{send.amount}", paid: "{send.paid}",
        tags: "{send.tags}"}
      record_id: {header: Location}
    lookup: {path: /things, query: {key: "{key}"}, items: items, record_id: id}
    read: {path: "/things/{record_id}", fields: {email: email}}
"""
BY_KEY = """
connector: tool
kind: http
base_url: URL/api
private_network: true
actions:
  record:
    idempotency: conflict
    proof: read_back
    required: [email]
    timeout: 2s
    create:
      method: put
      path: "/things/{send.email|lower|md5}"
      headers: {If-None-Match: "*"}
      json: {email: "{send.email}"}
      record_id: {value: "{send.email|lower|md5}"}
    conflict: {status: [409, 412]}
    read: {path: "/things/{record_id}", fields: {email: {at: email, as: caseless}}}
"""
EMAIL: dict[str, object] = {"email": "a@example.com"}


def test_what_is_there_under_a_name_made_of_the_key_is_ours(run: Run, stub: Stub) -> None:
    by_key = BY_KEY.replace("{send.email|lower|md5}", "{key}")
    stub.answers += [web.Response(status=412), web.json_response(EMAIL)]

    outcome = hand_over_to(run, stub, by_key)

    assert isinstance(outcome, Confirmed), outcome
    assert (outcome.found, outcome.seen.updated) == (True, False)


@pytest.mark.parametrize(
    ("url", "location", "kept"),
    [
        ("{header: Location}", "/hooks/s3cretpath/17", False),
        ("{header: Location}", "/things/17", True),
        ("{value: '/things/{record_id}'}", "", True),
        ("{value: 'things/{record_id}'}", "", False),  # below the address that is secret
        ("{value: '/s3cretpath/{record_id}'}", "", False),
        ("{value: '/{record_id}/{send.email|number}'}", "", None),
    ],
)
def test_an_address_that_would_tell_a_secret_is_not_kept(
    run: Run, stub: Stub, monkeypatch: pytest.MonkeyPatch, url: str, location: str, kept: bool
) -> None:
    monkeypatch.setenv("TOOL", f"{stub.url}/hooks/s3cretpath")
    definition = f"""
connector: tool
kind: http
base_url: env:TOOL
private_network: true
actions:
  record:
    idempotency: none
    proof: receipt
    required: [email]
    url: {url}
    create: {{path: /things, json: {{email: "{{send.email}}"}}, record_id: id}}
"""
    headers = {"Location": location} if location else {}
    stub.answers.append(web.json_response({"id": "17"}, headers=headers))

    outcome = hand_over_to(run, stub, definition)

    assert isinstance(outcome, Receipted), outcome
    assert outcome.seen.url == (f"{stub.url}/things/17" if kept else None)


def hand_over_to(run: Run, stub: Stub, definition: str, **fields: object) -> Any:
    connector = stub.connector(definition)
    call = Outgoing(key="key-1", action="record", fields=EMAIL | fields)

    async def once() -> Any:
        outcome = await hand_over(connector, call, confirm=("email",), look_first=False)
        await connector.close()
        return outcome

    return run(once())


@pytest.mark.parametrize(
    ("location", "record_id"),
    [
        ("/api/things/17", "17"),
        ("things/17/", "17"),
        ("https://crm.example.com/api/things/17?expand=all#top", "17"),
        ("/api/things/a%2Fb%20c", "a/b c"),
    ],
)
def test_the_last_segment_of_a_location_is_the_record(
    run: Run, stub: Stub, location: str, record_id: str
) -> None:
    stub.answers += [
        web.Response(status=201, headers={"Location": location}),
        web.json_response(EMAIL),
    ]

    outcome = hand_over_to(run, stub, BY_HEADER)

    assert isinstance(outcome, Confirmed), outcome
    assert outcome.record_id == record_id


def test_a_pattern_takes_the_part_of_a_header_that_is_the_record(run: Run, stub: Stub) -> None:
    by_pattern = r"{header: Location, pattern: '/things/(\d+)/'}"
    location = {"Location": "/api/things/17/edit"}
    stub.answers += [web.Response(status=204, headers=location), web.json_response(EMAIL)]

    definition = BY_HEADER.replace("{header: Location}", by_pattern)
    outcome = hand_over_to(run, stub, definition)

    assert outcome.record_id == "17"


@pytest.mark.parametrize("headers", [{}, {"Location": ""}, {"Location": "https://crm.example.com"}])
def test_without_the_header_nobody_knows_what_was_stored(
    run: Run, stub: Stub, headers: dict[str, str]
) -> None:
    stub.answers.append(web.Response(status=201, headers=headers))

    outcome = hand_over_to(run, stub, BY_HEADER)

    assert isinstance(outcome, Failed)
    assert outcome.unknown
    assert "the answer's header Location has no record id" in outcome.error


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_an_answer_without_a_body_is_no_error_where_nothing_of_it_is_needed(
    run: Run, stub: Stub, status: int
) -> None:
    receipt = """
connector: hook
kind: http
base_url: URL
private_network: true
actions:
  record:
    {idempotency: none, proof: receipt, open_fields: true, create: {path: /in, json: "{send}"}}
"""
    stub.answers.append(web.Response(status=status))
    connector = stub.connector(receipt)

    outcome = run(hand(connector, sent(text="hi")))
    run(connector.close())

    assert isinstance(outcome, Receipted)


@pytest.mark.parametrize("exists", [201, 409, 412])
def test_a_put_to_our_own_name_makes_one_record_however_often_it_comes(
    run: Run, stub: Stub, exists: int
) -> None:
    """The name is a hash of the address in small letters, as mailing lists want it."""
    stub.answers += [web.Response(status=exists), web.json_response({"email": "ana@example.com"})]

    outcome = hand_over_to(run, stub, BY_KEY, email="Ana@example.com")

    name = hashlib.md5(b"ana@example.com", usedforsecurity=False).hexdigest()
    assert isinstance(outcome, Confirmed), outcome
    assert outcome.record_id == name
    assert outcome.found is (exists != 201)
    assert outcome.seen.updated is (exists != 201)  # an address is anybody's name
    assert stub.asked == [f"PUT /api/things/{name}", f"GET /api/things/{name}"]
    assert stub.headers[0]["If-None-Match"] == "*"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5, b"5"),
        (5.0, b"5.0"),
        (0.1, b"0.1"),
        (-(2**63), b"-9223372036854775808"),
        (2**63, b"9223372036854775808"),
        (2**53 + 1, b"9007199254740993"),
        (1e300, b"1e+300"),
        (True, b"true"),
        (None, b"null"),
        ([1, "a", {"b": 2.5}], b'[1,"a",{"b":2.5}]'),
        ("5", b'"5"'),
    ],
)
def test_a_value_keeps_its_type_in_a_body(run: Run, stub: Stub, value: object, text: bytes) -> None:
    stub.answers += [
        web.Response(status=201, headers={"Location": "/api/things/17"}),
        web.json_response(EMAIL),
    ]

    hand_over_to(run, stub, BY_HEADER, amount=value)

    assert b'"amount":' + text + b"}" in stub.bodies[0]
    assert json.loads(stub.bodies[0])["amount"] == value


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("{header: Location, at: id}", "one of at, header and value"),
        ("{}", "one of at, header and value"),
        ("{pattern: '(x)', at: id}", "a pattern goes with a header"),
        ("{header: Location, pattern: '('}", "one group"),
        ("{header: Location, pattern: x}", "one group"),
        ('"https://x/{record_id}"', 'write {value: "https://x/{record_id}"}'),
        ('{value: "{nope}"}', "is not a placeholder"),
        ('{value: "{send.nobody}"}', "the action takes no field nobody"),
        ('{value: "{send.amount}"}', "name amount under required"),
        ('{value: "{send.email|upper}"}', "is not a filter"),
    ],
)
def test_a_place_of_the_record_that_cannot_be_is_refused(said: str, problem: str) -> None:
    definition = BY_HEADER.replace("URL", "http://tool").replace("{header: Location}", said)

    with pytest.raises(InvalidFile) as refused:
        parse_definition(definition, name="tool.yaml")

    assert problem in " ".join(f"{one.problem} {one.fix}" for one in refused.value.faults)
