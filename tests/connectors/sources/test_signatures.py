"""Who signed a request: each shipped source takes its vendor's, and nothing that was changed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from urllib.parse import parse_qsl

import pytest

from connectors.sources.file import SHIPPED
from orchestrator.domain.errors import SignatureRefused
from orchestrator.domain.sources.request import HookRequest, joined
from orchestrator.domain.sources.schemes import Hmac, Scheme, SecretUnusable, Token, verify
from tests.hooks import SAVED, SECRET, SIGNED_AT, saved, secret_for, source, with_header

OTHER = "another-secret"
COVERS_NO_BODY = {"gitlab", "basic", "secret-path"}
"""What these send along is the secret itself."""


def _taken(name: str, request: HookRequest, *secrets: str, now: float = SIGNED_AT) -> bool:
    try:
        verify(source(name).scheme, request, secrets or (secret_for(name),), now=now)
    except SignatureRefused:
        return False
    return True


def _flips(raw: bytes) -> Iterator[bytes]:
    """Each text that differs from another in one bit."""
    for place in range(len(raw)):
        for bit in range(8):
            changed = bytearray(raw)
            changed[place] ^= 1 << bit
            yield bytes(changed)


def _signature_headers(scheme: Scheme) -> list[str]:
    if isinstance(scheme, Hmac):
        return [one for one in (scheme.header, scheme.timestamp_header) if one]
    return [scheme.header] if isinstance(scheme, Token) else ["X-Twilio-Signature"]


@pytest.mark.parametrize("name", SAVED)
def test_a_saved_request_of_each_source_is_taken(name: str) -> None:
    assert _taken(name, saved(name))


@pytest.mark.parametrize("name", SAVED)
def test_another_secret_is_refused_and_an_older_one_is_good_beside_it(name: str) -> None:
    other = f"acme:{OTHER}" if name == "basic" else "whsec_b3RoZXI="

    assert not _taken(name, saved(name), other)
    assert _taken(name, saved(name), other, secret_for(name))


@pytest.mark.parametrize("name", sorted({*SAVED} - {"basic", "secret-path"}))
def test_each_single_bit_of_signature_and_time_counts(name: str) -> None:
    request = saved(name)
    for header in _signature_headers(source(name).scheme):
        value = request.header(header).encode()
        # Of several signatures one is enough: the other kinds of Stripe's are no part of the proof.
        proof = len(value.partition(b",v0=")[0])
        for changed in _flips(value[:proof]):
            text = (changed + value[proof:]).decode("latin-1")
            assert not _taken(name, with_header(request, header, text)), (header, text)


@pytest.mark.parametrize("name", sorted({*SAVED} - COVERS_NO_BODY - {"twilio"}))
def test_each_single_bit_of_the_body_counts(name: str) -> None:
    request = saved(name)

    assert not any(_taken(name, replace(request, body=one)) for one in _flips(request.body))


def test_each_single_bit_of_a_form_counts_that_changes_a_field() -> None:
    request = saved("twilio")
    before = parse_qsl(request.body.decode())
    taken = [one for one in _flips(request.body) if _taken("twilio", replace(request, body=one))]

    # `%2B` and `%2b` are one field: Twilio signs what a form says, and not how it is written.
    assert all(parse_qsl(one.decode()) == before for one in taken)
    assert len(taken) < len(request.body)


@pytest.mark.parametrize(("name", "place"), [("basic", 6), ("secret-path", 0)])
def test_each_single_bit_of_a_login_and_of_a_secret_address_counts(name: str, place: int) -> None:
    request = saved(name)
    if name == "secret-path":
        changed = [
            replace(request, secret_path=one.decode("latin-1"))
            for one in _flips(request.secret_path.encode())
        ]
    else:
        value = request.header("Authorization").encode()
        changed = [
            with_header(request, "Authorization", (value[:place] + one).decode("latin-1"))
            for one in _flips(value[place:])
        ]

    assert changed
    assert not any(_taken(name, one) for one in changed)


@pytest.mark.parametrize(
    "name", [one for one in SAVED if getattr(source(one).scheme, "has_time", False)]
)
def test_what_was_signed_too_long_ago_or_ahead_is_refused(name: str) -> None:
    scheme = source(name).scheme
    assert isinstance(scheme, Hmac)
    edge = scheme.tolerance_seconds

    assert _taken(name, saved(name), now=SIGNED_AT + edge)
    assert _taken(name, saved(name), now=SIGNED_AT - edge)
    assert not _taken(name, saved(name), now=SIGNED_AT + edge + 1)
    assert not _taken(name, saved(name), now=SIGNED_AT - edge - 1)


@pytest.mark.parametrize("name", SAVED)
def test_a_request_without_its_signature_is_refused(name: str) -> None:
    request = replace(saved(name), headers={}, secret_path="")

    assert not _taken(name, request)


def _vendor(method: str, url: str, body: bytes, **headers: str) -> HookRequest:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HookRequest(method=method, url=url, headers=joined(named.items()), body=body)


# What the vendors publish themselves: text, secret and signature of each are theirs, from their
# pages, and Stripe's from its library for .NET (StripeTests, EventUtilityTest).
VECTORS = {
    "stripe": (
        "webhook_secret",
        1533204620.0,
        _vendor(
            "POST",
            "",
            json.dumps(
                {
                    "id": "evt_123",
                    "object": "event",
                    "account": "acct_123",
                    "api_version": "2017-05-25",
                    "created": 1533204620,
                    "data": {
                        "object": {
                            "id": "cus_123",
                            "object": "customer",
                            "created": 123456789,
                            "email": "test@stripe.com",
                            "livemode": False,
                            "metadata": {},
                        }
                    },
                    "livemode": False,
                    "pending_webhooks": 1,
                    "request": {"id": "req_123", "idempotency_key": "idempotency-key-123"},
                    "type": "customer.created",
                },
                indent=2,
            ).encode()
            + b"\n",
            stripe_signature="t=1533204620,"
            "v1=2220f87ef101a04665f11cdf770523143f875572008577fa0f20882ddb9cc3c7,"
            "v0=63f3a72374a733066c4be69ed7f8e5ac85c22c9f0a6a612ab9a025a9e4ee7eef",
        ),
    ),
    "standard-webhooks": (
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        1614265330.0,
        _vendor(
            "POST",
            "",
            b'{"test": 2432232314}',
            webhook_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
            webhook_timestamp="1614265330",
            webhook_signature="v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ),
    ),
    "github": (
        "It's a Secret to Everybody",
        0.0,
        _vendor(
            "POST",
            "",
            b"Hello, World!",
            x_hub_signature_256="sha256="
            "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
        ),
    ),
    "slack": (
        "8f742231b10e8888abcd99yyyzzz85a5",
        1531420618.0,
        _vendor(
            "POST",
            "",
            b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow"
            b"&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner"
            b"&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com"
            b"%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
            b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c",
            x_slack_request_timestamp="1531420618",
            x_slack_signature="v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
        ),
    ),
    "hubspot": (
        "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy",
        1693657560.0,
        _vendor(
            "POST",
            "https://www.example.com/webhook_uri",
            b"{'example_field':'example_value'}",
            x_hubspot_request_timestamp="1693657560000",
            x_hubspot_signature_v3="K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y=",
        ),
    ),
    "twilio": (
        "12345",
        0.0,
        _vendor(
            "POST",
            "https://mycompany.com/myapp.php?foo=1&bar=2",
            b"CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234"
            b"&From=%2B14158675309&To=%2B18005551212",
            content_type="application/x-www-form-urlencoded",
            x_twilio_signature="RSOYDt4T1cUTdK1PDd93/VVr8B8=",
        ),
    ),
}


@pytest.mark.parametrize("name", VECTORS)
def test_a_vector_of_the_vendor_is_taken(name: str) -> None:
    secret, now, request = VECTORS[name]

    assert _taken(name, request, secret, now=now)
    assert not _taken(name, replace(request, body=request.body + b" "), secret, now=now)


def _mac(kind: str, *parts: bytes) -> bytes:
    return hmac.new(SECRET.encode(), b"".join(parts), kind).digest()


# These publish no vector. What their page says of the signature is written here once more, and by
# no code of ours: the page, and the headers of a body and the time that it was signed at.
RULES: dict[str, tuple[str, Callable[[bytes, int], dict[str, str]]]] = {
    "gitlab": (
        "https://docs.gitlab.com/user/project/integrations/webhooks/",
        lambda _, __: {"X-Gitlab-Token": SECRET},
    ),
    "shopify": (
        "https://shopify.dev/docs/apps/build/webhooks/verify-deliveries",
        lambda body, _: {"X-Shopify-Hmac-Sha256": base64.b64encode(_mac("sha256", body)).decode()},
    ),
    "typeform": (
        "https://www.typeform.com/developers/webhooks/secure-your-webhooks/",
        lambda body, _: {
            "Typeform-Signature": f"sha256={base64.b64encode(_mac('sha256', body)).decode()}"
        },
    ),
    "calendly": (
        "https://developer.calendly.com/api-docs/overview/webhooks/webhook-signatures",
        lambda body, at: {
            "Calendly-Webhook-Signature": (
                f"t={at},v1={_mac('sha256', str(at).encode(), b'.', body).hex()}"
            )
        },
    ),
    "intercom": (
        "https://developers.intercom.com/docs/webhooks/setting-up-webhooks",
        lambda body, _: {"X-Hub-Signature": f"sha1={_mac('sha1', body).hex()}"},
    ),
    "zendesk": (
        "https://developer.zendesk.com/documentation/webhooks/verifying/",
        lambda body, _: {
            "X-Zendesk-Webhook-Signature": base64.b64encode(
                _mac("sha256", b"2023-11-14T22:13:20Z", body)
            ).decode(),
            "X-Zendesk-Webhook-Signature-Timestamp": "2023-11-14T22:13:20Z",
        },
    ),
}


def test_every_vendor_has_a_vector_of_its_own_or_a_page_that_is_followed() -> None:
    ours = {"hmac", "basic", "secret-path"}  # schemes, and no vendors

    assert {*VECTORS} | {*RULES} == {*SAVED} - ours
    assert not {*VECTORS} & {*RULES}


@pytest.mark.parametrize("name", RULES)
def test_what_is_signed_as_the_page_of_a_vendor_says_is_taken(name: str) -> None:
    page, signed = RULES[name]
    body = '{"é": 1}\n'.encode()  # a body is signed as it comes, whatever it is
    request = _vendor("POST", "", body, **signed(body, int(SIGNED_AT)))
    text = (SHIPPED / f"{name}.yaml").read_text("utf-8")

    assert page in text.partition("\n")[0]
    assert _taken(name, request, SECRET)
    assert not _taken(name, request, OTHER)


def test_zendesk_signs_the_time_before_the_body_as_its_page_says_today() -> None:
    # An older text of Zendesk's page had the body first, with this vector; today's has the time
    # first, in its formula and in its code, and both addresses of the page say so.
    secret, when = "HRkRd4BeOAoUkfZr-mhauJT64rvBASlJRoIyPsd3zeA=", "2021-07-25T10:00:00Z"
    body, older = b'{"say": "hello"}', "tRDSF7URY8BLCDlaBcQ7FHu051Zk+aAB0NKMP53teMw="
    now = datetime.fromisoformat(when).timestamp()

    def taken(signature: str) -> bool:
        request = _vendor(
            "POST",
            "",
            body,
            x_zendesk_webhook_signature=signature,
            x_zendesk_webhook_signature_timestamp=when,
        )
        return _taken("zendesk", request, secret, now=now)

    def digest(text: bytes) -> str:
        return base64.b64encode(hmac.new(secret.encode(), text, "sha256").digest()).decode()

    assert digest(body + when.encode()) == older
    assert not taken(older)
    assert taken(digest(when.encode() + body))


def test_a_gitlab_that_signs_is_taken_by_standard_webhooks() -> None:
    # GitLab's signing tokens are secrets of Standard Webhooks: `whsec_` and base64.
    secret, now, request = VECTORS["standard-webhooks"]
    signed = source("standard-webhooks", more='type: "gitlab.{body.object_kind}"\n').scheme

    proof = verify(signed, request, (f"whsec_{secret}",), now=now)

    assert proof.by == "hmac-sha256"


def test_a_standard_webhook_is_taken_by_one_good_signature_of_several_and_by_no_other_kind() -> (
    None
):
    secret, now, request = VECTORS["standard-webhooks"]
    good = request.header("webhook-signature")
    bad = good.replace("v1,g0", "v1,g1")

    def taken(value: str, *secrets: str) -> bool:
        changed = with_header(request, "webhook-signature", value)
        return _taken("standard-webhooks", changed, *(secrets or (secret,)), now=now)

    assert taken(f"{bad} v2,abc {good}")
    assert not taken(bad)
    assert not taken(good.replace("v1,", "v2,"))
    assert taken(good, f"whsec_{secret}")
    assert not _taken(
        "standard-webhooks", with_header(request, "webhook-timestamp", "hello"), secret
    )
    with pytest.raises(SecretUnusable):
        verify(source("standard-webhooks").scheme, request, ("whsec_",), now=now)


def test_hubspot_signs_the_address_with_its_twelve_characters_decoded() -> None:
    url = "https://hooks.acme.example/v1/hooks/hubspot?to=a%3Ab%2Fc&left=%20"
    text = b"POSThttps://hooks.acme.example/v1/hooks/hubspot?to=a:b/c&left=%20{}1700000000000"
    digest = hmac.new(b"key", text, hashlib.sha256).digest()
    request = _vendor(
        "POST",
        url,
        b"{}",
        x_hubspot_request_timestamp="1700000000000",
        x_hubspot_signature_v3=base64.b64encode(digest).decode(),
    )

    assert _taken("hubspot", request, "key")


def test_twilio_signs_the_digest_of_a_body_that_is_not_a_form() -> None:
    body = b'{"CallSid":"CA1234567890ABCDE","Caller":"+12349013030"}'
    # As Twilio's page on signatures has it for this body.
    digest = "5ccde7145dfb8f56479710896586cb9d5911809d83afbe34627818790db0aec9"
    url = f"https://example.com/myapp?bodySHA256={digest}"
    signed = hmac.new(b"12345", url.encode(), hashlib.sha1).digest()
    request = _vendor(
        "POST",
        url,
        body,
        content_type="application/json",
        x_twilio_signature=base64.b64encode(signed).decode(),
    )

    assert _taken("twilio", request, "12345")
    assert not any(_taken("twilio", replace(request, body=one), "12345") for one in _flips(body))


def test_a_header_that_comes_twice_is_not_read_as_its_first() -> None:
    request = saved("github")
    name = "X-Hub-Signature-256"
    doubled = joined([*request.headers.items(), (name, "sha256=00")])

    assert not _taken("github", replace(request, headers=doubled))
