"""The store's values as people read them."""

from __future__ import annotations

import pytest

from orchestrator.dashboard.words import distance, moment, or_nothing, told, told_step

NOW = "2026-11-23T12:00:00.000Z"


def test_a_moment_is_read_to_the_second_or_finer() -> None:
    assert moment("2026-11-23T17:30:29.123Z") == "2026-11-23 17:30:29"
    assert moment("2026-11-23T17:30:29.123Z", milliseconds=True) == "2026-11-23 17:30:29.123"
    assert moment(None) == or_nothing(None) == or_nothing("") == "\u2014"


@pytest.mark.parametrize(
    ("then", "said"),
    [
        ("2026-11-26T11:59:59.000Z", "in 2 d 23 h"),
        ("2026-11-24T12:00:01.000Z", "in 1 d"),
        ("2026-11-23T11:54:57.000Z", "5 min 3 s ago"),
        ("2026-11-23T11:00:00.000Z", "1 h ago"),
        ("2026-11-23T12:00:00.900Z", "now"),
        (NOW, "now"),
    ],
)
def test_a_distance_has_its_two_largest_units(then: str, said: str) -> None:
    assert distance(then, NOW) == said


def test_a_detail_is_one_line() -> None:
    detail = {"route": 0, "when": 'tier == "pro"', "to": ["crm", "desk"]}

    assert told(detail) == 'route 0; when tier == "pro"; to crm, desk'
    assert told({"detail": "crm: HTTP 500"}) == "crm: HTTP 500"
    assert told(None) == told({}) == ""


def test_a_long_detail_is_cut_and_shows_it() -> None:
    assert told({"detail": "x" * 5000}).endswith("...")
    assert len(told({"detail": "x" * 5000})) < 400


def test_an_amendment_is_told_without_the_value_that_it_set() -> None:
    amendments = [
        {"action": "rename", "path": "customer_tier", "to": "tier"},
        {"action": "set", "path": "email", "value": "grace@example.com"},
    ]

    assert told({"amendments": amendments}) == "rename customer_tier to tier, set email"


def test_a_command_in_a_step_is_code_and_nothing_else_in_it_is_markup() -> None:
    step = told_step("Give <b>up</b>; `quarantine restore` takes that back")

    assert step.startswith("Give &lt;b&gt;up&lt;/b&gt;; <code>")
    assert step.endswith("</code> takes that back") and "`" not in step
    assert "<b>" not in told_step("`<b>`")
