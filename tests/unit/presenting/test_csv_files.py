"""A file for spreadsheets holds no formula, and nothing that a cell would hide."""

from __future__ import annotations

import csv
import io

import pytest

from orchestrator.presenting.csv_files import to_csv


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =1", "|cmd", "%0a", "\n=1", "\r@x"]
)
def test_a_text_that_a_spreadsheet_would_run_is_a_text(text: str) -> None:
    (row,) = csv.reader(io.StringIO(to_csv(["why"], [[text]]).decode().split("\r\n", 1)[1]))

    assert row[0][0] not in "=+-@|%\t\r\n"


def test_what_harms_nobody_stays_as_it_is() -> None:
    text = to_csv(["id", "why", "at"], [(7, 'a, "b"; c-d = e', None), (-8, "é", "2026-11-30")])

    assert text.decode() == 'id,why,at\r\n7,"a, ""b""; c-d = e",\r\n-8,é,2026-11-30\r\n'


def test_a_row_is_one_line_whatever_is_in_it() -> None:
    text = to_csv(["why"], [["one\ntwo\r\nthree\u202e\x00"]])

    assert text == b"why\r\none\\ntwo\\r\\nthree\\u202e\\x00\r\n"
