"""Which quarantined events a request is about: its conditions, and the selection they make."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pydantic import Field

from orchestrator.api.desk.models import MOST_IDS, Body, Name, Number
from orchestrator.api.desk.routes import Asked
from orchestrator.domain.errors import Refused
from orchestrator.domain.reasons import Reason
from orchestrator.domain.text.given_times import EXAMPLES, given_time
from orchestrator.operations.check_filters import check_filters
from orchestrator.store.database.engine import Tx
from orchestrator.store.views.quarantine.selection import Selection
from orchestrator.store.views.values import now_of

EventId = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]


class Conditions(Body):
    """Which events; every condition that is given must hold."""

    ids: Annotated[tuple[EventId, ...], Field(max_length=MOST_IDS, strict=False)] = ()
    client: Name | None = None
    workflow: Name | None = None
    reason: Annotated[Reason | None, Field(strict=False)] = None
    since: Annotated[Name | None, Field(description=f"a time: {EXAMPLES}")] = None
    until: Annotated[Name | None, Field(description=f"a time: {EXAMPLES}")] = None
    incident: Number | None = None
    owner: Name | None = None
    amended: bool | None = None
    text: Annotated[Name | None, Field(description="words of the payload as it came")] = None


def selection_of(tx: Tx, asked: Asked, said: Conditions) -> Selection:
    """The selection, of events that the actor may see. Raises Refused, NotFound, Forbidden."""
    clients = asked.clients(tx)
    check_filters(
        tx,
        client=said.client,
        workflow=said.workflow,
        owner=said.owner,
        incident=said.incident,
        clients=clients,
    )
    now = now_of(tx)
    chosen = Selection(
        ids=tuple(dict.fromkeys(said.ids)),
        client=said.client,
        workflow=said.workflow,
        reason=None if said.reason is None else said.reason.value,
        since=moment_of(said.since, now, field="since"),
        until=moment_of(said.until, now, field="until"),
        incident=said.incident,
        owner=said.owner,
        amended=said.amended,
        clients=clients,
    )
    return replace(chosen, words=asked.words(tx, said.text, chosen))


def moment_of(text: str | None, now: int, *, field: str) -> int | None:
    """A time in milliseconds. Raises Refused."""
    if text is None:
        return None
    at = given_time(text, now)
    if at is None or not 0 <= at < 2**53:
        raise Refused(f"{text!r} is not a time", field=field, fix=f"write {EXAMPLES}")
    return at
