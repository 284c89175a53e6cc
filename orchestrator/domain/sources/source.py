"""One source: whose it is, how it signs, what its requests become."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from orchestrator.domain.sources.reading import Rules
from orchestrator.domain.sources.schemes import Scheme

NEVER_KEPT = frozenset({"authorization", "cookie", "proxy-authorization", "set-cookie"})
"""Headers that are kept with no event, whatever a source says."""


SOURCE = "source:"
"""What the audit's word for a source begins with."""


@dataclass(frozen=True, kw_only=True)
class SourceOwners:
    """Who answers for what a source sends and no workflow takes; e-mail addresses."""

    owner: str
    recovery_lead: str
    approver: str
    backstop: str


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What an accepted request is answered; vendors differ in what they take."""

    status: int = 202
    media_type: str | None = None  # None: `{"id", "duplicate"}` as JSON
    body: str = ""


@dataclass(frozen=True, kw_only=True)
class SourceLimits:
    """How many events a source may send."""

    rate: int  # in `per_seconds`, at each door; a proven request without an event counts as one
    per_seconds: float
    quota_per_day: int  # in a day of UTC, over all doors

    sender: ClassVar[str] = "the source"
    fix: ClassVar[str] = "send it again after Retry-After; `limits` in the source's file sets both"


@dataclass(frozen=True, kw_only=True)
class Source:
    """A vendor, or a form, that sends events to one client."""

    name: str
    title: str
    client: str
    owners: SourceOwners
    recover_within: str  # a duration: the clock of what no workflow takes
    scheme: Scheme
    secrets: tuple[str, ...]  # references; any of them is good
    rules: Rules
    public_url: str | None  # the address as the vendor calls it, without a query
    keep_headers: tuple[str, ...]  # names in small letters
    limits: SourceLimits
    answer: Answer
    file: str  # that declares it; a relative path in it begins beside it

    @property
    def actor(self) -> str:
        """The audit's word for it."""
        return f"{SOURCE}{self.name}"
