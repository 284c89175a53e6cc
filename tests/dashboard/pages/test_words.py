"""The store's values as HTML."""

from __future__ import annotations

from orchestrator.dashboard.words import distance, or_nothing, told_step

NOW = "2026-11-23T12:00:00.000Z"


def test_a_distance_is_counted_from_the_time_of_the_store() -> None:
    assert distance("2026-11-23T11:54:57.000Z", NOW) == "5m ago"
    assert or_nothing(None) == or_nothing("") == "\u2014"


def test_a_command_in_a_step_is_code_and_nothing_else_in_it_is_markup() -> None:
    step = told_step("Give <b>up</b>; `quarantine restore` takes that back")

    assert step.startswith("Give &lt;b&gt;up&lt;/b&gt;; <code>")
    assert step.endswith("</code> takes that back") and "`" not in step
    assert "<b>" not in told_step("`<b>`")
