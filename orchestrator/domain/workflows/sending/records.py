"""Records that destinations confirmed, as the fields of a destination after them may use them.

In an expression a record goes by its destination's name: `crm.record_id`, `crm.url`. CEL's names
have no hyphen, so `senior-desk` is `senior_desk` there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from cel_expr_python.cel import Type

from orchestrator.domain.event import MadeRecord
from orchestrator.domain.workflows.cel.text import Token

Records = Mapping[str, MadeRecord]
"""The records by destination: of each whose deliveries are all made."""

NO_RECORDS: Records = {}

PARTS = ("record_id", "url")
"""What an expression may use of a record."""


def record_word(destination: str) -> str:
    """The name of a destination's record in expressions.

    >>> record_word("senior-desk")
    'senior_desk'
    """
    return destination.replace("-", "_")


def record_types(after: Iterable[str]) -> dict[str, Type]:
    """The names that a destination after these may use besides facts, and their types."""
    return {f"{record_word(name)}.{part}": Type.STRING for name in after for part in PARTS}


def record_values(records: Records) -> dict[str, object]:
    """The values of these names; what is not known is left out."""
    values: dict[str, object] = {}
    for name, record in records.items():
        word = record_word(name)
        if record.record_id:
            values[f"{word}.record_id"] = record.record_id
        if record.url:
            values[f"{word}.url"] = record.url
    return values


def parts_used(words: Sequence[Token], after: Iterable[str]) -> tuple[str, ...]:
    """The parts of records that an expression names, as `crm.url`."""
    known = {record_word(name) for name in after}
    texts = [word.text for word in words]
    found: dict[str, None] = {}
    for index, word in enumerate(words):
        is_free = word.kind == "name" and (index == 0 or texts[index - 1] != ".")
        if is_free and word.text in known and texts[index + 1 : index + 2] == ["."]:
            found[".".join((word.text, *texts[index + 2 : index + 3]))] = None
    return tuple(found)
