"""Forms of pages: two encodings, names that nest, a trap for programs, and no files."""

from __future__ import annotations

import json

import pytest

from connectors.sources.file import parse_source
from orchestrator.domain.errors import (
    InvalidFile,
    InvalidJson,
    InvalidTrigger,
    PayloadTooLarge,
    SignatureRefused,
)
from orchestrator.domain.sources.forms import multipart_fields, nested, urlencoded_fields
from orchestrator.domain.sources.reading import Bounds, read_events, read_payload
from orchestrator.domain.sources.request import HookRequest
from orchestrator.domain.sources.schemes import verify
from tests.hooks import FORM, FORM_KEY, PAGE

BOUNDS = Bounds(depth=4, values=20, events=3)
CONTACT = parse_source(FORM, name="contact.yaml")


def _multipart(*parts: str, mark: str = "xYz") -> bytes:
    return "".join(f"--{mark}\r\n{one}\r\n" for one in parts).encode() + f"--{mark}--\r\n".encode()


def _part(name: str, value: str) -> str:
    return f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'


def _request(body: bytes, content_type: str, **headers: str) -> HookRequest:
    return HookRequest(
        method="POST",
        url="https://hooks.acme.example/v1/hooks/contact",
        headers={"content-type": content_type, **headers},
        body=body,
        secret_path=FORM_KEY,
    )


@pytest.mark.parametrize(
    ("names", "payload"),
    [
        ([("a", "1"), ("b", "")], {"a": "1", "b": ""}),
        ([("a", "1"), ("a", "2")], {"a": ["1", "2"]}),
        ([("a[]", "1")], {"a": ["1"]}),
        ([("a[b]", "1"), ("a[c]", "2")], {"a": {"b": "1", "c": "2"}}),
        ([("a[b][]", "1"), ("a[b][]", "2")], {"a": {"b": ["1", "2"]}}),
        ([("a[0][x]", "1"), ("a[1][x]", "2")], {"a": {"0": {"x": "1"}, "1": {"x": "2"}}}),
        ([("a b", "1"), ("ä", "ö")], {"a b": "1", "ä": "ö"}),
    ],
)
def test_names_nest(names: list[tuple[str, str]], payload: dict[str, object]) -> None:
    assert nested(names, depth=9) == payload


@pytest.mark.parametrize(
    "names",
    [
        [("a", "1"), ("a[b]", "2")],
        [("a[b]", "1"), ("a", "2")],
        [("a[b]", "1"), ("a[]", "2")],
        [("a[]", "1"), ("a[b]", "2")],
        [("a[][b]", "1")],
        [("a[b", "1")],
        [("[a]", "1")],
        [("", "1")],
        [("a[b][c][d]", "1")],
    ],
)
def test_a_name_that_could_be_read_in_two_ways_is_refused(names: list[tuple[str, str]]) -> None:
    with pytest.raises(InvalidTrigger):
        nested(names, depth=3)


def test_both_encodings_say_the_same() -> None:
    plain = b"email=ada%40example.com&note=two+words%0D%0Aand+lines&pick%5B%5D=a&pick%5B%5D=b"
    parts = _multipart(
        _part("email", "ada@example.com"),
        _part("note", "two words\r\nand lines"),
        _part("pick[]", "a"),
        _part("pick[]", "b"),
    )

    fields = multipart_fields(parts, 'multipart/form-data; boundary="xYz"', most=9)

    assert fields == urlencoded_fields(plain, most=9)
    assert nested(fields, depth=9)["pick"] == ["a", "b"]


def test_a_file_is_refused_and_one_that_nobody_chose_is_nothing() -> None:
    head = 'Content-Disposition: form-data; name="cv"; filename="{}"\r\nContent-Type: a/b\r\n\r\n'
    kind = "multipart/form-data; boundary=xYz"

    with pytest.raises(InvalidTrigger, match="a file is not taken"):
        multipart_fields(_multipart(head.format("cv.txt") + "me"), kind, most=9)
    assert multipart_fields(_multipart(head.format("")), kind, most=9) == []


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "multipart/form-data; boundary=xYz"),
        (b"--xYz\r\nno head", "multipart/form-data; boundary=xYz"),
        (_multipart("no head"), "multipart/form-data; boundary=xYz"),
        (
            _multipart("Content-Disposition: form-data\r\n\r\nx"),
            "multipart/form-data; boundary=xYz",
        ),
        (_multipart(_part("a", "1")), "multipart/form-data"),
        (_multipart(_part("a", "1"))[:-4], "multipart/form-data; boundary=xYz"),
    ],
)
def test_a_multipart_form_that_is_not_whole_is_refused(body: bytes, kind: str) -> None:
    with pytest.raises(InvalidJson):
        multipart_fields(body, kind, most=9)


def test_fields_are_bounded() -> None:
    many = _multipart(*(_part("a", "1") for _ in range(10)))

    with pytest.raises(PayloadTooLarge):
        multipart_fields(many, "multipart/form-data; boundary=xYz", most=9)
    with pytest.raises(PayloadTooLarge):
        urlencoded_fields(b"a=1&" * 10, most=9)


def test_a_form_is_one_event_of_its_type_without_the_trap() -> None:
    request = _request(
        b"lead[email]=ada%40example.com&website=", "application/x-www-form-urlencoded"
    )

    payload = read_payload(CONTACT.rules, request, BOUNDS)
    (event,) = read_events(CONTACT.rules, request, payload, BOUNDS)

    assert json.loads(event.payload) == {"lead": {"email": "ada@example.com"}}
    assert event.type == "lead.created"


def test_a_form_whose_trap_is_filled_is_refused_and_says_which_field_it_was() -> None:
    kind = "application/x-www-form-urlencoded"
    for body, form in ((b"a=1&website=http://x", kind), (b'{"website":"x"}', "application/json")):
        with pytest.raises(InvalidTrigger, match="it is not empty") as refused:
            read_payload(CONTACT.rules, _request(body, form), BOUNDS)
        assert refused.value.field == "website"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "null"},
        {"origin": "https://evil.example"},
        {"referer": "https://evil.example/x"},
    ],
)
def test_a_page_that_the_form_does_not_name_is_refused(headers: dict[str, str]) -> None:
    request = _request(b"", "application/json", **headers)

    with pytest.raises(SignatureRefused):
        verify(CONTACT.scheme, request, CONTACT.secrets, now=0)


def test_a_page_that_the_form_names_is_taken_by_its_origin_or_its_address() -> None:
    for headers in ({"origin": PAGE}, {"referer": f"{PAGE}/contact?x=1"}):
        request = _request(b"", "application/json", **headers)
        assert verify(CONTACT.scheme, request, CONTACT.secrets, now=0).by == "form key"
        with pytest.raises(SignatureRefused):
            verify(CONTACT.scheme, request, ("pk_00000000000000000000",), now=0)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ((FORM_KEY, "hunter2"), "it is not a publishable key"),
        ((PAGE, f"{PAGE}/contact"), "is not the origin of a page"),
        (("type: lead.created", 'type: "{body.type}"'), "the key of a form is for one type"),
        (("type:", "secrets: [env:X]\ntype:"), "a form of a page cannot keep a secret"),
    ],
)
def test_a_fault_of_a_form_says_what_to_write(change: tuple[str, str], said: str) -> None:
    with pytest.raises(InvalidFile) as refused:
        parse_source(FORM.replace(*change), name="contact.yaml")

    assert said in "\n".join(map(str, refused.value.faults))
