"""What an approver signs: a text that names the decision and everything that it is about."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

NAMESPACE = "meshline-change"
"""A signature for another use of the same key is none for this one."""

FIRST_LINE = "meshline decision about a change, version 1\n"


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """One decision, as it is signed."""

    change: str  # its token
    client: str
    workflow: str
    digest: str  # the subject's, over definition, base, evidence and time: 64 hex digits
    decision: str  # a Decision
    authors: tuple[str, ...]  # actors without their way, such as `person:ada@acme.example`
    person: str  # mail of who decides
    time: str  # ISO 8601 in UTC

    def text(self) -> str:
        """The bytes that are signed, in UTF-8."""
        fields = {**asdict(self), "authors": sorted(self.authors)}
        return FIRST_LINE + json.dumps(fields, indent=1, sort_keys=True) + "\n"


def time_in(text: str) -> str:
    """The time that a signed text names; nothing where it is not such a text."""
    try:
        return str(json.loads(text.removeprefix(FIRST_LINE))["time"])
    except (ValueError, KeyError, TypeError):
        return ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Signed:
    """A statement and its signature, as they came in."""

    message: str
    signature: str  # as `ssh-keygen -Y sign` prints it
