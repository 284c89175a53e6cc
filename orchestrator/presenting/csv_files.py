"""Rows as CSV for spreadsheets, which take a text that begins with `=` for a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

from orchestrator.domain.text.visible import visible

_ACTS = re.compile(r"\s*[=+\-@|%]")


def to_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    r"""A table in UTF-8, a line per row. None is an empty cell.

    >>> to_csv(["id", "why"], [(7, "=1+1"), (8, None)])
    b"id,why\r\n7,'=1+1\r\n8,\r\n"
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode()


def _cell(value: object) -> object:
    if value is None or isinstance(value, bool | int):
        return value
    told = visible(str(value))
    return f"'{told}" if _ACTS.match(told) else told
