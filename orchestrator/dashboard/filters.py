"""Which events a person asked for, read from the address and written back to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from orchestrator.dashboard.given import (
    number_of,
    one_of,
    query_of,
    seconds_of,
    time_of,
    values_of,
    worded,
)
from orchestrator.domain.lifecycle import State
from orchestrator.domain.reasons import Reason
from orchestrator.domain.text.given_times import given_time
from orchestrator.domain.text.words import sought_words
from orchestrator.store.views.events.search import Wanted

ANYTHING = "*"
"""As a filter: held by whatever it is."""

HELD_STATE = "held"
"""As a state: routed, and a delivery is held."""


@dataclass(frozen=True, kw_only=True)
class PageFilters:
    """Which events; every condition that is given must hold.

    The fields are the names in the address.
    """

    state: str | None = None  # as `State`, or `held`
    reason: str | None = None
    client: str | None = None
    workflow: str | None = None
    incident: str | None = None  # its number: only the events quarantined for it
    held: str | None = None  # the name of what holds deliveries back; `*` is anything
    text: str | None = None  # an idempotency key, or the beginning of an id
    payload: str | None = None  # words of a quarantined event's payload
    since: str | None = None  # accepted since then: a time as people write it
    until: str | None = None  # accepted before then
    before: str | None = None  # the last id of the page before
    refresh: int | None = None  # seconds until the page is asked for again

    @property
    def narrow(self) -> bool:
        """Whether they leave anything out."""
        return replace(self, before=None, refresh=None) != PageFilters()

    @property
    def words(self) -> tuple[str, ...]:
        """The words that are looked for in payloads."""
        return () if self.payload is None else sought_words(self.payload)

    @property
    def selects(self) -> bool:
        """Whether acts can be done on all that they show: they select in quarantine too."""
        named = (self.client, self.workflow, self.reason, self.incident, self.payload)
        other = (self.held, self.text, self.since, self.until)
        in_quarantine = self.state in (State.QUARANTINED, State.DISCARDED)
        return in_quarantine and any(named) and not any(other)

    def at(self, **changed: str | None) -> str:
        """The query of the same list, changed: `filters.at(before=id)`."""
        return query_of(replace(self, **changed))  # type: ignore[arg-type] # text fields only

    def wanted(self, now: int, *, limit: int) -> Wanted:
        """What to ask the store for; `now` is its time, in milliseconds."""
        held = self.state == HELD_STATE or self.held == ANYTHING
        return Wanted(
            client=self.client,
            workflow=self.workflow,
            state=None if self.state == HELD_STATE else self.state,
            reason=self.reason,
            text=self.text,
            words=self.words,
            incident=None if self.incident is None else int(self.incident),
            held=held,
            held_by=None if self.held == ANYTHING else self.held,
            since=_at(self.since, now),
            until=_at(self.until, now),
            before=self.before,
            limit=limit,
        )


def _at(text: str | None, now: int) -> int | None:
    return None if text is None else given_time(text, now)


def read_filters(argument: Callable[[str], str]) -> PageFilters:
    """The filters of a request for events; `argument` answers "" for what was not given.

    Raises Refused for a state or a reason that does not exist, for a payload without a word, for
    what is not a time, and for a refresh out of range.
    """
    given = values_of(argument)
    return PageFilters(
        state=one_of("state", given("state"), [*State, HELD_STATE]),
        reason=one_of("reason", given("reason"), list(Reason)),
        client=given("client"),
        workflow=given("workflow"),
        incident=number_of(given("incident")),
        held=given("held"),
        text=given("text"),
        payload=worded(given("payload")),
        since=time_of("since", given("since")),
        until=time_of("until", given("until")),
        before=given("before"),
        refresh=seconds_of(given("refresh")),
    )
