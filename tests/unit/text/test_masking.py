"""Whatever way a destination repeats a secret, a text that people see does not hold it."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest

from orchestrator.domain.text.masking import (
    address_spellings,
    masked,
    masked_in,
    pair_spellings,
    spellings,
)

SECRETS = ["s3cret", "s3cret-t0ken", "a/b+c=d&e", "qu\"o't<e>", "pässwörd-9", "sp ace d%41"]
WAYS = {
    "as it is": lambda s: s,
    "percent-encoded": lambda s: quote(s, safe=""),
    "percent-encoded, small": lambda s: "".join(
        one if one.isalnum() and one.isascii() else "".join(f"%{b:02x}" for b in one.encode())
        for one in s
    )
    if not set("-_.~") & set(s)
    else quote(s, safe=""),
    "in a path": quote,
    "in a form": quote_plus,
    "in JSON": lambda s: json.dumps({"token": s}),
    "in JSON, unescaped": lambda s: json.dumps({"token": s}, ensure_ascii=False),
    "in PHP's JSON": lambda s: json.dumps(s).replace("/", "\\/"),
    "in HTML": html.escape,
    "in HTML's text": lambda s: html.escape(s, quote=False),
    "in base64": lambda s: base64.b64encode(s.encode()).decode(),
    "in base64, after 1 byte": lambda s: base64.b64encode(b"x" + s.encode() + b"yz").decode(),
    "in base64, after 2 bytes": lambda s: base64.b64encode(b"xy" + s.encode() + b"z").decode(),
    "in base64 of addresses": lambda s: base64.urlsafe_b64encode(s.encode()).decode(),
    "in hex": lambda s: s.encode().hex(),
}  # fmt: skip


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_secret_is_covered_however_it_is_written(way, secret: str) -> None:  # type: ignore[no-untyped-def]
    shown = masked(f"no: {way(secret)} is wrong", spellings(secret))

    assert "***" in shown
    if "base64" not in str(way):
        assert way(secret) not in shown


ADDRESS = (
    "https://us3r-name:p4ssw0rd@hooks.example/services/T00000042/x/zKq3%2FvA9x?key=abc%2Fdef9&v=2"
)


@pytest.mark.parametrize(
    "part",
    [
        "us3r-name",
        "p4ssw0rd",
        "T00000042",
        "zKq3%2FvA9x",
        "zKq3/vA9x",
        "abc%2Fdef9",
        "abc/def9",
        "/services/T00000042/x/zKq3%2FvA9x",
        "key=abc%2Fdef9&v=2",
        ADDRESS,
    ],
)
def test_every_part_of_a_secret_address_is_covered(part: str) -> None:
    shown = masked(f"<p>cannot POST {part} here</p>", address_spellings(ADDRESS))

    assert part not in shown
    for secret in ("T00000042", "vA9x", "def9", "p4ssw0rd"):
        assert secret not in shown
    assert shown.startswith("<p>cannot POST ")
    assert shown.endswith(" here</p>")


def test_short_parts_of_an_address_are_left_for_they_are_parts_of_any_word() -> None:
    spelled = address_spellings("https://desk.example/api/v2?v=2")

    assert masked("the api answered: v2 of 2", spelled) == "the api answered: v2 of 2"


def test_a_login_is_covered_as_http_and_mail_servers_are_shown_it() -> None:
    spelled = pair_spellings("desk", "s3cret-t0ken")
    for shown in (
        b"desk:s3cret-t0ken",
        b"\0desk\0s3cret-t0ken",
        b"s3cret-t0ken",
        b"abdesk:s3cret-t0ken",
    ):
        said = base64.b64encode(shown).decode()
        assert said not in masked(f"535 bad {said}", spelled)
    assert masked("535 desk:s3cret-t0ken", spelled) == "535 ***"
    assert masked("535 desk is unknown", spelled) == "535 desk is unknown"


def test_a_document_is_covered_in_every_text_and_name() -> None:
    document = {"s3cret-t0ken": [{"a": "x s3cret-t0ken", "n": 1}, None, True]}

    assert masked_in(document, spellings("s3cret-t0ken")) == {
        "***": [{"a": "x ***", "n": 1}, None, True]
    }


def test_nothing_is_covered_without_a_secret() -> None:
    assert spellings("") == frozenset()
    assert masked("a text", [""]) == "a text"
