"""Tables and sentences on a terminal of 80 columns, and in a pipe."""

from __future__ import annotations

import shlex

import pytest

from orchestrator.cli.terminal.folding import cells, fold, shorten
from orchestrator.cli.terminal.layout import records, table

COLUMNS = ("ID", "STATE", "OWNER", "WHY")
WHY = "the field `tier` is missing, and `customer_tier` looks like it"


def shown(*rows: tuple[str, ...], width: int = 80, below: tuple[str, ...] = ()) -> list[str]:
    lines = table(COLUMNS, rows, below=below, width=width)
    return ["".join(part.text + part.space for part in line) for line in lines]


def test_what_fits_stands_in_columns() -> None:
    assert shown(("1", "open", "ada@acme.example", "late"), ("22", "resolved", "-", "-")) == [
        "ID  STATE     OWNER             WHY",
        "1   open      ada@acme.example  late",
        "22  resolved  -                 -",
    ]


def test_what_has_no_room_goes_below_its_row_by_the_name_of_its_column() -> None:
    assert shown(("1", "open", "ada@acme.example", WHY), width=40) == [
        "ID  STATE  OWNER",
        "1   open   ada@acme.example",
        "  why: the field `tier` is missing, and",
        "    `customer_tier` looks like it",
    ]


def test_a_column_may_always_stand_below_and_nothing_is_said_of_nothing() -> None:
    assert shown(("1", "open", "ada", "late"), ("2", "open", "-", "-"), below=("OWNER", "WHY")) == [
        *("ID  STATE", "1   open", "  owner: ada", "  why: late", "2   open"),
    ]


def test_more_lines_of_a_value_stand_below_the_row() -> None:
    assert shown(("1", "open\nsince 2h", "ada", "late"))[1:] == [
        "1   open   ada    late",
        "  since 2h",
    ]


def test_one_long_value_does_not_widen_the_other_rows() -> None:
    address = f"{'x' * 90}@acme.example"

    lines = shown(("1", "open", address, "-"), ("y" * 90, "open", "ada", "-"))

    assert lines[0] == "ID  STATE  OWNER  WHY"
    assert lines[1:3] == ["1   open   …      -", "  owner:"]
    assert lines[3] == f"    {address}"
    assert lines[4:] == ["y" * 90, "    open   ada    -"]


def test_wide_characters_keep_the_columns_in_line() -> None:
    head, first, second = shown(("雪雪", "open", "ada", "-"), ("e\u0301", "open", "bob", "-"))

    assert head.index("STATE") == 6
    assert first == "雪雪  open   ada    -"
    assert second == "e\u0301     open   bob    -"


def test_a_pipe_is_given_one_record_a_line_whatever_its_length() -> None:
    (_, row) = records(COLUMNS, [("1", "open\nsince 2h", "x" * 300, WHY)])

    assert "".join(part.text + part.space for part in row) == (
        f"1\topen; since 2h\t{'x' * 300}\t{WHY}"
    )


@pytest.mark.parametrize(
    "text",
    [
        "a sentence that has some words and goes on until it does not fit into a line any more",
        f"  indented, {'x' * 100} and a word that is wider than all lines",
        f"error: nothing there; see `meshline quarantine list --incident 7` or {'y' * 60}",
    ],
)
def test_no_word_is_cut(text: str) -> None:
    lines = fold(text, 44, indent=2)

    assert " ".join(lines).split() == text.split()
    assert all(cells(line) <= 44 or len(line.split()) == 1 for line in lines)


def test_a_command_stays_on_one_line() -> None:
    text = "nothing was sent yet, run `meshline quarantine run af4bb91b8fd3` to send it"

    assert "`meshline quarantine run af4bb91b8fd3`" in "\n".join(fold(text, 50))


def test_a_command_that_is_wider_than_a_line_is_copied_as_it_was() -> None:
    command = "meshline quarantine recipe --incident 7 --set 'note=a  b' --why \"the form is new\""

    lines = fold(f"fix `{command}`", 40, indent=4)

    assert all(len(line) <= 40 for line in lines)
    copied = "\n".join(lines).partition("`")[2].rstrip("`")
    assert shlex.split(copied.replace("\\\n", "")) == shlex.split(command)


def test_writing_without_spaces_is_parted_between_wide_characters() -> None:
    assert fold("雪" * 30, 21) == ["雪" * 10] * 3


def test_free_text_loses_its_middle_at_spaces() -> None:
    text = " ".join(f"word{n}" for n in range(500))

    cut = shorten(text, 600)

    assert len(cut) <= 610
    assert set(cut.split()) - {"…"} <= set(text.split())
    assert cut.startswith("word0 ") and cut.endswith(" word499")
