"""Our words are plain: no page, help text, message or docstring has a banned turn of phrase."""

from __future__ import annotations

import pytest

from tools.prose import RULES, faults, faults_in


def test_nothing_that_people_read_has_a_banned_phrase() -> None:
    assert [f"{one.path}:{one.line}: {one.phrase}: write {one.instead}" for one in faults()] == []


@pytest.mark.parametrize(
    "text",
    [
        "The recovery lead is told.",
        "A relay lets go what was held",
        "one a step",
        "read once\na workflow",
        "all files but for one",
        "A client; may come again.",
        "what has to be healed the soonest first",
        "so it is without more",
        "'abc' is no number",
        "what stands in quarantine",
        "An event stands\nstill.",
        "the workflow's standing amendment",
        "it is claimed no more.",
        "It waits. Whoever comes late is refused.",
        "- one\n- What was delivered\nis sent again.",
    ],
)
def test_each_phrase_is_found_also_over_a_line_break(text: str) -> None:
    assert len(list(faults_in(text))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "there is no order",
        "once a minute",
        "two mails can be told apart",
        "a letter",
        "go on",
        "one at a time",
        "documentation only, against a stand-in",
        "the name that a placeholder stands for",
        "no more than 20 rows",
        "there are no more lines",
        "state = 'standing'",
        "It waits. What is the reason? None is given.",
        "What a connector may say.",
        "Look at it. What does the chat have? Nothing.",
    ],
)
def test_plain_words_are_left_alone(text: str) -> None:
    assert list(faults_in(text)) == []


def test_every_rule_says_what_to_write_instead() -> None:
    assert all(rule.instead for rule in RULES)
