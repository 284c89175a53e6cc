"""What an author wrote in a contract where a schema has to be: `email: string`, `email:`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.domain.text.abbreviate import abbreviate

_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")
_BY_NAME = ("properties", "patternProperties", "$defs", "definitions")
_ONE = ("items", "additionalProperties", "contains")


def shorthand_fault(
    schema: Mapping[str, object], path: Sequence[str | int]
) -> tuple[str, str] | None:
    """What is wrong at a place where a schema has to be, and what to write; None elsewhere."""
    if not path or (path[-1] not in _ONE and (len(path) < 2 or path[-2] not in _BY_NAME)):
        return None
    value: Any = schema
    try:
        for step in path:
            value = value[step]
    except (KeyError, IndexError, TypeError):  # the fault is in a name, which has no value
        return None
    name = path[-1]
    if value is None:
        return "it says nothing", f"write `{name}: {{type: string}}`, with the type that it has"
    if isinstance(value, str) and value not in _TYPES:
        fix = f"write `{name}: {{type: string}}`, with the type that it has"
        return f"{abbreviate(value)} is not a schema", fix
    listed = value if isinstance(value, list) else [value]
    if not listed or not all(isinstance(one, str) and one in _TYPES for one in listed):
        return None
    types = ['"null"' if one == "null" else str(one) for one in listed]
    shown = f"[{', '.join(types)}]" if isinstance(value, list) else types[0]
    return f"{abbreviate(value)} is not a schema", f"write `{name}: {{type: {shown}}}`"
