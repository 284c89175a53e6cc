"""The store's values as HTML."""

from __future__ import annotations

import pytest

from orchestrator.dashboard.words import distance, escaped, or_nothing, told_step

NOW = "2026-11-23T12:00:00.000Z"


def test_a_distance_is_counted_from_the_time_of_the_store() -> None:
    assert distance("2026-11-23T11:54:57.000Z", NOW) == "5m ago"
    assert or_nothing(None) == or_nothing("") == "\u2014"


def test_a_command_in_a_step_is_code_and_nothing_else_in_it_is_markup() -> None:
    step = told_step("Give <b>up</b>; `quarantine restore` takes that back")

    assert step.startswith("Give &lt;b&gt;up&lt;/b&gt;; <code>")
    assert step.endswith("</code> takes that back") and "`" not in step
    assert "<b>" not in told_step("`<b>`")


@pytest.mark.parametrize("one", ["&", "<", ">", '"', "'"])
def test_what_html_takes_for_its_own_is_escaped_alone_and_among_plain_text(one: str) -> None:
    assert escaped(one).startswith("&") and escaped(f"a {one} b") == f"a {escaped(one)} b"


def test_plain_text_stays_and_what_cannot_be_printed_is_written_out() -> None:
    plain = "".join(one for one in map(chr, range(32, 127)) if one not in "&<>\"'")

    assert escaped(plain) == plain
    assert escaped(b"a\tb\x07\n") == escaped("a\tb\x07\n") == "a   b\\x07\n"
    assert escaped("\u202e") == "\\u202e"
