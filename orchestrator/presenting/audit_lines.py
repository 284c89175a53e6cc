"""Rows of the audit as people read them.

Of an amendment the paths are said and not the values: whoever may read that somebody mended an
event need not be somebody who may read what is in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from orchestrator.domain.text.abbreviate import abbreviate, shorten
from orchestrator.domain.text.visible import visible

if TYPE_CHECKING:
    from orchestrator.store.views.audit import AuditRow

_LONGEST = 1_000  # characters of one detail; `--json` has all of it


def what(row: AuditRow) -> str:
    """What a row tells of, with the incident and the destination where it is about one."""
    words = row.action.replace("_", " ")
    if row.incident is not None:
        words += f" {row.incident}"
    return f"{words} ({row.destination})" if row.destination else words


def why(row: AuditRow) -> str:
    """The reason and the details of a row, on one line."""
    said = [row.reason, details(row.detail)]
    return "; ".join(str(one) for one in said if one)


COLUMNS = (
    *("id", "at", "actor", "action", "client", "workflow", "event_id", "incident"),
    *("destination", "from", "to", "reason", "told"),
)
"""Of rows in a file; `told` is their details on one line, as a page shows them."""


def columns_of(row: AuditRow) -> tuple[int | str | None, ...]:
    """A row, a value per column."""
    return (
        *(row.id, row.at, row.actor, row.action, row.client, row.workflow, row.event_id),
        *(row.incident, row.destination, row.source, row.target, row.reason),
        details(row.detail) or None,
    )


def details(detail: Mapping[str, object] | None) -> str:
    """The details of a row, on one line; empty where there are none."""
    return "; ".join(_detail(name, value) for name, value in (detail or {}).items())


def _detail(name: str, value: object) -> str:
    if name == "amendments" and isinstance(value, list):
        return ", ".join(_amendment(one) for one in value)
    plain = _plain(value)
    # These are sentences: a person's own words, or what a system answered.
    return plain if name in ("detail", "why") else f"{name}: {plain}"


def _amendment(change: Mapping[str, object]) -> str:
    to = f" to {change['to']}" if "to" in change else ""
    return f"{change['action']} {change['path']}{to}"


def _plain(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_plain(one) for one in value)
    if isinstance(value, str):
        return shorten(visible(value), _LONGEST)
    return abbreviate(value, _LONGEST)
