"""Loops of an expression over what strangers send have a bound; small ones are never refused."""

from __future__ import annotations

from typing import Any

import pytest
from cel_expr_python.cel import Type

from orchestrator.domain.delivery.verdicts import Rejected
from orchestrator.domain.reasons import Reason
from orchestrator.domain.workflows.cel import Environment, NotComputed
from orchestrator.domain.workflows.cel_cost import loops_of
from orchestrator.domain.workflows.cel_text import tokens
from orchestrator.pipeline.route import route
from tests.unit.workflows import compiled

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
    ],
)
def test_a_loop_that_would_take_long_is_not_begun(text: str, values: dict[str, Any]) -> None:
    answer = value(text, **values)

    assert isinstance(answer, NotComputed)
    assert "its loops could take more than 5,000,000 steps" in answer.error


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("x.map(i, i * 2).size()", {"x": NUMBERS[:1_000]}, 1_000),
        ("x.all(i, i >= 0)", {"x": NUMBERS}, True),  # it looks at nothing but its item
        ("x.exists(i, i in y)", {"x": NUMBERS[:300], "y": [299]}, True),
        ("s.contains('b')", {"s": "a" * 1_000_000}, False),
    ],
)
def test_a_loop_that_is_quick_is_computed(
    text: str, values: dict[str, Any], expected: object
) -> None:
    assert value(text, **values) == expected


@pytest.mark.parametrize(
    ("text", "looking_out"),
    [
        ("x.all(i, i.price > 3)", False),
        ("x.all(i, i.x > 3)", False),  # a field, not the name
        ("x.all(i, i in x)", True),
        ("x.all(i, data.limit > i)", True),
        ("x.all(x, x > 3)", True),  # cannot be told apart: the dearer one
    ],
)
def test_whether_a_loop_looks_at_more_than_its_item(text: str, looking_out: bool) -> None:
    assert loops_of(tokens(text), ["x", "data.limit"]).looking_out == looking_out


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
    assert "send shorter lists" in verdict.detail
