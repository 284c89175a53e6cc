"""One source: whose it is, how it signs, what its requests become."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.domain.sources.reading import Rules
from orchestrator.domain.sources.schemes import Scheme

NEVER_KEPT = frozenset({"authorization", "cookie", "proxy-authorization", "set-cookie"})
"""Headers that are kept with no event, whatever a source says."""


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
    answer: Answer
    origin: str  # the file that says it

    @property
    def actor(self) -> str:
        """The audit's word for it."""
        return f"source:{self.name}"
