from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.domain import strict_json
from orchestrator.domain.errors import InvalidJson

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b'{"a": 1,}', "line 1, column 9"),
        (b'{"a": 1}\n{"b": 2}', "extra data at line 2, column 1"),
        (b"", "expecting value"),
        (b"{'a': 1}", "double quotes"),
        (b'\xef\xbb\xbf{"a": 1}', "BOM"),
        (b'{"a": "\xff"}', "byte 7 (0xff) is not UTF-8"),
        (b'{"a": NaN}', "NaN is not JSON at line 1, column 7"),
        (b"[-Infinity]", "-Infinity is not JSON at line 1, column 2"),
        (b'{"a": "NaN", "b": 1e999}', "1e999 does not fit into a double at line 1, column 19"),
        (b"[18446744073709551616]", "18446744073709551616 does not fit into 64 bits"),
        (b"[-9223372036854775809]", "-9223372036854775809 does not fit into 64 bits"),
        (b'{"a": {"x": 1,\n"x": 2}}', 'the key "x" comes twice in one object at line 2, column 1'),
        (b'{"a": 1, "\\u0061": 2}', 'the key "a" comes twice'),
        (b'{"a": "\\ud800"}', "\\ud800 is half of a surrogate pair at line 1, column 7"),
        (b'{"\\udc00": 1}', "\\udc00 is half of a surrogate pair"),
        (b"[" * 65 + b"]" * 65, "nests deeper than 64 levels at line 1, column 65"),
        (b"[" * 100_000, "nests deeper than 64 levels"),
        (b'{"a":[' * 40 + b"NaN" + b"]}" * 40, "nests deeper than 64 levels"),
    ],
)
def test_what_a_lenient_parser_would_guess_at_is_refused_with_its_place(
    raw: bytes, problem: str
) -> None:
    with pytest.raises(InvalidJson) as refused:
        strict_json.loads(raw)

    assert problem in refused.value.detail
    assert refused.value.field == "body"
    assert refused.value.fix


def test_text_with_half_a_surrogate_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(InvalidJson, match="half of a surrogate pair"):
        strict_json.loads('"\ud800"')


def test_an_error_calls_the_document_what_the_caller_calls_it() -> None:
    with pytest.raises(InvalidJson, match=r"^data: "):
        strict_json.loads("{", field="data")


@settings(max_examples=40, deadline=None)
@given(JSON_VALUES)
def test_every_json_value_comes_back_however_it_was_written(value: object) -> None:
    for text in (strict_json.dumps(value), json.dumps(value, indent=1), json.dumps(value)):
        again = strict_json.loads(text.encode())

        assert again == value
        assert strict_json.loads(text) == value


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"18446744073709551615", 18446744073709551615),
        (b"-9223372036854775808", -9223372036854775808),
        (b'{"a":"\\ud83d\\ude00 \\\\ud800"}', {"a": "\U0001f600 \\ud800"}),
        (b'[{"a":1},{"a":1}]', [{"a": 1}, {"a": 1}]),
        (b"[" * 64 + b"]" * 64, None),
        (b'["[[[[[[[[", "{{{{{{{{"]', ["[[[[[[[[", "{{{{{{{{"]),
    ],
)
def test_what_only_looks_wrong_is_taken(raw: bytes, value: object) -> None:
    found = strict_json.loads(raw)

    assert value is None or found == value


def test_depth_counts_nesting_and_not_brackets() -> None:
    flat = strict_json.dumps([{"a": [number]} for number in range(100)])

    assert strict_json.loads(flat, max_depth=3)
    with pytest.raises(InvalidJson, match="deeper than 2 levels"):
        strict_json.loads(flat, max_depth=2)


def test_a_digest_is_the_same_for_the_same_content_and_for_no_other() -> None:
    first = strict_json.digest({"a": 1, "b": {"c": [1, 2], "d": None}})

    assert first == strict_json.digest({"b": {"d": None, "c": [1, 2]}, "a": 1})
    assert first != strict_json.digest({"a": 1, "b": {"c": [2, 1], "d": None}})
    assert first != strict_json.digest({"a": True, "b": {"c": [1, 2], "d": None}})
    assert len(first) == 32


def test_dumps_keeps_the_order_of_keys() -> None:
    assert strict_json.dumps({"b": 1, "a": [1.0, "é"]}) == '{"b":1,"a":[1.0,"é"]}'
