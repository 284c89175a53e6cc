"""What a verified request becomes: types, keys, several events, handshakes, forms."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from orchestrator.domain.errors import InvalidJson, PayloadTooLarge
from orchestrator.domain.sources.reading import (
    Bounds,
    HookEvent,
    answer_to_handshake,
    read_events,
    read_payload,
)
from orchestrator.domain.sources.request import HookRequest
from orchestrator.domain.sources.wording import wording
from tests.hooks import saved, source, with_header

BOUNDS = Bounds(depth=8, values=1_000, events=3)


def _events(name: str, request: HookRequest) -> list[HookEvent]:
    rules = source(name).rules
    return read_events(rules, request, read_payload(rules, request, BOUNDS), BOUNDS)


def _body(name: str, **changed: object) -> HookRequest:
    request = saved(name)
    return replace(request, body=json.dumps(json.loads(request.body) | changed).encode())


@pytest.mark.parametrize(
    ("name", "type_", "key"),
    [
        ("standard-webhooks", "contact.created", "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"),
        ("github", "github.issues.opened", "72d3162e-cc78-11e3-81ab-4c9367dc0958"),
        ("gitlab", "gitlab.issue.open", "f5e5f430-f57b-4e6e-9fac-d9128cd7232f"),
        ("stripe", "stripe.invoice.paid", "evt_1OCMsN"),
        ("slack", "slack.app_mention", "Ev08MFMKH6"),
        ("hubspot", "hubspot.contact.creation", "200.100.901.1700000000000"),
        ("shopify", "shopify.orders/create", "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043"),
        ("typeform", "typeform.form_response", "01HF8XQ"),
        ("zendesk", "zendesk.zen:event-type:ticket.created", "8350205582"),
        ("intercom", "intercom.conversation.user.created", "notif_78c122d0"),
        ("twilio", "twilio.message", "1a9a2f0c-31dd-4b2d"),
        ("hmac", "order.paid", "ord-1"),
        ("basic", "order.paid", "ord-1"),
        ("secret-path", "order.paid", "ord-1"),
    ],
)
def test_a_saved_request_has_its_type_and_its_key(name: str, type_: str, key: str) -> None:
    first = _events(name, saved(name))[0]

    assert (first.type, first.key) == (type_, f"{name}:{key}")


def test_calendly_is_keyed_by_what_happened_when_and_what_it_says() -> None:
    (one,) = _events("calendly", saved("calendly"))
    (again,) = _events("calendly", saved("calendly"))
    (other,) = _events("calendly", _body("calendly", payload={"uri": "another"}))

    assert one.key == again.key != other.key


def test_an_array_of_hubspot_is_an_event_for_each_element() -> None:
    found = _events("hubspot", saved("hubspot"))

    assert [one.type for one in found] == ["hubspot.contact.creation", "hubspot.deal.creation"]
    assert [json.loads(one.payload)["objectId"] for one in found] == [901, 902]
    with pytest.raises(PayloadTooLarge, match="more than 3 events"):
        _events("hubspot", replace(saved("hubspot"), body=b"[{},{},{},{}]"))


@pytest.mark.parametrize(
    ("name", "field"), [("stripe", "pending_webhooks"), ("intercom", "delivery_attempts")]
)
def test_what_another_try_of_a_vendor_changes_makes_no_other_event(name: str, field: str) -> None:
    (first,), (later,) = _events(name, saved(name)), _events(name, _body(name, **{field: 9}))
    (other,) = _events(name, _body(name, type="another"))

    assert first.digest == later.digest
    assert first.payload != later.payload
    assert first.digest != other.digest


def test_the_tries_of_hubspot_are_one_event() -> None:
    body = saved("hubspot").body.replace(b'"attemptNumber":0', b'"attemptNumber":1')

    first = _events("hubspot", saved("hubspot"))
    later = _events("hubspot", replace(saved("hubspot"), body=body))

    assert [(one.key, one.digest) for one in first] == [(one.key, one.digest) for one in later]


def test_what_is_in_brackets_is_left_out_where_it_is_missing_and_nothing_else_is() -> None:
    push = with_header(_body("github", action=None), "X-GitHub-Event", "push")

    assert _events("github", push)[0].type == "github.push"
    assert _events("hmac", _body("hmac", type=None))[0].type is None
    assert _events("hmac", _body("hmac", id=None))[0].key is None
    assert _events("hmac", _body("hmac", type={"a": 1}))[0].type is None
    assert _events("hmac", _body("hmac", type="two\nlines"))[0].type is None
    assert _events("hmac", _body("hmac", type="x" * 300))[0].type is None


def test_a_key_that_is_too_long_is_kept_by_its_digest() -> None:
    long = [_events("hmac", _body("hmac", id="k" * 399 + end))[0].key for end in "ab"]

    assert all(one is not None and len(one) < 400 for one in long)
    assert long[0] != long[1]


@pytest.mark.parametrize(
    ("name", "request_", "answer"),
    [
        ("slack", _body("slack", type="url_verification", challenge="3eZbrw1a"), "3eZbrw1a"),
        ("github", with_header(saved("github"), "X-GitHub-Event", "ping"), ""),
        ("intercom", _body("intercom", topic="ping"), ""),
        ("slack", saved("slack"), None),
        ("stripe", saved("stripe"), None),
    ],
)
def test_a_request_that_only_asks_whether_we_are_there_is_answered(
    name: str, request_: HookRequest, answer: str | None
) -> None:
    rules = source(name).rules

    payload = read_payload(rules, request_, BOUNDS)

    assert answer_to_handshake(rules, request_, payload) == answer


def test_the_json_in_the_field_of_a_form_is_the_payload() -> None:
    form = with_header(saved("github"), "Content-Type", "application/x-www-form-urlencoded")
    request = replace(form, body=b"payload=%7B%22action%22%3A%22closed%22%7D")

    (event,) = _events("github", request)

    assert (event.type, event.payload) == ("github.issues.closed", '{"action":"closed"}')


def test_the_fields_of_a_form_are_the_payload_and_several_of_a_name_are_a_list() -> None:
    request = replace(saved("twilio"), body=b"Body=Hi+there&Media=a&Media=b&Empty=")

    (event,) = _events("twilio", request)

    assert json.loads(event.payload) == {"Body": "Hi there", "Media": ["a", "b"], "Empty": ""}


@pytest.mark.parametrize("body", [b"{", b'{"a":NaN}', b'{"a":1,"a":2}', b"\xff"])
def test_a_body_that_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidJson):
        _events("hmac", replace(saved("hmac"), body=body))


def test_bodies_are_bounded_in_depth_values_and_fields() -> None:
    for body in (b"[" * 9 + b"]" * 9, b"[" + b"1," * 1_000 + b"1]"):
        with pytest.raises((InvalidJson, PayloadTooLarge)):
            _events("hmac", replace(saved("hmac"), body=body))
    with pytest.raises(PayloadTooLarge):
        _events("twilio", replace(saved("twilio"), body=b"a=1&" * 1_001))
    with pytest.raises(InvalidJson):
        _events("twilio", replace(saved("twilio"), body=b"a=%ff"))


def test_an_empty_body_is_an_empty_object() -> None:
    assert _events("hmac", replace(saved("hmac"), body=b""))[0].payload == "{}"


@pytest.mark.parametrize("text", ["{body}", "{x.y}", "[a", "a]", "[[a]]", "}", "{header.}"])
def test_a_wording_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"brackets|neither"):
        wording(text)
