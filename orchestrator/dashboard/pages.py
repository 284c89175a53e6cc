"""The tab's pages: all events, one event, and one incident."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from flower.views import BaseHandler
from tornado.routing import URLSpec
from tornado.web import StaticFileHandler, authenticated

from orchestrator.dashboard import words
from orchestrator.dashboard.filters import ANYTHING, PageFilters, read_filters, searchable
from orchestrator.dashboard.reader import StoreReader
from orchestrator.dashboard.tasks import tasks_of
from orchestrator.domain.delivery.blockers import told_blocker, told_calls, told_hold
from orchestrator.domain.documents.fields_of import fields_of
from orchestrator.domain.drift.finding import Finding
from orchestrator.domain.errors import MeshlineError, NotFound, Refused
from orchestrator.domain.lifecycle import State
from orchestrator.domain.reasons import Reason
from orchestrator.domain.workflows.runbook import runbook_address
from orchestrator.operations.check_filters import check_filters
from orchestrator.operations.find_repair import find_repair
from orchestrator.operations.judge_replay import with_next_steps
from orchestrator.presenting.audit_lines import details
from orchestrator.presenting.moments import moment
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.desk.recipes import SavedRecipe
from orchestrator.store.views import events as views
from orchestrator.store.views.dead_letters import OldestLetter
from orchestrator.store.views.destinations import blocked_circuits
from orchestrator.store.views.event_counts import count_states
from orchestrator.store.views.event_search import Wanted
from orchestrator.store.views.held_deliveries import count_held_events
from orchestrator.store.views.incident_page import IncidentView, show_incident
from orchestrator.store.views.incidents import (
    Sought,
    count_incidents,
    list_incidents,
)
from orchestrator.store.views.quarantine import EVERYTHING, QuarantineCount, count_reasons
from orchestrator.store.views.quarantined_messages import count_poison
from orchestrator.store.views.values import iso, iso_time, now_of

Found = TypeVar("Found")

PAGE_SIZE = 50
MOST_INCIDENTS = 20
_FOLDER = Path(__file__).parent
_ONLY_FROM_HERE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)


class StorePage(BaseHandler):  # type: ignore[misc] # Flower has no types
    """A page of Flower's kind that is made of what the store says."""

    by_link = False  # whether who sees it followed a signed link, and has no login

    def initialize(self, reader: StoreReader) -> None:
        """Take what the route was given."""
        self._reader = reader

    def set_default_headers(self) -> None:
        """Keep what the pages show out of caches, frames and other sites' scripts."""
        super().set_default_headers()
        self.set_header("Cache-Control", "no-store")
        self.set_header("Content-Security-Policy", _ONLY_FROM_HERE)
        self.set_header("Referrer-Policy", "same-origin")

    async def head(self, *named: str) -> None:
        """Answer HEAD as GET; the body stays here."""
        await self.get(*named)

    async def show(
        self, template: str, look: Callable[[Tx], dict[str, object]], *, what: str = "event"
    ) -> None:
        """Read the store and render; an error becomes a page too."""
        try:
            found = await self._reader.read(look)
        except NotFound as error:
            self.tell(404, f"There is no such {what}", error)
        except Refused as error:
            self.tell(400, "That cannot be listed", error)
        except MeshlineError as error:
            self.set_header("Retry-After", "5")
            self.tell(503, "The store cannot be read", error)
        else:
            self.page(template, **found)

    def tell(self, status: int, title: str, error: MeshlineError) -> None:
        """Answer with a page that says what is wrong."""
        self.set_status(status)
        self.page("problem.html", title=title, detail=str(error))

    def page(self, template: str, **values: Any) -> None:
        """Render one of our templates, with the words that all of them use."""
        self.render(
            template,
            moment=moment,
            distance=words.distance,
            told=details,
            told_command=words.told_command,
            told_step=words.told_step,
            or_nothing=words.or_nothing,
            told_blocker=told_blocker,
            told_calls=told_calls,
            is_letter=lambda one: isinstance(one, OldestLetter),
            runbook_address=runbook_address,
            told_hold=told_hold,
            at_held=lambda name: PageFilters(held=name).at(),
            by_link=self.by_link,
            **values,
        )


class EventsPage(StorePage):
    """What stands still and whose it is, how many events stand where, and the newest of them."""

    @authenticated
    async def get(self) -> None:
        """Answer GET /events."""
        try:
            # Flower would escape what it reads; here it is escaped where it is written.
            filters = read_filters(lambda name: self.get_argument(name, "", escape=False))
        except Refused as error:
            self.tell(400, "That cannot be listed", error)
            return
        if filters.refresh:
            self.set_header("Refresh", str(filters.refresh))
        await self.show("events.html", lambda tx: _overview(tx, filters))


class EventPage(StorePage):
    """One event: where it stands, its deliveries, and all that happened to it."""

    @authenticated
    async def get(self, event_id: str) -> None:
        """Answer GET /events/ID."""
        tasks = tasks_of(self.application.events, event_id)
        await self.show(
            "event.html", lambda tx: _one_event(tx, searchable(event_id)) | {"tasks": tasks}
        )


class IncidentPage(StorePage):
    """One incident: what changed, whose it is, and what was done about it."""

    @authenticated
    async def get(self, incident: str) -> None:
        """Answer GET /incidents/ID."""
        store, number = self._reader.open, int(incident)
        await self.show(
            "incident.html",
            lambda tx: fields_of(one_incident(tx, store(), number)),
            what="incident",
        )


def routes(reader: StoreReader) -> list[URLSpec]:
    """Where the tab's pages are; `events`, `event` and `incident` are their names."""
    given = {"reader": reader}
    return [
        URLSpec(r"/events", EventsPage, given, name="events"),
        URLSpec(
            r"/events/static/(.+)",
            StaticFileHandler,
            {"path": str(_FOLDER / "static")},
            name="events-static",
        ),
        URLSpec(r"/events/([^/]+)", EventPage, given, name="event"),
        URLSpec(r"/incidents/([0-9]{1,18})", IncidentPage, given, name="incident"),
    ]


def _overview(tx: Tx, filters: PageFilters) -> dict[str, object]:
    check_filters(tx, client=filters.client, workflow=filters.workflow)
    wanted = Wanted(
        client=filters.client,
        workflow=filters.workflow,
        state=filters.state,
        reason=filters.reason,
        text=filters.text,
        words=filters.words,
        incident=None if filters.incident is None else int(filters.incident),
        held=filters.held == ANYTHING,
        held_by=None if filters.held == ANYTHING else filters.held,
        before=filters.before,
        limit=PAGE_SIZE + 1,
    )
    found = views.list_events(tx, wanted)
    incidents = list_incidents(tx, Sought(), limit=MOST_INCIDENTS)
    return {
        "incidents": incidents,
        "more_incidents": count_incidents(tx, Sought()) - len(incidents),
        "filters": filters,
        "now": iso(now_of(tx)),
        "states": count_states(tx),
        "causes": [(cause, _query(cause)) for cause in count_reasons(tx)],
        "blocked": blocked_circuits(tx),
        "held": sum(count_held_events(tx).values()),
        "poison": count_poison(tx, EVERYTHING),
        "events": found[:PAGE_SIZE],
        "more": len(found) > PAGE_SIZE,
        "workflows": views.name_workflows(tx),
        "all_states": list(State),
        "all_reasons": list(Reason),
    }


def _query(cause: QuarantineCount) -> str:
    return PageFilters(
        state=State.QUARANTINED,
        reason=cause.reason,
        client=cause.client,
        workflow=cause.workflow,
    ).at()


def _one_event(tx: Tx, event_id: str) -> dict[str, object]:
    advised = with_next_steps(tx, views.show_event(tx, event_id))
    if advised is None:
        raise NotFound(f"the store has no event {event_id!r}")
    return {"event": advised.event, "advised": advised, "now": iso(now_of(tx))}


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownIncident:
    """What the page of an incident shows; its fields are the names that the template has."""

    incident: IncidentView
    findings: tuple[Finding, ...]  # of a diagnosis: what its sender changed
    saved: tuple[SavedRecipe, ...]  # recipes that would let the events that were tried pass
    fix: tuple[str, ...]  # commands that would mend it, in order
    repair: str | None  # how far it is mended, in one line; None where nobody amended anything
    now: str  # the store's time, ISO 8601 in UTC


def one_incident(tx: Tx, store: Store, number: int) -> ShownIncident:
    """What the page of an incident shows. Raises NotFound."""
    incident = show_incident(tx, number)
    if incident is None:
        raise NotFound(f"the store has no incident {number}")
    repair = find_repair(store, incident)
    return ShownIncident(
        incident=incident,
        findings=repair.findings,
        saved=repair.saved,
        fix=repair.fix,
        repair=repair.told(),
        now=iso_time(now_of(tx)),
    )
