"""Every listing and page of a store whose words are as long, foreign and hostile as they come."""

from __future__ import annotations

import pytest

from orchestrator.cli.terminal.folding import cells
from tests.cli.desk import CommandLine
from tests.dashboard.wild import SAID, WORKFLOW, Wild, fill_wild

_LISTINGS = [
    ("quarantine", "list"),
    ("quarantine", "diagnose", "--incident", "1"),
    ("quarantine", "recipes"),
    ("quarantine", "plan", "list"),
    ("jobs", "list"),
    ("jobs", "show", "1"),
    ("incidents", "list"),
    ("incidents", "show", "1"),
    ("incidents", "show", "2"),
    ("incidents", "work"),
    ("events", "list"),
    ("destinations", "list"),
    ("sla", "list"),
    ("alerts", "list"),
    ("audit",),
    ("workflow", "list"),
    ("workflow", "show", WORKFLOW),
    ("keys", "list"),
    ("dead-letters", "list"),
    ("doctor",),
]

_ALLOWED = {ord("\t"): " ", ord("\u200d"): ""}  # between columns, and inside of an emoji


@pytest.fixture
def wild(meshline: CommandLine) -> Wild:
    meshline.publish()
    with meshline.store() as store:
        return fill_wild(store)


def _check(shown: str) -> None:
    lines = shown.splitlines()
    assert [line for line in lines if not line.translate(_ALLOWED).isprintable()] == []
    assert [line for line in lines if line.startswith("forged: ")] == []
    assert "\u3164" not in shown


def _check_width(screen: str) -> None:
    wide = [line for line in screen.splitlines() if cells(line) > 80]
    # What is wide is one word of 200 letters, its name before it, or a command to be copied.
    cut = [line for line in wide if max(map(cells, line.split())) < 65]
    assert [line for line in cut if not line.strip().startswith("meshline ")] == []


def test_no_value_acts_on_the_terminal_or_forges_a_line(meshline: CommandLine, wild: Wild) -> None:
    for words in _LISTINGS:
        screen = meshline.on_screen(*words)

        _check(screen)
        _check_width(screen)
        _check(meshline(*words).out)


def test_no_page_lets_a_value_act_or_forge_a_line(meshline: CommandLine, wild: Wild) -> None:
    letters = [("dead-letters", "show", str(one)) for one in wild.letters]
    events = [("events", "show", one, "--payload") for one in (*wild.broken, wild.refused)]
    plan = ("quarantine", "plan", "show", wild.token)
    rename = ("quarantine", "recipe", "--incident", "1", "--rename", f"{SAID[4]}=tier")

    for words in (*letters, *events, plan, rename):
        screen = meshline.on_screen(*words)

        _check(screen)
        _check_width(screen)


def test_of_one_thing_one_thing_is_said(meshline: CommandLine, wild: Wild) -> None:
    doctor, audit = meshline("doctor").out, meshline("audit").out

    assert "paused (paused)" not in doctor and "paused: " in doctor
    assert "why: " not in audit and "\\x1b[31mred" in audit


def test_a_dead_letter_says_what_to_do_with_it_and_its_body_comes_last(
    meshline: CommandLine, wild: Wild
) -> None:
    page = meshline.on_screen("dead-letters", "show", str(wild.letters[4])).splitlines()

    assert "   meshline dead-letters requeue 5" in page
    assert page[-2:] == ["  \\x1b[31mred\\x1b[0m\\ttab", "  forged: line\\r\\x07\\x9b31m\\x7f"]
    assert not [line for line in page if line.endswith(" -")]
