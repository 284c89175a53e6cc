"""A receiver can tell that a request is ours, by its exact bytes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from typing import Any

import pytest

from connectors.http.wire.signing import standard_webhooks
from orchestrator.domain.delivery.handoff import Failed, Outgoing
from tests.connectors.http.stub import WEBHOOK, Stub, made
from tests.connectors.rigs import hand, sent

Run = Callable[..., Any]

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_a_signature_is_the_one_of_the_standard() -> None:
    """The example of standardwebhooks.com."""
    sign = standard_webhooks(SECRET)

    headers = sign("msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', 1614265330)

    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_webhook_is_signed_over_what_goes_out(
    stub: Stub, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    stub.answers = [made()]
    said = WEBHOOK.replace("auth: {}", 'auth: {standard_webhooks: "env:HOOK_SECRET"}')
    connector = stub.connector(said)

    run(connector.create(Outgoing(key="evt-1:hook", action="record", fields={"text": "ü"})))
    run(connector.close())

    headers, body = stub.headers[0], stub.bodies[0]
    stamp = headers["webhook-timestamp"]
    raw = base64.b64decode(SECRET.removeprefix("whsec_"))
    digest = hmac.new(raw, f"evt-1:hook.{stamp}.".encode() + body, hashlib.sha256).digest()
    assert headers["webhook-id"] == "evt-1:hook"
    assert abs(int(stamp) - time.time()) < 300
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"


def test_a_body_is_signed_in_one_header(
    stub: Stub, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SECRET", "s3cret")
    stub.answers = [made()]
    auth = '{hmac: {header: X-Signature-256, secret: "env:HOOK_SECRET", prefix: "sha256="}}'
    connector = stub.connector(WEBHOOK.replace("auth: {}", f"auth: {auth}"))

    run(connector.create(sent()))
    run(connector.close())

    digest = hmac.new(b"s3cret", stub.bodies[0], hashlib.sha256).hexdigest()
    assert stub.headers[0]["X-Signature-256"] == f"sha256={digest}"


def test_a_secret_of_another_shape_is_said_without_its_value(
    stub: Stub, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SECRET", "not base64!")
    said = WEBHOOK.replace("auth: {}", 'auth: {standard_webhooks: "env:HOOK_SECRET"}')

    outcome = run(hand(stub.connector(said), sent()))

    assert isinstance(outcome, Failed)
    assert outcome.error == (
        "hook: create: env:HOOK_SECRET is not base64, as the secrets of Standard Webhooks are"
    )
