"""Recipes as people read them: each step in words, and what it changes in one payload."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestrator.domain.recipes.acting import PayloadChange

NOTHING_THERE = "nothing"


def told_of_step(step: Mapping[str, object]) -> str:
    """A step in words.

    >>> told_of_step({"rename": "customer_tier", "to": "tier"})
    'rename customer_tier to tier'
    """
    from orchestrator.domain.documents import strict_json

    return " ".join(
        f"{name} {value if _is_plain(value) else strict_json.dumps(value)}"
        for name, value in step.items()
    )


def _is_plain(value: object) -> bool:
    """Whether a value is a text that can be read without quotes around it."""
    return isinstance(value, str) and bool(value) and value == value.strip()


def before_and_after(change: PayloadChange) -> tuple[str, str]:
    """What was at a place and what is there then, each with the place.

    >>> from orchestrator.domain.recipes.acting import PayloadChange
    >>> before_and_after(PayloadChange(step=0, action="drop", path="/a", before=1))
    ('/a: 1', '/a: taken out')
    """
    from orchestrator.domain.text.abbreviate import abbreviate

    made_up = change.action in ("set", "join") and change.before is None
    before = NOTHING_THERE if made_up else abbreviate(change.before)
    if change.action == "drop":
        return f"{change.path}: {before}", f"{change.path}: taken out"
    return f"{change.path}: {before}", f"{change.to or change.path}: {abbreviate(change.after)}"
