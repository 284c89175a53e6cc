"""Every listing and page at 80 columns, of a store in which much has happened."""

from __future__ import annotations

import re

import pytest

from orchestrator.cli.terminal.folding import cells
from tests.cli.desk import CommandLine, Ran
from tests.dashboard.filled import Filled, fill

_LISTINGS = [
    ("quarantine", "list"),
    ("quarantine", "diagnose"),
    ("quarantine", "recipes"),
    ("quarantine", "plan", "list"),
    ("jobs", "list"),
    ("incidents", "list"),
    ("incidents", "show", "1"),
    ("incidents", "work"),
    ("events", "list"),
    ("destinations", "list"),
    ("connectors", "list"),
    ("connectors", "show", "slack"),
    ("sources", "list"),
    ("sources", "list", "--shipped"),
    ("sla", "list"),
    ("alerts", "list"),
    ("audit",),
    ("workflow", "list"),
    ("workflow", "show", "leads"),
    ("keys", "list"),
    ("dead-letters", "list"),
    ("doctor",),
]


@pytest.fixture
def filled(meshline: CommandLine) -> Filled:
    meshline.publish()
    with meshline.store() as store:
        return fill(store)


def _words(text: str) -> set[str]:
    """Words as people copy them: no marks of a sentence, heads, ages, sizes of a disk, dashes."""
    lines = [line for line in text.splitlines() if line != line.upper() or line[:1] == " "]
    words = {word.strip(":;,()").casefold() for line in lines for word in line.split()}
    return {word for word in words if not re.fullmatch(r"\d+[smhd]|\d+\.\d|-", word)}


def _check(piped: Ran, screen: str) -> None:
    for line in screen.splitlines():  # a command stays on one line, so that it can be copied
        assert cells(line) <= 80 or len(line.split()) == 1 or line.strip().startswith("meshline ")
    cut = _words(piped.out + piped.err) - _words(screen)
    assert {word for word in cut if len(word) != 32} == set()  # a screen shows the ends of ids
    assert "\u202e" not in screen + piped.out


@pytest.mark.parametrize("words", _LISTINGS, ids=" ".join)
def test_no_listing_cuts_a_word_or_leaves_the_screen(
    meshline: CommandLine, filled: Filled, words: tuple[str, ...]
) -> None:
    _check(meshline(*words), meshline.on_screen(*words))


@pytest.mark.parametrize("fate", ["delivered", "refused", "hostile", "replayed"])
def test_no_page_of_an_event_cuts_a_word(meshline: CommandLine, filled: Filled, fate: str) -> None:
    words = ("events", "show", getattr(filled, fate), "--payload")

    _check(meshline(*words), meshline.on_screen(*words))


def test_a_pipe_is_given_one_record_a_line(meshline: CommandLine, filled: Filled) -> None:
    for words in (("quarantine", "list"), ("events", "list"), ("audit",), ("incidents", "list")):
        head, *rows = meshline(*words).out.splitlines()

        assert rows
        assert {row.count("\t") for row in rows} == {head.count("\t")}
