"""Which incidents a person asked for, read from the address and written back to it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from orchestrator.dashboard.given import one_of, query_of, values_of, worded
from orchestrator.domain.errors import Refused
from orchestrator.domain.incidents.incident import INCIDENT_REASONS, IncidentKind, IncidentState
from orchestrator.domain.text.words import sought_words
from orchestrator.store.views.incidents.list import Cursor, IncidentRow, Sought


@dataclass(frozen=True, kw_only=True)
class IncidentFilters:
    """Which incidents; every condition that is given must hold.

    The fields are the names in the address.
    """

    state: str | None = None  # as `IncidentState`; None: those that are not resolved
    overdue: str | None = None  # `yes`: only those whose deadline has passed
    mine: str | None = None  # `yes`: those of whoever asks that they did not acknowledge
    kind: str | None = None  # on whose side the cause is, as `IncidentKind`
    reason: str | None = None  # a code
    owner: str | None = None  # an e-mail address
    client: str | None = None
    workflow: str | None = None
    payload: str | None = None  # words of the payload of one of its events in quarantine
    after: str | None = None  # the last incident of the page before, as `cursor_of` writes it

    @property
    def narrow(self) -> bool:
        """Whether they leave anything out."""
        return replace(self, after=None) != IncidentFilters()

    def at(self, **changed: str | None) -> str:
        """The query of the same list, changed."""
        return query_of(replace(self, **changed))

    @property
    def sought(self) -> Sought:
        """What to ask the store for."""
        return Sought(
            client=self.client,
            workflow=self.workflow,
            reason=self.reason,
            kind=self.kind,
            owner=self.owner,
            state=self.state,
            overdue=self.overdue is not None,
            words=() if self.payload is None else sought_words(self.payload),
        )

    @property
    def cursor(self) -> Cursor | None:
        """Behind which incident the page begins."""
        if self.after is None:
            return None
        over, deadline, number = self.after.split("-")
        return int(over), int(deadline), int(number)


def read_incident_filters(argument: Callable[[str], str]) -> IncidentFilters:
    """The filters of a request for incidents. Raises Refused."""
    given = values_of(argument)
    return IncidentFilters(
        state=one_of("state", given("state"), list(IncidentState)),
        overdue=one_of("overdue", given("overdue"), ["yes"]),
        mine=one_of("mine", given("mine"), ["yes"]),
        kind=one_of("kind", given("kind"), list(IncidentKind)),
        reason=one_of("reason", given("reason"), INCIDENT_REASONS),
        owner=given("owner"),
        client=given("client"),
        workflow=given("workflow"),
        payload=worded(given("payload")),
        after=_cursor(given("after")),
    )


def cursor_of(incident: IncidentRow) -> str:
    """The place of an incident in its list, as an address has it."""
    deadline = datetime.fromisoformat(incident.recover_by)
    milliseconds = (deadline - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)
    return f"{int(incident.state == IncidentState.RESOLVED)}-{milliseconds}-{incident.id}"


def _cursor(value: str | None) -> str | None:
    if value is not None and not re.fullmatch("[01]-[0-9]{1,18}-[0-9]{1,18}", value):
        raise Refused(f"{value!r} is not a place in a list", field="after", fix="use the link Next")
    return value
