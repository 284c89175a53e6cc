"""What a reader is shown: personal values masked for whoever may not see them.

Command line, pages, HTTP and exports show nothing of an event that did not pass here.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from orchestrator.store.database.engine import Tx
from orchestrator.store.views.events.carried import marked_workflows

Value = TypeVar("Value")


NO_CLIENT: Final[Container[str]] = frozenset()
"""Of whoever may see none: the reader of an alert, or of a signed link."""


@dataclass(frozen=True, kw_only=True)
class Shown(Generic[Value]):
    """What a reader is shown."""

    value: Value
    seen: tuple[str, ...] = ()  # ids of the events whose personal values are in it, as they are


def shown(tx: Tx, value: Value, *, sees: Container[str]) -> Shown[Value]:
    """A view, or a list of views, for a reader who `sees` the personal values of these clients."""
    marked = marked_workflows(tx)
    if not marked:
        return Shown(value=value)
    from orchestrator.presenting.personal.veil import veiled  # it knows every view there is

    return veiled(tx, value, marked, sees=sees)
