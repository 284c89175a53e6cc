"""Whether a record says what was sent."""

from __future__ import annotations

import pytest

from orchestrator.domain.delivery.comparing import Comparison, Difference, differences


def same(sent: object, stored: object, how: Comparison) -> bool:
    return not differences({"f": sent}, {"f": stored}, ("f",), {"f": how})


@pytest.mark.parametrize(
    ("how", "sent", "stored"),
    [
        (Comparison.TEXT, 5, "5"),
        (Comparison.TEXT, True, "true"),
        (Comparison.NUMBER, 5, "5.00"),
        (Comparison.NUMBER, "0.10", 0.1),
        (Comparison.TRIMMED, " Onboard it \r\nnow", "Onboard it\nnow"),
        (Comparison.CASELESS, "Lead@Example.COM", "lead@example.com "),
        (Comparison.HTML, "It's < 5", "<p>It&#39;s &lt; 5</p>"),
        (Comparison.SET, ["b", "a", "a"], ["a", "b", "a"]),
    ],
)
def test_a_tool_may_change_what_the_comparison_lets_it_change(
    how: Comparison, sent: object, stored: object
) -> None:
    assert same(sent, stored, how)
    assert not same(sent, stored, Comparison.EXACT)


@pytest.mark.parametrize(
    ("how", "sent", "stored"),
    [
        (Comparison.TEXT, "gold", "Gold"),
        (Comparison.TEXT, "gold", None),
        (Comparison.TEXT, ["gold"], "gold"),
        (Comparison.NUMBER, 5, "5 pieces"),
        (Comparison.NUMBER, 1, True),
        (Comparison.NUMBER, "nan", "nan "),
        (Comparison.TRIMMED, "on board", "onboard"),
        (Comparison.CASELESS, "a@example.com", "b@example.com"),
        (Comparison.HTML, "all of it", "<p>all of</p>"),
        (Comparison.SET, ["a", "a", "b"], ["a", "b", "b"]),
        (Comparison.SET, ["a"], "a"),
    ],
)
def test_and_nothing_else(how: Comparison, sent: object, stored: object) -> None:
    assert not same(sent, stored, how)


def test_a_field_that_is_not_stored_differs_whatever_the_comparison() -> None:
    found = differences({"f": "x"}, {}, ("f",), {"f": Comparison.CASELESS})

    assert found == (Difference(field="f", sent="x", stored=None),)
