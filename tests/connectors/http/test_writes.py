"""Create, update and upsert; a conflict; taking back: what each asks, and in which order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from connectors.handoff.single import hand_over
from orchestrator.domain.delivery.handoff import Confirmed, Failed, Idempotency, Outgoing, Seen
from orchestrator.domain.errors import (
    AlreadyThere,
    DestinationRefused,
    DestinationUnavailable,
    OutcomeUnknown,
    RateLimited,
)
from tests.connectors.http.stub import Stub, made
from tests.connectors.rigs import hand, sent

Run = Callable[..., Any]

HEAD = """
connector: tool
kind: http
base_url: URL/api
private_network: true
actions:
  record:
    required: [email]
    optional: [tier, tags]
    proof: read_back
    timeout: 2s
"""
READ = "    read: {path: '/people/{record_id}', fields: {email: email, tier: tier}}\n"

UPDATE = f"""{HEAD}{READ}
    idempotency: native_key
    lookup: {{path: /people, query: {{email: "{{send.email}}"}}, items: found, record_id: id}}
    update: {{path: "/people/{{record_id}}", json: {{id: "{{record_id}}", tier: "{{send.tier}}",
      tags: "{{send.tags}}"}}}}
"""
UPSERT = f"""{HEAD}{READ}
    idempotency: native_key
    upsert: {{path: "/people/by-email/{{send.email}}", json: "{{send}}", record_id: id}}
"""
CONFLICT = f"""{HEAD}{READ}
    idempotency: conflict
    create: {{path: /people, json: "{{send}}", record_id: id}}
    conflict: {{status: 409, at: error.code, is: [taken, 7], record_id: error.other}}
    undo: {{path: "/people/{{record_id}}"}}
"""
BY_SEARCH = f"""{HEAD}{READ}
    idempotency: conflict
    create: {{path: /people, json: "{{send}}", record_id: id}}
    conflict: {{status: [409, 422]}}
    lookup:
      method: post
      path: /search
      json: {{filter: [{{email: "{{send.email}}"}}]}}
      items: ""
      record_id: uid
      where: {{email: "{{send.email}}", "custom[name=Key].value": "{{key}}"}}
"""


def found(*ids: int) -> web.Response:
    return web.json_response({"found": [{"id": one} for one in ids]})


def person(email: str = "a@example.com") -> web.Response:
    return web.json_response({"email": email, "tier": "pro"})


def test_an_update_changes_the_record_that_is_found(stub: Stub, run: Run) -> None:
    stub.answers = [found(7), web.json_response({}), person()]
    connector = stub.connector(UPDATE)

    outcome = run(hand(connector, sent(email="a@example.com", tier="pro")))
    run(connector.close())

    assert outcome == Confirmed(record_id="7", seen=Seen(updated=True))
    assert stub.asked == [
        "GET /api/people?email=a%40example.com",
        "PATCH /api/people/7",
        "GET /api/people/7",
    ]
    assert stub.bodies[1] == b'{"id":"7","tier":"pro"}'


def test_an_update_without_a_record_is_refused_and_writes_nothing(stub: Stub, run: Run) -> None:
    stub.answers = [found()]
    connector = stub.connector(UPDATE)

    with pytest.raises(DestinationRefused, match="there is no record to update"):
        run(connector.create(sent()))
    run(connector.close())

    assert len(stub.asked) == 1


def test_an_update_of_two_records_is_refused(stub: Stub, run: Run) -> None:
    stub.answers = [found(7, 8)]
    connector = stub.connector(UPDATE)

    with pytest.raises(DestinationRefused, match="2 records"):
        run(connector.create(sent()))
    run(connector.close())


def test_an_upsert_is_one_request(stub: Stub, run: Run) -> None:
    stub.answers = [made(9), person()]
    connector = stub.connector(UPSERT)

    outcome = run(hand(connector, sent()))
    run(connector.close())

    assert outcome == Confirmed(record_id="9")
    assert stub.asked == ["PUT /api/people/by-email/a%40example.com", "GET /api/people/9"]
    assert connector.actions["record"].idempotency is Idempotency.NATIVE_KEY


@pytest.mark.parametrize("code", ["taken", 7, "7"])
def test_a_conflict_says_which_record_is_there(stub: Stub, run: Run, code: object) -> None:
    refusal = {"error": {"code": code, "other": 12}}
    stub.answers = [web.json_response(refusal, status=409), person()]
    connector = stub.connector(CONFLICT)

    outcome = run(hand(connector, sent()))
    run(connector.close())

    assert outcome == Confirmed(record_id="12", found=True, seen=Seen(updated=True))


def test_what_a_conflict_found_and_our_key_is_not_in_is_not_deleted(stub: Stub, run: Run) -> None:
    refusal = {"error": {"code": "taken", "other": 12}}
    stub.answers = [web.json_response(refusal, status=409), person()]
    connector = stub.connector(CONFLICT)
    found = run(hand(connector, sent()))

    call = replace(sent(), seen=found.seen)
    outcome = run(hand_over(connector, call, confirm=(), look_first=False, known="12", undo=True))
    run(connector.close())

    assert isinstance(outcome, Failed)
    assert "was there before this event, as far as is known" in outcome.error
    assert [asked for asked in stub.asked if asked.startswith("DELETE")] == []


def test_a_refusal_that_is_no_conflict_stays_one(stub: Stub, run: Run) -> None:
    stub.answers = [web.json_response({"error": {"code": "too_long"}}, status=409)]
    connector = stub.connector(CONFLICT)

    with pytest.raises(DestinationRefused) as caught:
        run(connector.create(sent()))
    run(connector.close())

    assert not isinstance(caught.value, AlreadyThere)


def test_a_conflict_without_an_id_is_looked_up_among_what_a_search_finds(
    stub: Stub, run: Run
) -> None:
    def one(uid: int, email: str, key: str) -> dict[str, object]:
        return {"uid": uid, "email": email, "custom": [{"name": "Key", "value": key}]}

    near = [one(1, "aa@example.com", "key-1"), one(2, "a@example.com", "key-2"), {"uid": 3}]
    stub.answers = [
        web.Response(status=422),
        web.json_response([*near, one(4, "a@example.com", "key-1")]),
        person(),
    ]
    connector = stub.connector(BY_SEARCH)

    outcome = run(hand(connector, sent()))
    run(connector.close())

    assert outcome == Confirmed(record_id="4", found=True)
    assert stub.asked[1] == "POST /api/search"
    assert stub.bodies[1] == b'{"filter":[{"email":"a@example.com"}]}'


@pytest.mark.parametrize("status", [200, 204, 404, 410])
def test_what_is_taken_back_or_gone_is_taken_back(stub: Stub, run: Run, status: int) -> None:
    stub.answers = [web.Response(status=status)]
    connector = stub.connector(CONFLICT)

    run(connector.undo(sent(), "12"))
    run(connector.close())

    assert stub.asked == ["DELETE /api/people/12"]
    assert connector.actions["record"].can_undo


@pytest.mark.parametrize(
    ("status", "error"),
    [(403, DestinationRefused), (500, DestinationUnavailable), (429, RateLimited)],
)
def test_what_cannot_be_taken_back_is_said(
    stub: Stub, run: Run, status: int, error: type[Exception]
) -> None:
    stub.answers = [web.Response(status=status)]
    connector = stub.connector(CONFLICT)

    with pytest.raises(error):
        run(connector.undo(sent(), "12"))
    run(connector.close())


def test_an_action_without_an_undo_takes_nothing_back(stub: Stub, run: Run) -> None:
    connector = stub.connector(UPSERT)

    with pytest.raises(DestinationRefused, match="cannot be taken back"):
        run(connector.undo(sent(), "12"))
    assert not connector.actions["record"].can_undo


def test_a_form_goes_out_as_a_form(stub: Stub, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOOL_KEY", "s3cret/key")
    stub.answers = [made(5)]
    connector = stub.connector(
        """
connector: tool
kind: http
base_url: URL/in/
private_network: true
secrets: {KEY: "env:TOOL_KEY"}
actions:
  record:
    idempotency: none
    proof: receipt
    required: [email]
    optional: [note]
    create:
      path: ""
      form: {api_key: "{secret.KEY}", "person[email]": "{send.email}", note: "{send.note}"}
      record_id: id
"""
    )

    assert run(connector.create(sent(email="ä&b=c@example.com"))) == "5"
    run(connector.close())

    assert stub.asked == ["POST /in/"]
    assert stub.headers[0]["Content-Type"] == "application/x-www-form-urlencoded"
    assert stub.bodies == [b"api_key=s3cret%2Fkey&person%5Bemail%5D=%C3%A4%26b%3Dc%40example.com"]


def test_a_lost_answer_to_an_upsert_is_unknown_and_to_a_look_up_is_not(
    stub: Stub, run: Run
) -> None:
    async def hang_up(request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    stub.handle_with(hang_up)
    upsert, update = stub.connector(UPSERT), stub.connector(UPDATE)

    with pytest.raises(OutcomeUnknown):
        run(upsert.create(sent()))
    with pytest.raises(DestinationUnavailable):
        run(update.create(Outgoing(key="k", action="record", fields={"email": "a@example.com"})))
    run(upsert.close())
    run(update.close())
