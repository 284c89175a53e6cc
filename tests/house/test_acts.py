"""The table of acts has every act with its preview and its inverse, held against the commands."""

from __future__ import annotations

import re
from typing import Any

import pytest
import typer

from orchestrator.cli.main import app
from tests.house.pages import marked, rows_of
from tests.house.reads import READS

PROCESSES = {"up", "demo", "api", "worker", "relay", "keeper", "flower"}
"""Commands that run until they are ended."""

ROWS = rows_of("docs/reference/acts.md", "The table")


def commands(command: Any = None, name: str = "") -> dict[str, Any]:
    """Every command of the command line by its words."""
    command = command or typer.main.get_command(app)
    below = getattr(command, "commands", None)
    if below is None:
        return {name: command}
    return {
        words: found
        for one, inner in below.items()
        for words, found in commands(inner, f"{name} {one}".strip()).items()
    }


def test_every_command_that_writes_is_in_the_table_of_acts() -> None:
    acts = [marked(act)[0] for act, _, _ in ROWS]

    assert sorted(acts) == sorted(set(commands()) - READS - PROCESSES)
    assert set(commands()) >= READS | PROCESSES, "one of them is not a command any more"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: marked(row[0])[0])
def test_what_the_table_names_is_a_command_or_an_option_that_there_is(row: list[str]) -> None:
    known = commands()
    (act,) = marked(row[0])
    for code in marked(row[1]) + marked(row[2]):
        words = re.sub(r"( ?--[a-z-]+)+$", "", code)
        assert words in {"", "undo", *known}, code
        if words == "undo":  # a value of --operation
            continue
        options = {name for one in known[words or act].params for name in one.opts}
        assert set(re.findall(r"--[a-z-]+", code)) <= options, code


@pytest.mark.parametrize("row", ROWS, ids=lambda row: marked(row[0])[0])
def test_an_act_without_a_preview_or_an_inverse_says_why(row: list[str]) -> None:
    for cell in row[1:]:
        assert marked(cell) or re.match(r"none: \w+|Ctrl-C \w+", cell), cell
