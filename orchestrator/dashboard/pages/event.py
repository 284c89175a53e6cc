"""One event: its state, its deliveries, and all that happened to it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from tornado.web import authenticated

from orchestrator.dashboard.access.visitor import visitor_of
from orchestrator.dashboard.given import searchable
from orchestrator.dashboard.pages.frame import StorePage
from orchestrator.dashboard.tasks import tasks_of
from orchestrator.domain.acts import Act
from orchestrator.domain.documents.fields_of import fields_of
from orchestrator.domain.errors import NotFound
from orchestrator.operations.repair.amend_by_hand import LONGEST
from orchestrator.operations.replay.judge import AdvisedEvent, with_next_steps
from orchestrator.store.database.engine import Tx
from orchestrator.store.views.events.show import EventView, show_event
from orchestrator.store.views.values import iso, now_of


class EventPage(StorePage):
    """One event: its state, its deliveries, and all that happened to it."""

    @authenticated
    async def get(self, event_id: str) -> None:
        """Answer GET /events/ID."""
        visitor = visitor_of(self.request)
        may_open = visitor is not None and visitor.sees_everything
        tasks = tasks_of(self.application.events, event_id) if may_open else None
        await self.show(
            "event.html", lambda tx, seen: self._look(tx, event_id, seen) | {"tasks": tasks}
        )

    def _look(self, tx: Tx, event_id: str, clients: frozenset[str] | None) -> dict[str, object]:
        found = look_at_event(tx, searchable(event_id), clients)
        offered = self.offered(tx, found.event.client)
        editable = _editable(found.event) if {Act.AMEND, Act.SEE_PERSONAL_DATA} <= offered else None
        return fields_of(found) | {"offered": offered, "editable": editable}


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownEvent:
    """What the page of an event shows; its fields are the names that the template has."""

    event: EventView
    advised: AdvisedEvent
    now: str | None  # the store's time, ISO 8601 in UTC


def look_at_event(tx: Tx, event_id: str, clients: frozenset[str] | None = None) -> ShownEvent:
    """What the page shows. Raises NotFound."""
    advised = with_next_steps(tx, show_event(tx, event_id, with_payload=True, clients=clients))
    if advised is None:
        raise NotFound(f"the store has no event {event_id!r}")
    return ShownEvent(event=advised.event, advised=advised, now=iso(now_of(tx)))


def _editable(event: EventView) -> str | None:
    """The payload as a replay would take it, as text to edit; None where nobody may, or can."""
    content = event.content
    if event.quarantine is None or content is None:
        return None
    payload = content.payload if content.amended is None else content.amended
    text = json.dumps(payload, indent=2, ensure_ascii=False)
    return text if payload is not None and len(text) <= LONGEST else None
