"""Which pages are asked for, and what each has to show, so that only whole ones are measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.desk.leads import CLIENT, WORKFLOW
from benchmarks.tabs.filling import RARE
from benchmarks.tabs.waiting import PAUSED, Things
from orchestrator.dashboard.pages.audit import MOST_IN_A_FILE


@dataclass(frozen=True, kw_only=True)
class Page:
    """One address, by the name of its route in orchestrator/dashboard/pages/routes.py."""

    route: str
    title: str  # in the table
    path: str
    shows: str  # text that is on it when it is whole
    of_one: bool = False  # asked for by a person who sees one client
    is_export: bool = False  # rows as CSV, judged by how many a second


NOT_MEASURED: Mapping[str, str] = {
    "log-in": "it reads nothing that grows with the events",
    "log-in-by-company": "it sends the browser to the company's login",
    "back-from-company": "it ends a login at the company's",
    "sign-out": "it reads nothing that grows with the events",
    "invite": "it reads one invitation",
    "events-static": "a file of ours",
}
"""The routes that answer a GET and are left out, and why."""

_WHOSE = f"client={CLIENT}&workflow={WORKFLOW}"


def pages(things: Things) -> list[Page]:
    """Every page of the desk, and its lists by the filters that cost most."""
    return [
        *_overview(),
        *_of_incidents(things),
        *_of_events(things),
        *_of_acts(things),
        *_rest(things),
    ]


def _overview() -> list[Page]:
    shows = ">Now</h1>"
    return [
        Page(route="now", title="Now", path="/now", shows=shows),
        Page(route="now", title="Now, of one client", path="/now", shows=shows, of_one=True),
        Page(route="revision", title="Now, whether it changed", path="/now/revision", shows="{"),
    ]


def _of_incidents(things: Things) -> list[Page]:
    listed = ">Incidents</h1>"
    rows = [
        ("incidents", "Incidents", "/incidents", listed),
        ("incidents", "Incidents, by client and workflow", f"/incidents?{_WHOSE}", listed),
        ("incident", "Incident", f"/incidents/{things.incident}", f"Incident {things.incident}: "),
    ]
    return _pages(rows)


def _of_events(things: Things) -> list[Page]:
    listed = ">Events</h1>"
    wanted = {
        "": "",
        ", quarantined": "state=quarantined",
        ", delivered": "state=delivered",
        ", accepted": "state=accepted",
        ", held": "state=held",
        ", by reason": "reason=contract_violation",
        ", by client and workflow": _WHOSE,
        ", by time": "since=7d&until=6d",
        ", by incident": f"incident={things.incident}",
        ", by a word of nearly all": "payload=customer_tier",
        ", by a word of few": f"payload={RARE}",
        ", by key": f"text={things.key}",
        ", by a key that is not there": "text=nothing-has-it",
        ", by the beginning of an id": f"text={things.delivered[:12]}",
    }
    listings = [
        ("events", f"Events{title}", f"/events?{query}", listed) for title, query in wanted.items()
    ]
    ones = [
        ("event", f"Event, {state}", f"/events/{one}", one)
        for state, one in (("quarantined", things.quarantined), ("delivered", things.delivered))
    ]
    of_one = Page(
        route="events", title="Events, of one client", path="/events", shows=listed, of_one=True
    )
    return [*_pages(listings), of_one, *_pages(ones)]


def _of_acts(things: Things) -> list[Page]:
    ended = f"/jobs/{things.ended_job}"
    rows = [
        ("jobs", "Jobs", "/jobs", ">Jobs</h1>"),
        ("job", "Job of a plan", f"/jobs/{things.job}", f"Job {things.job}: "),
        ("job", "Job of a discard", ended, f"Job {things.ended_job}: "),
        ("plan", "Plan", f"/plans/{things.plan}", things.plan),
    ]
    failed = Page(
        route="job-failed-file",
        title="Job, failed events as CSV",
        path=f"{ended}/failed.csv",
        shows=",",
        is_export=True,
    )
    return [*_pages(rows), failed]


def _rest(things: Things) -> list[Page]:
    rows = [
        ("destinations", "Destinations", "/destinations", ">Destinations</h1>"),
        ("destination", "Destination, paused", f"/destinations/{PAUSED}", "Destination "),
        ("workflows", "Workflows", "/workflows", ">Workflows</h1>"),
        ("workflow", "Workflow", f"/workflows/{CLIENT}/{WORKFLOW}", WORKFLOW),
        ("inventory", "Inventory", "/workflows/inventory", ">Inventory</h1>"),
        ("inventory-file", "Inventory as CSV", "/workflows/inventory.csv", WORKFLOW),
        ("inbox", "Inbox", "/inbox", ">Inbox</h1>"),
        ("changes", "Changes", "/changes", ">Changes</h1>"),
        ("changes", "Changes, by client and workflow", f"/changes?{_WHOSE}", ">Changes</h1>"),
        ("change", "Change", f"/changes/{things.change}", things.change),
        ("approvals", "Approvals", "/approvals", ">Approvals</h1>"),
        ("approval", "Approval", f"/approvals/{things.asked}", things.asked),
        ("dead-letters", "Dead letters", "/dead-letters", ">Dead letters</h1>"),
        ("dead-letter", "Dead letter", "/dead-letters/1", "Dead letter 1"),
        ("alerts", "Alerts", "/alerts", ">Alerts</h1>"),
        ("audit", "Audit", "/audit", ">Audit</h1>"),
        ("audit", "Audit, by action", "/audit?action=quarantine", ">Audit</h1>"),
        ("audit", "Audit, by a rare action", "/audit?action=pause", ">Audit</h1>"),
        ("audit", "Audit, by client and time", f"/audit?{_WHOSE}&since=3d", ">Audit</h1>"),
        ("audit", "Audit, by actor", "/audit?actor=key:bench", ">Audit</h1>"),
    ]
    file = Page(
        route="audit-file",
        title=f"Audit as CSV, {MOST_IN_A_FILE:,} rows",
        path="/audit.csv",
        shows="actor",
        is_export=True,
    )
    return [*_pages(rows), file]


def _pages(rows: list[tuple[str, str, str, str]]) -> list[Page]:
    return [
        Page(route=route, title=title, path=path, shows=shows) for route, title, path, shows in rows
    ]
