"""Templates put values where they belong and nowhere else."""

from __future__ import annotations

import hashlib
from urllib.parse import unquote, urlsplit

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.http.definition import Create
from connectors.http.placeholders.values import ABSENT, InvalidTemplate, Unfillable, Values
from connectors.http.requests import RequestTemplate
from connectors.http.templates import compile_path, compile_template, compile_text

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


def values(**send: object) -> Values:
    return Values(key="key-1", send=send, record_id="r-1")


@pytest.mark.parametrize("value", [7, 1.5, True, None, [1, {"a": None}], {"b": []}, "", "{key}"])
def test_a_placeholder_alone_gives_the_value_with_its_type(value: object) -> None:
    assert compile_template({"x": "{send.a}"}).fill(values(a=value)) == {"x": value}


def test_inside_a_text_a_value_becomes_text() -> None:
    template = compile_template(["No {send.n}: {send.ok}, {key}", "{{braces}}", 5, None])

    assert template.fill(values(n=7, ok=True)) == ["No 7: true, key-1", "{braces}", 5, None]
    assert template.names == {"send.n", "send.ok", "key"}


def test_what_was_not_sent_leaves_its_place_out() -> None:
    template = compile_template({"a": "{send.a}", "b": ["{send.b}", 1], "c": "x {send.c}"})

    assert template.fill(values()) == {"b": [1]}
    assert compile_text("{send.a}").fill(values()) is ABSENT


def test_an_object_of_which_nothing_was_sent_is_left_out_too() -> None:
    template = compile_template({"priority": {"name": "{send.priority}"}, "empty": {}, "a": 1})

    assert template.fill(values()) == {"empty": {}, "a": 1}
    assert template.fill(values(priority="High"))["priority"] == {"name": "High"}  # type: ignore[index]


def test_the_keys_uuid_is_one_and_always_the_same() -> None:
    template = compile_text("{key_uuid}")

    assert template.fill(values()) == "d5107f27-3c9f-53db-bf8f-5262d3bc08ff"
    assert template.fill(Values(key="key-2", send={})) != template.fill(values())


def test_all_fields_go_where_send_stands_alone() -> None:
    assert compile_template({"properties": "{send}"}).fill(values(a=1)) == {"properties": {"a": 1}}


@pytest.mark.parametrize(
    "source",
    ["{nope}", "{", "a } b", "{}", "{send.}", "x {send}", "{ key }", "{key.x}", "{send.a{b}}"],
)
def test_what_is_no_placeholder_is_refused(source: str) -> None:
    with pytest.raises(InvalidTemplate):
        compile_template(source)


@pytest.mark.parametrize("value", [None, [1], {"a": 1}])
def test_what_has_no_text_cannot_stand_inside_a_text(value: object) -> None:
    with pytest.raises(Unfillable, match=r"send\.a"):
        compile_text("id-{send.a}").fill(values(a=value))


@pytest.mark.parametrize(
    "path", ["things", "//host/x", "/a?b=c", "/a#b", "/a/../b", "/./a", "/a\\b"]
)
def test_a_path_that_could_lead_elsewhere_is_refused(path: str) -> None:
    with pytest.raises(InvalidTemplate):
        compile_path(path)


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_a_value_that_would_change_the_path_is_refused(value: str) -> None:
    with pytest.raises(Unfillable):
        compile_path("/things/{send.id}/notes").fill(values(id=value))


@settings(deadline=None)
@given(value=texts.filter(lambda text: text not in (".", "..")))
def test_any_value_stays_one_segment_of_its_path(value: str) -> None:
    path = compile_path("/things/{send.id}/notes").fill(values(id=value))

    parts = urlsplit(f"http://destination.example.com{path}")
    assert parts.netloc == "destination.example.com"
    assert (parts.query, parts.fragment) == ("", "")
    assert [unquote(segment) for segment in parts.path.split("/")] == ["", "things", value, "notes"]


@settings(deadline=None)
@given(value=texts, other=texts)
def test_any_value_stays_one_value_of_its_query_and_its_body(value: str, other: str) -> None:
    said = Create.model_validate(
        {"path": "/x", "query": {"q": "{send.a}"}, "json": {"b": "{send.b}"}}
    )
    request = RequestTemplate("create", said)

    query = request.target(values(a=value)).removeprefix("/x?q=")
    assert unquote(query) == value
    assert not set(query) & set("&=#?+ ")
    assert orjson.loads(request.body(values(b=other)) or b"") == {"b": other}


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "\x00", "ü", " a", "a\t"])
def test_a_header_is_never_broken_out_of(value: str) -> None:
    said = Create.model_validate({"path": "/x", "headers": {"X-Name": "{send.a}"}})

    with pytest.raises(Unfillable, match="X-Name"):
        RequestTemplate("create", said).headers(values(a=value))


@pytest.mark.parametrize(
    ("source", "sent", "filled"),
    [
        ("{send.x|lower}", " Ana@X ", " ana@x "),
        ("{send.x|trim|lower}", " Ana@X ", "ana@x"),
        (
            "{send.x|lower|md5}",
            "Ana@X",
            hashlib.md5(b"ana@x", usedforsecurity=False).hexdigest(),
        ),
        ("{send.x|number}", "5", 5),
        ("{send.x|number}", "-5.50", -5.5),
        ("{send.x|number}", 7, 7),
        ("{send.x|number}", "9223372036854775808", 2**63),
        ("{send.x|text}", 7, "7"),
        ("{send.x|text}", True, "true"),
        ("no {send.x|text}.", 7, "no 7."),
    ],
)
def test_a_filter_makes_of_a_value_what_a_system_wants(
    source: str, sent: object, filled: object
) -> None:
    values = Values(key="k", send={"x": sent})

    found = compile_template(source).fill(values)

    assert found == filled
    assert type(found) is type(filled)


def test_a_filter_leaves_what_was_not_sent_out() -> None:
    assert compile_template("{send.y|lower}").fill(Values(key="k", send={})) is ABSENT


@pytest.mark.parametrize(
    "value", ["", "five", "1e", "0x5", "NaN", True, None, [1], "1e400", "-1e999", "9" * 5_000]
)
def test_what_is_no_number_is_not_sent_as_one(value: object) -> None:
    with pytest.raises(Unfillable, match="x is"):
        compile_template("{send.x|number}").fill(Values(key="k", send={"x": value}))


@pytest.mark.parametrize("source", ["{send.x|upper}", "{send|lower}", "{key|}", "{send.x | lower}"])
def test_what_is_no_filter_is_refused(source: str) -> None:
    with pytest.raises(InvalidTemplate, match=r"filter|placeholder"):
        compile_template(source)
