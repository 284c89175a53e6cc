"""The verdicts as a table, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tools.vendor_check.documents import Document
from tools.vendor_check.judging import Result, Verdict


def table(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """The lines of the table: an action per line, what differs below it."""
    rows = [(one.action, one.result.value, _named(one.documents)) for one in verdicts]
    first = max(len(row[0]) for row in rows)
    for verdict, (action, result, document) in zip(verdicts, rows, strict=True):
        yield f"{action:{first}}  {result:11}  {document}".rstrip()
        yield from (f"    {line}" for line in verdict.differences)
        yield from (f"    ({line})" for line in verdict.notes)
    counts = {result: sum(one.result is result for one in verdicts) for result in Result}
    yield ", ".join(f"{count} {result}" for result, count in counts.items())


def as_json(
    verdicts: Sequence[Verdict], documents: Sequence[Document], unusable: Mapping[str, str]
) -> dict[str, Any]:
    """The same as one document."""
    return {
        "actions": [
            {
                "action": one.action,
                "result": one.result.value,
                "documents": [document.file for document in one.documents],
                "differences": list(one.differences),
                "notes": list(one.notes),
            }
            for one in verdicts
        ],
        "documents": [
            {"file": one.file, "title": one.title, "version": one.version} for one in documents
        ],
        "unreadable": dict(unusable),
    }


def _named(documents: Sequence[Document]) -> str:
    return "; ".join(f"{one.title} {one.version} ({one.file})" for one in documents)
