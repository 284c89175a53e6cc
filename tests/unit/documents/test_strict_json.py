from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.domain.documents import strict_json
from orchestrator.domain.documents.json_elements import elements
from orchestrator.domain.documents.json_faults import Fault
from orchestrator.domain.errors import InvalidJson, PayloadTooLarge

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


@pytest.mark.parametrize(
    ("raw", "most", "taken"),
    [
        (b"[1,2,3]", 4, True),
        (b"[1,2,3]", 3, False),
        (b'{"a": {"b": [1, ",,,,,[[[[{{{{", "\\",,,"]}}', 7, True),
        (b"[" + b"{}," * 1_000_000 + b"{}]", 100_000, False),
    ],
)
def test_values_are_counted_before_any_is_built(raw: bytes, most: int, taken: bool) -> None:
    if taken:
        strict_json.loads(raw, most_values=most)
    else:
        with pytest.raises(PayloadTooLarge, match=f"more than {most} values"):
            strict_json.loads(raw, most_values=most)


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b'{"a": 1, "a": 2, "b": NaN}', 'the key "a" comes twice in one object at line 1, col'),
        (b'{"b": NaN, "a": 1, "a": 2}', "NaN is not JSON at line 1, column 7"),
        (b'{"a": NaN, "b": }', "NaN is not JSON at line 1, column 7"),
        (b'{"b": , "a": NaN}', "expecting value at line 1, column 7"),
        (b'["' + "äöü".encode() + b'", NaN]', "NaN is not JSON at line 1, column 9"),
        (b'["NaN \x01"]', "invalid control character at"),
        (b"[" + b"9" * 5_000 + b"]", "does not fit into 64 bits at line 1, column 2"),
        (b"[1" + b"0" * 400 + b".0]", "does not fit into a double at line 1, column 2"),
        (b"[null, 1e400, null]", "1e400 does not fit into a double at line 1, column 8"),
    ],
)
def test_the_first_fault_is_the_one_that_is_told(raw: bytes, problem: str) -> None:
    with pytest.raises(InvalidJson) as refused:
        strict_json.loads(raw)

    assert problem in refused.value.detail


@settings(max_examples=40, deadline=None)
@given(st.lists(JSON_VALUES, max_size=5), st.sampled_from([None, 1]))
def test_an_array_is_cut_into_the_elements_that_it_has(
    values: list[object], indent: int | None
) -> None:
    raw = json.dumps(values, indent=indent).encode()

    spans = list(elements(raw, longest=10_000_000, max_depth=64))

    found = [strict_json.part(raw, *one, max_depth=64, most_values=1_000) for one in spans]
    assert found == values


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"[1 2]", "expecting ',' delimiter at line 1, column 4"),
        (b"[1,]", "expecting value at line 1, column 4"),
        (b'[{"a": [}]', "expecting ',' delimiter at line 1, column 11"),
        (b"[1] 2", "extra data at line 1, column 5"),
        (b"[" + b"[" * 70, "nests deeper than 64 levels at line 1, column 66"),
    ],
)
def test_what_is_wrong_between_elements_is_told_with_its_place(raw: bytes, problem: str) -> None:
    with pytest.raises(Fault) as found:
        list(elements(raw, longest=1_000, max_depth=64))

    assert problem in str(found.value.told(raw, "body"))


def test_an_element_that_is_too_long_is_refused_before_it_ends() -> None:
    with pytest.raises(PayloadTooLarge, match="larger than 1000 bytes"):
        list(elements(b'["' + b"x" * 1_000_000 + b'"]', longest=1_000, max_depth=64))


@pytest.mark.parametrize("blank", [b"", b" "])
def test_the_deepest_nesting_that_a_setting_allows_is_read(blank: bytes) -> None:
    deepest = 200 + 1  # MESHLINE_MAX_DEPTH, and the trigger around the data
    raw = b"[" * deepest + blank + b"]" * deepest

    assert strict_json.loads(raw, max_depth=deepest)
    with pytest.raises(InvalidJson, match="deeper than 201 levels"):
        strict_json.loads(b"[" + raw + b"]", max_depth=deepest)
