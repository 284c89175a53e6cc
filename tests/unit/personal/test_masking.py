"""What somebody sees of a payload who may not see personal values."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import count
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.domain.personal.covering import MOST_VALUES, Cover
from orchestrator.domain.personal.masking import mask_of, mask_payload, personal_texts
from orchestrator.domain.personal.places import PersonalPlaces

CONTRACT: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "email": {"type": "string", "x-pii": "email"},
        "tier": {"enum": ["pro", "starter"]},
        "consent": {"type": "boolean", "x-pii": True},
        "age": {"type": "integer", "x-pii": True},
        "people": {"type": "array", "items": {"$ref": "#/$defs/person"}},
        "answers": {"type": "object", "additionalProperties": {"type": "string", "x-pii": True}},
        "pair": {"prefixItems": [{"type": "string"}, {"type": "string", "x-pii": True}]},
    },
    "$defs": {
        "person": {
            "x-pii": "person",
            "properties": {"name": {"type": "string"}, "friend": {"$ref": "#/$defs/person"}},
        }
    },
}
PLACES = PersonalPlaces(CONTRACT)


def test_a_masked_payload_keeps_its_shape_and_what_is_not_personal() -> None:
    payload = {
        "email": "ada@acme.example", "tier": "pro", "consent": True, "age": 36,
        "people": [{"name": "Ada", "friend": {"name": "Bob", "pets": ["Rex"]}}, None],
        "answers": {"bob@acme.example": "x", "eve@acme.example": ""},
        "pair": ["left", "right"], "mail": "b@acme.example",
    }  # fmt: skip

    assert mask_payload(payload, PLACES) == {
        "email": "•••• (text, email)", "tier": "pro", "consent": "•••• (true or false)",
        "age": "•••• (number)",
        "people": [
            {"name": "•••• (text, person)",
             "friend": {"name": "•••• (text, person)",
                        "•••• (name 2)": ["•••• (text, person)"]}},
            None,
        ],
        "answers": {"•••• (name 1)": "•••• (text)", "•••• (name 2)": "•••• (blank text)"},
        "pair": ["left", "•••• (text)"], "mail": "•••• (text)",
    }  # fmt: skip


def test_a_mask_says_neither_how_long_a_value_is_nor_whether_two_are_the_same() -> None:
    assert mask_of("f") == mask_of("female") == mask_of("f" * 200)


def test_a_payload_of_a_contract_without_marks_is_the_same_object() -> None:
    payload = {"email": "ada@acme.example"}

    assert mask_payload(payload, PersonalPlaces({"properties": {"email": {}}})) is payload


@pytest.mark.parametrize("payload", ["a text", 7, None, [{"email": "x"}], {"tier": {"email": "x"}}])
def test_a_payload_of_another_shape_is_masked_where_it_is_not_declared(payload: object) -> None:
    assert "x" not in list(_leaves(mask_payload(payload, PLACES)))


def test_a_payload_that_is_deep_and_one_that_is_wide_are_masked_in_bounds() -> None:
    deep: Any = "deepest-secret"
    for _ in range(sys.getrecursionlimit() * 3):
        deep = {"friend": deep}
    wide = {"people": [{"name": f"secret-{number}"} for number in range(30_000)]}

    assert "deepest-secret" not in orjson.dumps(mask_payload({"people": [deep]}, PLACES)).decode()
    masked = orjson.dumps(mask_payload(wide, PLACES)).decode()
    assert "secret-" not in masked
    assert len(list(personal_texts(wide, PLACES))) == 30_000


def _leaves(value: object) -> Any:
    if isinstance(value, dict):
        for one in value.values():
            yield from _leaves(one)
    elif isinstance(value, list):
        for one in value:
            yield from _leaves(one)
    else:
        yield value


LEAF = st.sampled_from(["text", "number", None])
VALUE = st.recursive(
    LEAF,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
NAMES = st.sampled_from([*CONTRACT["properties"], "mail", "x-pii", "__proto__", "$ref", "", "a.b"])
PAYLOADS = st.dictionaries(NAMES, VALUE, max_size=8)


def _filled(value: object, numbers: Iterator[int]) -> Any:
    """A payload in which no value comes twice, so that each is known wherever it is seen."""
    match value:
        case dict():
            return {name: _filled(one, numbers) for name, one in value.items()}
        case list():
            return [_filled(one, numbers) for one in value]
        case "text":
            return f"secret-{next(numbers)}-of-somebody"
        case "number":
            return next(numbers)
    return value


@settings(deadline=None)
@given(made=PAYLOADS)
def test_no_masked_payload_has_a_personal_value(made: dict[str, Any]) -> None:
    payload = _filled(made, count(7_000_000_000))
    masked = orjson.dumps(mask_payload(payload, PLACES)).decode()

    for secret in personal_texts(payload, PLACES):
        if len(secret) >= 10:
            assert secret not in masked


@settings(deadline=None)
@given(made=PAYLOADS)
def test_whatever_is_in_no_personal_place_is_kept(made: dict[str, Any]) -> None:
    payload = _filled(made, count(7_000_000_000))
    masked = orjson.dumps(mask_payload(payload, PLACES)).decode()
    personal = set(personal_texts(payload, PLACES))

    for leaf in _leaves(payload):
        if leaf is not None and str(leaf) not in personal:
            assert str(leaf) in masked


SECRET = st.uuids().map(lambda one: f"secret-{one}")


@settings(deadline=None)
@given(
    secret=SECRET | st.text(min_size=14, max_size=40).filter(lambda one: one.strip() == one),
    before=st.text(max_size=20), after=st.text(max_size=20),
)  # fmt: skip
def test_no_covered_sentence_has_a_value_in_it(secret: str, before: str, after: str) -> None:
    cover = Cover([secret])
    sentence = f"{before}{secret}{after} {secret}"

    assert secret not in cover.text(sentence)
    assert orjson.dumps(secret).decode()[1:-1] not in cover.text(orjson.dumps(sentence).decode())


@pytest.mark.parametrize(
    ("value", "sentence", "covered"),
    [
        ("ada@acme.example", '"ADA@Acme.Example" is not', '"••••" is not'),
        ("ada.lovelace@acme.example", "to ada.lovelace@acme.exa...", "to ••••..."),
        ("ada.lovelace@acme.example", "to x-ada.lovelace@acme.example-y", "to x-••••-y"),
        ("ada@acme.example", "GET /contacts/ada%40acme.example: 404", "GET /contacts/••••: 404"),
        ("a long remark about a person", '"a long remark ab... is long', '"••••... is long'),
        ("Bo", "Bo is about", "•••• is about"),
        ("Grüße", '"Gr\\u00fc\\u00dfe" is', '"••••" is'),
        ("Grüße", '"Grüße" is', '"••••" is'),
        (".*", "of .* and b.*b", "of •••• and b.*b"),
        ("a\\1", "a\\1 stays", "•••• stays"),
        ("  ada@acme.example ", "it is ada@acme.example", "it is ••••"),
    ],
)
def test_a_value_is_covered_however_it_is_written(value: str, sentence: str, covered: str) -> None:
    assert Cover([value]).text(sentence) == covered


@pytest.mark.parametrize("value", ["3", "20", "n"])
def test_a_value_that_is_too_short_to_tell_is_never_looked_for_in_our_words(value: str) -> None:
    cover = Cover([value, "ada@acme.example"])

    for ours in ("seen: a, b and 3 more", "3 of 20 events", "3", "run n of 3"):
        if ours != value:
            assert cover.text(ours) == ours
    assert cover.value({"events": 3, "more": 20}) == {"events": 3, "more": 20}
    assert cover.text(f" {value} ") == "••••"
    assert cover.text(f"'{value}' is not, \"{value}\" either, `x` is") == (
        "'••••' is not, \"••••\" either, `x` is"
    )
    assert cover.text("3 and 20 n of ada@acme.example") == "3 and 20 n of ••••"


def test_of_a_sentence_about_too_many_values_nothing_is_shown() -> None:
    many = Cover(f"value-{number}" for number in range(MOST_VALUES + 1))

    assert many.text("any sentence") == "•••• (personal)"
    assert many.text("") == ""


def test_names_and_numbers_in_documents_are_covered_too() -> None:
    cover = Cover(["ada@acme.example", "491512345678"])

    assert cover.value({"ada@acme.example": [491512345678, True, None, 3]}) == {
        "••••": ["••••", True, None, 3]
    }
