"""What a definition of tables must fulfil as a whole; every fault at once."""

from __future__ import annotations

import re
from functools import partial

from connectors.definition.collect_faults import Report, collected
from connectors.sql.definition import SqlAction, SqlDefinition
from orchestrator.domain.errors import Fault

_COLUMN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")


def sql_faults(definition: SqlDefinition) -> list[Fault]:
    """Every fault of a definition whose words and types are right."""
    return collected(partial(_check_definition, definition))


def _check_definition(definition: SqlDefinition, report: Report) -> None:
    for name, action in definition.actions.items():
        _check_action(f"actions.{name}", action, report)


def _check_action(at: str, action: SqlAction, report: Report) -> None:
    if not isinstance(action.columns, dict) or not action.columns:
        report(f"{at}.columns", "it names no columns", "write `field: column` pairs")
        return
    for field, place in action.columns.items():
        if not _COLUMN.fullmatch(place.at):
            report(f"{at}.columns.{field}", "it is not a column's name", "write letters, 0-9 and _")
    for field in action.optional:
        if field not in action.columns:
            report(f"{at}.optional", f"there is no field {field}", "name it under columns")
    _check_unique(at, action, report)


def _check_unique(at: str, action: SqlAction, report: Report) -> None:
    """Whether a second write can find the first one's row."""
    if action.write == "insert":
        if action.by is not None:
            report(f"{at}.by", "an insert is found by its key", "write key_column: NAME instead")
        if action.key_column is None or not _COLUMN.fullmatch(action.key_column):
            problem = "a row that is inserted needs a unique column for its key"
            report(f"{at}.key_column", problem, "write key_column: NAME")
        elif action.key_column in {place.at for place in action.columns.values()}:
            report(f"{at}.key_column", "a field has this column too", "give the key its own")
        return
    if action.key_column is not None:
        problem = "an upsert is found by a field, and the key is not kept"
        report(f"{at}.key_column", problem, "write by: FIELD instead")
    if action.by not in action.columns:
        report(f"{at}.by", "it names no field of this action", "write the unique field's name")
    elif action.by in action.optional:
        report(f"{at}.by", "the row is found by it", "take it out of optional")
