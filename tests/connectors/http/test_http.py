"""The HTTP connector: what goes out, who we are there, and what an answer can do to us."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from connectors.handoff.concurrent import Job, hand_over_many
from connectors.rigging import Bench
from orchestrator.domain.delivery.handoff import (
    Confirmed,
    Connector,
    Failed,
    Mismatched,
    NotStarted,
    Outcome,
    Receipted,
)
from tests.connectors.http.stub import TOOL, WEBHOOK, Stub, made
from tests.connectors.rigs import SECRET, hand, rig_of, sent

Run = Callable[..., Any]


# Who we are, and what an error may say.


def test_a_wrong_token_is_refused_and_shown_to_nobody(helpdesk: Bench) -> None:
    rig_of(helpdesk).environment.setenv("MESHLINE_SANDBOX_TOKEN", "wr0ng-t0ken")

    outcome = helpdesk.hand_over("key-1")

    assert isinstance(outcome, Failed)
    assert (outcome.permanent, outcome.unknown) == (True, False)
    assert "401" in outcome.error
    assert "check the connector's auth" in outcome.error
    assert "wr0ng-t0ken" not in outcome.error


def test_a_changed_token_is_read_anew_after_it_was_refused(helpdesk: Bench) -> None:
    environment = rig_of(helpdesk).environment
    environment.setenv("MESHLINE_SANDBOX_TOKEN", "wr0ng-t0ken")
    assert isinstance(helpdesk.hand_over("key-1"), Failed)

    environment.setenv("MESHLINE_SANDBOX_TOKEN", SECRET)

    assert isinstance(helpdesk.hand_over("key-1"), Confirmed)


def test_a_token_that_is_not_set_is_named_and_the_call_tried_again_later(helpdesk: Bench) -> None:
    rig_of(helpdesk).environment.delenv("MESHLINE_SANDBOX_TOKEN")

    outcome = helpdesk.hand_over("key-1")

    assert isinstance(outcome, Failed)
    assert (outcome.permanent, outcome.unknown) == (False, False)
    assert "env:MESHLINE_SANDBOX_TOKEN is not set" in outcome.error


@pytest.mark.parametrize(
    "auth",
    [
        '{bearer: "env:T"}',
        '{basic: {user: "env:U", password: "env:T"}}',
        '{header: {name: X-Api-Key, value: "env:T"}}',
    ],
)
def test_a_secret_that_the_destination_repeats_is_masked(
    stub: Stub, run: Run, monkeypatch: pytest.MonkeyPatch, auth: str
) -> None:
    monkeypatch.setenv("T", SECRET)
    monkeypatch.setenv("U", "desk")
    connector = stub.connector(WEBHOOK.replace("auth: {}", f"auth: {auth}"))

    def repeat(request: web.BaseRequest) -> web.Response:
        proof = request.headers.get("Authorization") or request.headers["X-Api-Key"]
        return web.Response(status=400, text=f"bad credentials {proof}")

    stub.answers = [repeat]
    outcome = run(hand(connector, sent(text="hi")))
    run(connector.close())

    assert isinstance(outcome, Failed)
    assert "***" in outcome.error
    assert SECRET not in outcome.error
    assert "ZGVzazpz" not in outcome.error  # how desk:s… begins in base64


@pytest.mark.parametrize("filters", ["md5", "lower|sha256", "lower"])
def test_what_a_filter_makes_of_a_secret_is_masked(
    stub: Stub, run: Run, monkeypatch: pytest.MonkeyPatch, filters: str
) -> None:
    monkeypatch.setenv("TOOL_KEY", "S3cret-Key")
    stub.answers = [lambda request: web.Response(status=404, text=f"no {request.headers['X-Key']}")]
    keyed = f'create: {{path: /in, headers: {{X-Key: "{{secret.KEY|{filters}}}"}},'
    definition = WEBHOOK.replace("create: {path: /in,", keyed)
    connector = stub.connector(definition.replace("auth: {}", 'secrets: {KEY: "env:TOOL_KEY"}'))

    outcome = run(hand(connector, sent(text="hi")))
    run(connector.close())

    assert isinstance(outcome, Failed)
    assert outcome.error == "hook: create answered 404: no ***"
    assert stub.headers[0]["X-Key"] != "S3cret-Key"


def test_an_address_that_is_kept_secret_is_masked(
    stub: Stub, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who knows the address of an incoming webhook may post to it."""
    monkeypatch.setenv("HOOK", f"{stub.url}/s3cret-path")
    stub.answers = [lambda request: web.Response(status=404, text=f"no {request.url}")]
    connector = stub.connector(WEBHOOK.replace("base_url: URL", "base_url: env:HOOK"))

    outcome = run(hand(connector, sent(text="hi")))
    run(connector.close())

    assert isinstance(outcome, Failed)
    assert outcome.error == "hook: create answered 404: no ***/in"


@pytest.mark.parametrize(
    "repeated",
    [
        "/services/T00000042/zKq3vA9xQw",
        "zKq3vA9xQw",
        "T00000042 is gone",
        "services%2FT00000042%2FzKq3vA9xQw",
        "c2VydmljZXMvVDAwMDAwMDQyL3pLcTN2QTl4UXc",
        "\\/services\\/T00000042\\/zKq3vA9xQw",
        "key=abcdef99",
    ],
)
def test_a_destination_that_repeats_a_part_of_a_secret_address_tells_nobody(
    stub: Stub, run: Run, monkeypatch: pytest.MonkeyPatch, repeated: str
) -> None:
    monkeypatch.setenv("HOOK", f"{stub.url}/services/T00000042/zKq3vA9xQw?key=abcdef99")
    stub.answers = [web.Response(status=404, text=f"Cannot POST {repeated}")]
    definition = WEBHOOK.replace("base_url: URL", "base_url: env:HOOK").replace("/in", '""')

    connector = stub.connector(definition)
    outcome = run(hand(connector, sent(text="hi")))
    run(connector.close())

    assert isinstance(outcome, Failed)
    assert "Cannot POST" in outcome.error
    for part in ("T00000042", "zKq3vA9xQw", "abcdef99", "c2VydmljZXMv"):
        assert part not in outcome.error


def test_a_short_secret_is_used_and_masked_where_it_is_a_word(
    stub: Stub, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("T", "x1")
    said = "the token x1 (or token=x1) is not ax1s"
    stub.answers = [web.Response(status=422, text=said)]
    connector = stub.connector(WEBHOOK.replace("auth: {}", 'auth: {bearer: "env:T"}'))

    outcome = run(hand(connector, sent(text="hi")))
    run(connector.close())

    assert isinstance(outcome, Failed)
    assert "the token *** (or token=***) is not ax1s" in outcome.error


def test_a_record_that_repeats_a_secret_is_told_without_it(
    stub: Stub, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("T", SECRET)
    definition = TOOL.replace("actions:", 'auth: {bearer: "env:T"}\nactions:', 1)
    stub.answers = [made(), web.json_response({"email": [f"by {SECRET}"]})]

    connector = stub.connector(definition)
    outcome = run(hand(connector, sent(email="a@example.com")))
    run(connector.close())

    assert isinstance(outcome, Mismatched)
    assert outcome.differences[0].stored == ["by ***"]


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("SITE", "ftp://desk.example.com", "is not http://host"),
        ("SITE", "https://me:s3cret@desk.example.com", "holds a login"),
        ("SITE", "https://desk.example.com:99999", "cannot be read as a URL"),
        ("TOKEN", "s3crét", "a character that a header cannot carry"),
    ],
)
def test_a_reference_to_something_unfit_is_said_without_its_value(
    stub: Stub, run: Run, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    monkeypatch.setenv("SITE", stub.url)
    monkeypatch.setenv("TOKEN", "t")
    monkeypatch.setenv(variable, value)
    definition = WEBHOOK.replace("URL", "env:SITE").replace("{}", '{bearer: "env:TOKEN"}', 1)

    outcome = run(hand(stub.connector(definition), sent(text="hi")))

    assert isinstance(outcome, Failed)
    assert (outcome.permanent, outcome.unknown) == (False, False)
    assert said in outcome.error
    assert "s3cr" not in outcome.error
    assert stub.asked == []


# What goes out, and what comes back.


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(stub: Stub, run: Run, status: int) -> None:
    elsewhere = Stub()
    run(elsewhere.start())
    stub.answers = [web.Response(status=status, headers={"Location": f"{elsewhere.url}/in"})]
    connector = stub.connector(WEBHOOK)

    outcome = run(hand(connector, sent(text="hi")))
    run(connector.close())
    run(elsewhere.stop())

    assert isinstance(outcome, Failed)
    assert outcome.permanent
    assert "redirects are not followed" in outcome.error
    assert elsewhere.asked == []


def test_a_webhook_without_an_answer_body_is_receipted_by_its_key(stub: Stub, run: Run) -> None:
    stub.answers = [web.Response(status=204)]
    connector = stub.connector(WEBHOOK)

    outcome = run(hand(connector, sent("key-7", text="hi")))
    run(connector.close())

    assert outcome == Receipted(receipt_id="key-7")


def test_values_cannot_leave_their_place_in_the_path(stub: Stub, run: Run) -> None:
    stub.answers = [made("../../admin?x#y"), web.json_response({"email": "a@example.com"})]
    connector = stub.connector(TOOL)

    outcome = run(hand(connector, sent("k/../../x?y=1")))
    run(connector.close())

    assert isinstance(outcome, Confirmed)
    assert stub.asked == [
        "PUT /api/things/k%2F..%2F..%2Fx%3Fy%3D1",
        "GET /api/things/..%2F..%2Fadmin%3Fx%23y",
    ]


@pytest.mark.parametrize("answer", ["null", '""', "true", "1.5", "[]", "{}", f'"{"x" * 600}"'])
def test_an_answer_without_a_usable_id_leaves_the_outcome_unknown(
    stub: Stub, run: Run, answer: str
) -> None:
    stub.answers = [web.Response(status=201, text=f'{{"id": {answer}}}')]
    connector = stub.connector(TOOL)

    outcome = run(hand(connector, sent()))
    run(connector.close())

    assert isinstance(outcome, Failed)
    assert outcome.unknown


def test_a_record_that_is_gone_after_its_create_is_unknown(stub: Stub, run: Run) -> None:
    stub.answers = [made(), web.Response(status=404)]
    connector = stub.connector(TOOL)

    outcome = run(hand(connector, sent()))
    run(connector.close())

    assert isinstance(outcome, Failed)
    assert (outcome.unknown, outcome.permanent) == (True, False)
    assert "r-1" in outcome.error


def test_a_read_that_is_forbidden_after_a_create_is_for_a_person(stub: Stub, run: Run) -> None:
    stub.answers = [made(), web.Response(status=403)]
    connector = stub.connector(TOOL)

    outcome = run(hand(connector, sent()))
    run(connector.close())

    assert isinstance(outcome, Failed)
    assert (outcome.unknown, outcome.permanent) == (True, True)


def test_a_connection_that_was_closed_while_the_loop_stood_still_is_not_used(run: Run) -> None:
    """A worker's loop runs only while it hands over; a server hangs up in between."""
    server = Stub()
    run(server.start())
    server.answers = [made(), made()]
    connector = server.connector(WEBHOOK)
    assert isinstance(run(one_of(connector, "key-1")), Receipted)
    server.hang_up()
    # The server's end is closed; the client's loop has not looked yet.

    outcome = run(one_of(connector, "key-2"))
    run(connector.close())
    run(server.stop())

    assert outcome == Receipted(receipt_id="key-2")


def test_an_address_stands_in_no_error_for_it_may_be_a_secret(stub: Stub, run: Run) -> None:
    stub.answers = [made()]
    connector = stub.connector(WEBHOOK)
    run(hand(connector, sent(text="hi")))
    stub.hang_up()

    outcome = run(hand(connector, sent(text="hi")))  # on the connection that was just cut
    run(connector.close())

    assert isinstance(outcome, Failed)
    assert "/in" not in outcome.error
    assert stub.url.removeprefix("http://") not in outcome.error


async def one_of(connector: Connector, key: str) -> Outcome | NotStarted:
    job = Job(id="job", connector=connector, call=sent(key, text="hi"), confirm=())
    return (await hand_over_many([job], finish_by=time.monotonic() + 60))["job"]


def test_a_body_goes_out_as_json_and_says_so(stub: Stub, run: Run) -> None:
    seen: list[tuple[str, bytes]] = []

    async def look(request: web.BaseRequest) -> web.Response:
        seen.append((request.headers["Content-Type"], await request.read()))
        return made()

    stub.handle_with(look)
    connector = stub.connector(WEBHOOK)
    run(hand(connector, sent(text="ü", score=1.5)))
    run(connector.close())

    assert seen == [("application/json", '{"text":"ü","score":1.5}'.encode())]


def test_an_endless_answer_is_not_read_to_its_end(stub: Stub, run: Run) -> None:
    async def pour(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(status=201)
        await response.prepare(request)
        try:
            while True:
                await response.write(b" " * 1_000)
        except ConnectionError:
            return response

    stub.handle_with(pour)
    connector = stub.connector(TOOL.replace("kind: http", "kind: http\nmax_answer_bytes: 2000"))

    outcome = run(hand(connector, sent()))
    run(connector.close())

    assert isinstance(outcome, Failed)
    assert outcome.unknown
    assert "more than 2000 bytes" in outcome.error


def test_a_packed_answer_unfolds_into_no_more_than_an_answer_may_have(stub: Stub, run: Run) -> None:
    packed = gzip.compress(b'{"id": "r-1"}' + b" " * 100_000)
    stub.answers = [web.Response(status=201, body=packed, headers={"Content-Encoding": "gzip"})]
    connector = stub.connector(TOOL.replace("kind: http", "kind: http\nmax_answer_bytes: 2000"))

    outcome = run(hand(connector, sent()))
    run(connector.close())

    assert isinstance(outcome, Failed)
    assert outcome.unknown
    assert "more than 2000 bytes, once unpacked" in outcome.error


def test_no_cookie_of_a_destination_is_sent_back(stub: Stub, run: Run) -> None:
    cookies: list[object] = []

    async def give(request: web.BaseRequest) -> web.Response:
        cookies.append(request.headers.get("Cookie"))
        return web.Response(status=204, headers={"Set-Cookie": "session=1; Path=/"})

    stub.handle_with(give)
    connector = stub.connector(WEBHOOK.replace("URL", stub.url.replace("127.0.0.1", "localhost")))
    run(hand(connector, sent(text="hi")))
    run(hand(connector, sent(text="hi")))
    run(connector.close())

    assert cookies == [None, None]
