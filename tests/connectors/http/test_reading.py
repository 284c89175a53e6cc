"""Answers are read as liberally as is safe; what is needed and cannot be read is told by name."""

from __future__ import annotations

import codecs
import gzip
import json
import zlib
from collections.abc import Callable
from encodings.aliases import aliases
from typing import Any

import pytest
from aiohttp import web

from connectors.http.wire.exchange import Answer
from connectors.http.wire.packing import Unpackable, unpacked
from connectors.http.wire.reading import document_of, text_of
from orchestrator.domain.delivery.handoff import Confirmed, Failed
from tests.connectors.http.stub import TOOL, Stub
from tests.connectors.rigs import hand, sent

Run = Callable[..., Any]
SAID = {"id": "r-1", "name": "Zoë"}
TEXT = json.dumps(SAID, ensure_ascii=False)


def answer(body: bytes, content_type: str = "application/json") -> Answer:
    return Answer(status=200, headers={"Content-Type": content_type}, body=body)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (TEXT.encode("utf-8-sig"), "application/json"),
        (b"\r\n" + TEXT.encode() + b"\n\n\x00", "application/json"),
        (TEXT.encode(), "text/plain; charset=utf8"),
        (TEXT.encode("latin-1"), "application/json; charset=ISO-8859-1"),
        (TEXT.encode("cp1252"), 'application/json; charset="windows-1252"'),
        (TEXT.encode("utf-16"), "application/json"),
        (TEXT.encode("utf-16-le"), "application/json"),
        (TEXT.encode("utf-16-be"), "application/json; charset=utf-16"),
        (TEXT.encode("utf-32"), "application/json"),
        (codecs.BOM_UTF8 + TEXT.encode(), "application/json; charset=iso-8859-1"),
        (TEXT.encode(), "application/json; charset=no-such"),
        (TEXT.encode(), "application/json; charset=base64"),
        (b")]}',\n" + TEXT.encode(), "application/json"),
    ],
)
def test_an_answer_is_read_in_its_own_charset_and_without_what_surrounds_it(
    body: bytes, content_type: str
) -> None:
    assert document_of(answer(body, content_type)) == SAID


def test_what_json_forbids_in_one_field_does_not_hide_the_others() -> None:
    odd = b'{"id": "r-1", "score": NaN, "note": "a\tb", "half": "\\ud83d", "bytes": "\xff", "big": '
    odd += b"9" * 5_000 + b"}"

    found = document_of(answer(odd))

    assert isinstance(found, dict)
    assert found["id"] == "r-1"
    assert (found["note"], found["half"], found["bytes"]) == ("a\tb", "\ufffd", "\ufffd")


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b'{"id": 1', b"{'id': 1}", b"[" * 100_000, b'{"id": 1} and more']
)
def test_what_is_not_json_is_not_read(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 -- any of its kinds
        document_of(answer(body))


def test_a_text_is_read_in_its_charset() -> None:
    assert text_of(answer("é\n".encode("latin-1"), "text/plain; charset=latin1")) == "é\n"
    assert text_of(answer(b"\xff")) == "\ufffd"


def test_no_codec_that_python_has_fails_on_an_answer() -> None:
    names = sorted({*aliases, *aliases.values(), "idna", "punycode", "undefined"})
    names += ["raw_unicode_escape", "unicode_escape"]

    for name in names:
        assert text_of(answer(bytes(range(256)), f"application/json; charset={name}"))
    for name in ("idna", "punycode", "undefined", "unicode_escape"):
        assert text_of(answer(b"\\x41\xff", f"text/plain; charset={name}")) == "\\x41\ufffd"


@pytest.mark.parametrize(
    ("pack", "encoding"),
    [
        (gzip.compress, "gzip"),
        (gzip.compress, "x-gzip"),
        (gzip.compress, ""),
        (zlib.compress, "deflate"),
        (lambda body: zlib.compress(body, wbits=-15), "deflate"),
        (lambda body: gzip.compress(zlib.compress(body)), "deflate, gzip"),
        (lambda body: body, "gzip"),
        (lambda body: body, "identity"),
    ],
)
def test_a_packed_body_is_unpacked_within_its_bound(
    pack: Callable[[bytes], bytes], encoding: str
) -> None:
    body = TEXT.encode()

    assert unpacked(pack(body), encoding, 100) == body


@pytest.mark.parametrize(
    ("body", "encoding", "says"),
    [
        (gzip.compress(b" " * 1_000_000, mtime=0), "gzip", "more than 1000 bytes"),
        (gzip.compress(b"x" * 500, mtime=0)[:-9], "gzip", "cannot be unpacked"),
        (b"\x1f\x8b\x08 no", "gzip", "cannot be unpacked"),
        (b"{}", "br", "packed as 'br'"),
        (b"{}", "gzip, deflate, identity, gzip", "packed 3 times"),
    ],
)
def test_what_cannot_be_unpacked_is_told(body: bytes, encoding: str, says: str) -> None:
    with pytest.raises(Unpackable, match=says):
        unpacked(body, encoding, 1_000)


def test_a_handoff_goes_through_whatever_the_answers_are_wrapped_in(stub: Stub, run: Run) -> None:
    packed = {"Content-Encoding": "gzip", "Content-Type": "application/json; charset=utf-16"}
    email = str(sent().fields["email"])
    record = json.dumps({"id": "r-1", "email": email}).encode("utf-16")
    stub.answers = [
        web.Response(status=201, body=b'\xef\xbb\xbf{"id": "r-1"}\n'),
        web.Response(body=gzip.compress(record), headers=packed),
    ]
    connector = stub.connector(TOOL)

    outcome = run(hand(connector, sent()))
    run(connector.close())

    assert isinstance(outcome, Confirmed), outcome


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (b"<html>made</html>", "create: answered 201 with something that is not JSON, and id is"),
        (b'{"id": "r-\xff"}', "create: what the answer has at id cannot be read"),
        (b'{"key": 1}', "create: the answer has nothing at id"),
    ],
)
def test_an_id_that_is_needed_and_cannot_be_read_is_an_unknown_outcome_that_names_it(
    stub: Stub, run: Run, made: bytes, says: str
) -> None:
    stub.answers = [web.Response(status=201, body=made)]
    connector = stub.connector(TOOL)

    outcome = run(hand(connector, sent()))
    run(connector.close())

    assert isinstance(outcome, Failed)
    assert outcome.unknown
    assert says in outcome.error


def test_a_field_that_cannot_be_read_is_no_mismatch_and_one_that_nobody_confirms_does_no_harm(
    stub: Stub, run: Run
) -> None:
    ok = b'{"email": "%s", "note": "\xff"}' % str(sent().fields["email"]).encode()
    bad = b'{"email": "ann\xff@b.example"}'
    outcomes = []
    for record in (ok, bad):
        stub.answers = [
            web.Response(status=201, body=b'{"id": "r-1"}'),
            web.Response(body=record),
        ]
        connector = stub.connector(TOOL)
        outcomes.append(run(hand(connector, sent())))
        run(connector.close())

    assert isinstance(outcomes[0], Confirmed)
    assert isinstance(outcomes[1], Failed)
    assert outcomes[1].unknown
    assert "read: what is stored in email cannot be read" in outcomes[1].error
