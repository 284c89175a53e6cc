"""What the functions of expressions make of values, and what they say where they cannot."""

from __future__ import annotations

from typing import Any

import pytest
from cel_expr_python.cel import Type

from orchestrator.domain.workflows.cel.compile import Environment, NotComputed, Uncompilable


def value(text: str, **values: Any) -> object:
    return Environment(dict.fromkeys(values, Type.DYN)).compile(text).value(values)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"  Ann B@Acme.example ".trim().lowerAscii()', "ann b@acme.example"),
        ('"dé-1".upperAscii()', "Dé-1"),
        ('"a, b,c".split(",")', ["a", " b", "c"]),
        ('"a,b,c".split(",", 2)', ["a", "b,c"]),
        ('"".split(",")', [""]),
        ('["a", "b"].join(" / ")', "a / b"),
        ('"a-b-c".replace("-", "+")', "a+b+c"),
        ('"a-b-c".replace("-", "+", 1)', "a+b-c"),
        ('"tacocat".substring(4)', "cat"),
        ('"tacocat".substring(0, 4)', "taco"),
        ('"ann lee".indexOf("e")', 5),
        ('"ann lee".lastIndexOf("e")', 6),
        ('"ann".indexOf("x")', -1),
        ('"ann".charAt(0)', "a"),
        ('"%s owes %.2f".format(["Ann", 12.3])', "Ann owes 12.30"),
        ("math.round(2.5)", 3.0),
        ("math.floor(2.5)", 2.0),
        ("math.greatest(1, 3, 2)", 3),
        ("math.abs(-2)", 2),
        ("[3, 1, 2].sort()", [1, 2, 3]),
        ('[{"n": 2}, {"n": 1}].sortBy(e, e.n)[0].n', 1),
        ("[1, 2, 1].distinct()", [1, 2]),
        ("[1, 2, 3].slice(0, 2)", [1, 2]),
        ("[[1], [2]].flatten()", [1, 2]),
        ("lists.range(3)", [0, 1, 2]),
        ('timestamp("2026-01-31T23:30:00Z").getHours("Europe/Berlin")', 0),
        ('timestamp("2026-07-31T22:30:00Z").getDate("Europe/Berlin")', 1),
        ('timestamp("2026-07-31T12:00:00Z").getHours("+05:30")', 17),
    ],
)
def test_a_function_makes_a_value(text: str, expected: object) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [([1, 2, 3], 6), ([1, 2.5], 3.5), ([0.25, 0.5], 0.75), ([], 0), ([-5], -5)],
)
def test_sum_is_whole_where_all_numbers_are(numbers: list[float], expected: float) -> None:
    answer = value("x.sum()", x=numbers)

    assert answer == expected
    assert type(answer) is type(expected)


@pytest.mark.parametrize(
    ("text", "values", "error"),
    [
        ("x.sum()", {"x": [1, "2"]}, "sum() takes a list of numbers"),
        ("x.sum()", {"x": [1, True]}, "sum() takes a list of numbers"),
        ("x.sum()", {"x": [1, None]}, "sum() takes a list of numbers"),
        ("x.sum()", {"x": [1 << 62, 1 << 62]}, "sum() is too large a number"),
        ("x.join()", {"x": ["a", 1]}, ""),
        ("x.substring(9)", {"x": "abc"}, ""),
        ("[1, x].sort()", {"x": "a"}, "same type"),
        ('"%d".format([x])', {"x": "a"}, "decimal clause"),
        ('"%s %s".format([x])', {"x": "a"}, "out of range"),
        ('"%.5000f".format([x])', {"x": 1.0}, "precision"),
        ('"a".matches(x)', {"x": "(" * 100}, "regular expression"),
        ('timestamp("2026-01-31T23:30:00Z").getHours(x)', {"x": "Europe/Nowhere"}, "timezone"),
    ],
)
def test_what_a_function_cannot_do_is_an_error_and_no_value(
    text: str, values: dict[str, Any], error: str
) -> None:
    answer = value(text, **values)

    assert isinstance(answer, NotComputed)
    assert error in answer.error


def test_a_sum_calculates_on() -> None:
    assert value("x.map(l, l.price * l.count).sum() > 100", x=[{"price": 30, "count": 4}]) is True


@pytest.mark.parametrize("text", ['x.?a.orValue("b")', "x[?0]", "optional.of(x)"])
def test_there_is_no_default_that_a_route_could_see(text: str) -> None:
    with pytest.raises(Uncompilable):
        value(text, x=[])
