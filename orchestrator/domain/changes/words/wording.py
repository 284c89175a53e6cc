"""One sentence of a difference: where, in which direction, and who has to do something about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.domain.text.abbreviate import abbreviate, shorten

_LONGEST_LIST = 10
_LONGEST = 120  # characters of an expression


class Direction(StrEnum):
    """In which direction a part of a workflow changes."""

    ADDED = "added"
    REMOVED = "removed"
    RENAMED = "renamed"
    STRICTER = "stricter"
    LOOSER = "looser"
    CHANGED = "changed"  # neither stricter nor looser


class Part(StrEnum):
    """The parts of a workflow, in the order in which they are shown."""

    WORKFLOW = "workflow"
    CONTRACT = "contract"
    FACTS = "facts"
    ROUTES = "routes"
    DESTINATIONS = "destinations"
    AMENDMENTS = "amendments"
    SLA = "sla"
    OWNERS = "owners"
    RETRIES = "retries"


class Affected(StrEnum):
    """For whom a difference may break something."""

    SENDERS = "senders"  # who sends the trigger
    TOOLS = "tools"  # who works with the records of a destination


@dataclass(frozen=True, kw_only=True, slots=True)
class Wording:
    """One difference in words."""

    part: Part
    direction: Direction
    says: str  # one sentence, without a full stop
    breaks: Affected | None = None  # for whom it may break something; None: for nobody


def quoted(text: str) -> str:
    """A name or an expression as sentences have it."""
    return f"`{shorten(text, _LONGEST)}`"


def listed(texts: Iterable[str]) -> str:
    """A few texts with commas; of many the first ones, and how many more there are."""
    each = list(texts)
    more = len(each) - _LONGEST_LIST
    shown = ", ".join(each[:_LONGEST_LIST])
    return f"{shown} and {more} more" if more > 0 else shown


def values(each: Iterable[object]) -> str:
    """The same for values of JSON."""
    return listed(abbreviate(one) for one in each)
