"""What an expression may cost on what strangers send has a bound; small ones are never refused."""

from __future__ import annotations

from typing import Any

import pytest
from cel_expr_python.cel import Type

from orchestrator.domain.delivery.verdicts import Rejected
from orchestrator.domain.reasons import Reason
from orchestrator.domain.workflows.cel.compile import Environment, NotComputed, Uncompilable
from orchestrator.domain.workflows.cel.cost import COUNTED
from orchestrator.domain.workflows.cel.functions import LIBRARY_WORDS
from orchestrator.pipeline.route import route
from tests.unit.example import compiled

LIST = Type.List(Type.DYN)


def value(text: str, **values: Any) -> object:
    types = {name: Type.STRING if isinstance(one, str) else LIST for name, one in values.items()}
    return Environment(types).compile(text).value(values)


NUMBERS = list(range(9_000))


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("x.map(i, i * 2).size() > 0", {"x": NUMBERS}),  # 3 s
        ("x.filter(i, i > 2).size() > 0", {"x": NUMBERS}),  # 3 s
        ("x.all(i, i in x)", {"x": NUMBERS}),  # 2 s
        ("x.exists(i, s.contains('b'))", {"x": NUMBERS, "s": "a" * 1_000_000}),
        ("x.map(i, s + s).size() > 0", {"x": NUMBERS[:500], "s": "a" * 1_000_000}),
        ("x.distinct().size()", {"x": NUMBERS}),
        ("x.map(i, i).map(i, i).map(i, i).size()", {"x": NUMBERS[:1_500]}),
        ("s.split('').map(c, c).size()", {"s": "a" * 9_000}),
        ("lists.range(9000).map(i, s)", {"s": "a" * 10_000}),
        ("[s]" + ".map(a, a + a)" * 25, {"s": "abc"}),  # 100 million characters of three
        ("[s]" + ".map(a, [a, a])" * 25, {"s": "abc"}),
        ("s" + ".replace('a', 'aaaa')" * 20, {"s": "a"}),
        ("s.replace('', s)", {"s": "a" * 100_000}),
        ("s.replace(x[0], s)", {"s": "a" * 100_000, "x": ["a"]}),
        ("x.join(s)", {"s": "a" * 100_000, "x": ["a"] * 1_000}),
        ("strings.quote(" * 12 + "s" + ")" * 12, {"s": '"' * 100_000}),
        ("s.format([1.0])", {"s": "%.1000f" * 140_000}),
    ],
)
def test_what_would_take_long_is_not_begun(text: str, values: dict[str, Any]) -> None:
    answer = value(text, **values)

    assert isinstance(answer, NotComputed)
    assert "it could take more than 5,000,000 steps" in answer.error


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("x.map(i, i * 2).size()", {"x": NUMBERS[:1_000]}, 1_000),
        ("x.all(i, i >= 0)", {"x": NUMBERS}, True),  # it looks at nothing but its item
        ("x.exists(i, i in y)", {"x": NUMBERS[:300], "y": [299]}, True),
        ("s.contains('b')", {"s": "a" * 1_000_000}, False),
        ("x.sort()[0]", {"x": NUMBERS[::-1]}, 0),
        ("x.map(l, l.n.trim()).join('').size()", {"x": [{"n": " ab "}] * 1_000}, 2_000),
        # One long text among many short ones is not taken for as many long ones.
        (
            "x.map(l, l.n.trim()).join('').size()",
            {"x": [*[{"n": " ab "}] * 1_000, {"n": "a" * 500_000}]},
            502_000,
        ),
        ("s.split(' ').map(w, w.upperAscii()).join('-').size()", {"s": "ab cd " * 1_000}, 6_000),
        ("s" + "".join(f".replace('{one}', '{one}e')" for one in "äöüÄÖÜß"), {"s": "ä"}, "äe"),
        ("s.replace('a', 'bb').size()", {"s": "a" * 500_000}, 1_000_000),
        ('"' + "%.1000f" * 100 + '".format(x).size()', {"x": [1.0] * 100}, 100_200),
    ],
)
def test_a_loop_that_is_quick_is_computed(
    text: str, values: dict[str, Any], expected: object
) -> None:
    assert value(text, **values) == expected


@pytest.mark.parametrize("length", ["20000", "-1", "size(x)", "1 + 1"])
def test_the_length_of_a_range_is_written_out(length: str) -> None:
    with pytest.raises(Uncompilable) as refused:
        value(f"lists.range({length}).size()", x=[])

    assert refused.value.fix == "write a number of 0 to 10,000 in its brackets"


def test_texts_of_a_value_have_a_bound_together() -> None:
    answer = value('"%s%s".format([s, s])', s="a" * 2_100_000)

    assert isinstance(answer, NotComputed)
    assert answer.error == "its value holds more than 4,000,000 characters; make less of it"


def test_an_event_whose_rule_would_loop_for_long_is_a_rule_error() -> None:
    contract = {
        "type": "object",
        "required": ["numbers"],
        "properties": {"numbers": {"type": "array", "items": {"type": "integer"}}},
    }
    facts = {
        "email": '"x"',
        "tier": '"pro"',
        "message": '"x"',
        "large": "data.numbers.filter(one, one > 2).size()",
    }

    verdict = route({"numbers": NUMBERS}, compiled(contract=contract, facts=facts))

    assert isinstance(verdict, Rejected)
    assert verdict.reason is Reason.RULE_ERROR
    assert "send shorter lists and texts" in verdict.detail


def test_each_function_of_the_libraries_is_counted_or_costs_what_its_values_are_large() -> None:
    cheap = {
        "charAt", "flatten", "indexOf", "lastIndexOf", "lists", "lowerAscii", "math", "reverse",
        "slice", "strings", "substring", "trim", "upperAscii",
    }  # fmt: skip

    assert cheap == LIBRARY_WORDS - COUNTED
