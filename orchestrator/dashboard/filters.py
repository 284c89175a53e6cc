"""What a person asked the list of events for, read from the address and written back to it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from urllib.parse import urlencode

from orchestrator.domain.errors import Refused
from orchestrator.domain.lifecycle import State
from orchestrator.domain.reasons import Reason
from orchestrator.domain.text.words import sought_words

ANYTHING = "*"
"""As a filter: held by whatever it is."""

_LONGEST_PAUSE = 3600  # seconds


@dataclass(frozen=True, kw_only=True)
class PageFilters:
    """Every condition that is given must hold; the fields are the names in the address."""

    state: str | None = None
    reason: str | None = None
    client: str | None = None
    workflow: str | None = None
    incident: str | None = None  # its number: only what stands in quarantine for it
    held: str | None = None  # the name of what holds deliveries back; `*` is anything
    text: str | None = None  # an idempotency key, or the beginning of an id
    payload: str | None = None  # words of the payload, of what stands in quarantine
    before: str | None = None  # the last id of the page before
    refresh: int | None = None  # seconds until the page is asked for again

    @property
    def narrow(self) -> bool:
        """Whether they leave anything out."""
        said = (self.state, self.reason, self.client, self.workflow)
        return any((*said, self.incident, self.held, self.text, self.payload))

    @property
    def words(self) -> tuple[str, ...]:
        """The words that are looked for in payloads."""
        return () if self.payload is None else sought_words(self.payload)

    def at(self, **changed: str | None) -> str:
        """The query of the same list, changed: `filters.at(before=id)`."""
        given = asdict(replace(self, **changed))  # type: ignore[arg-type] # text fields only
        return urlencode({name: value for name, value in given.items() if value is not None})


def read_filters(argument: Callable[[str], str]) -> PageFilters:
    """The filters of a request; `argument` answers "" for what was not given.

    Raises Refused for a state or a reason that does not exist, for a payload without a word, and
    for a refresh out of range.
    """

    def given(name: str) -> str | None:
        return searchable(argument(name)).strip() or None

    return PageFilters(
        state=_one_of("state", given("state"), list(State)),
        reason=_one_of("reason", given("reason"), list(Reason)),
        client=given("client"),
        workflow=given("workflow"),
        incident=_number(given("incident")),
        held=given("held"),
        text=given("text"),
        payload=_worded(given("payload")),
        before=given("before"),
        refresh=_seconds(given("refresh")),
    )


def searchable(text: str) -> str:
    """A text that any store can be asked for: PostgreSQL refuses NUL, which is in none anyway."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _one_of(name: str, value: str | None, known: list[State] | list[Reason]) -> str | None:
    if value is not None and value not in known:
        raise Refused(f"there is no {name} {value!r}", field=name, fix=f"use {', '.join(known)}")
    return value


def _number(value: str | None) -> str | None:
    if value is not None and not re.fullmatch("[0-9]{1,18}", value):
        raise Refused(
            f"{value!r} is not an incident number", field="incident", fix="write one such as 7"
        )
    return value


def _worded(value: str | None) -> str | None:
    if value is not None:
        sought_words(value)  # refuses what has no word
    return value


def _seconds(value: str | None) -> int | None:
    if value is None:
        return None
    if not (value.isascii() and value.isdigit() and 1 <= int(value[:9]) <= _LONGEST_PAUSE):
        raise Refused(
            f"{value!r} is not a number of seconds",
            field="refresh",
            fix=f"write a whole number from 1 to {_LONGEST_PAUSE}",
        )
    return int(value)
