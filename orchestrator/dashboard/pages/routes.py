"""Where our pages are. To add a page, add a row."""

from __future__ import annotations

from pathlib import Path

from tornado.routing import URLSpec
from tornado.web import RedirectHandler, StaticFileHandler

from orchestrator.dashboard.access.company_login_page import CompanyBackPage, CompanyLoginPage
from orchestrator.dashboard.access.invite_page import InvitePage
from orchestrator.dashboard.access.login_page import LoginPage
from orchestrator.dashboard.access.sign_out_page import SignOutPage
from orchestrator.dashboard.actions.routes import act_routes
from orchestrator.dashboard.kept import KeptByClients
from orchestrator.dashboard.pages.alerts import AlertsPage
from orchestrator.dashboard.pages.approvals.list import ApprovalsPage
from orchestrator.dashboard.pages.approvals.page import ApprovalPage
from orchestrator.dashboard.pages.audit import AuditFile, AuditPage
from orchestrator.dashboard.pages.changes.inbox import InboxPage
from orchestrator.dashboard.pages.changes.list import ChangesPage
from orchestrator.dashboard.pages.changes.page import ChangePage
from orchestrator.dashboard.pages.dead_letters import DeadLetterPage, DeadLettersPage
from orchestrator.dashboard.pages.destination import DestinationPage
from orchestrator.dashboard.pages.destinations import DestinationsPage
from orchestrator.dashboard.pages.event import EventPage
from orchestrator.dashboard.pages.events import EventsPage
from orchestrator.dashboard.pages.incident import IncidentPage
from orchestrator.dashboard.pages.incidents import IncidentsPage
from orchestrator.dashboard.pages.jobs import FailedEventsFile, JobPage, JobsPage
from orchestrator.dashboard.pages.now import NowPage
from orchestrator.dashboard.pages.plans.page import PlanPage
from orchestrator.dashboard.pages.revision import RevisionPage
from orchestrator.dashboard.pages.workflows.list import InventoryFile, InventoryPage, WorkflowsPage
from orchestrator.dashboard.pages.workflows.page import WorkflowPage
from orchestrator.dashboard.reader import StoreReader
from orchestrator.store.views.overview.traffic import count_traffic

_INCIDENT = r"/incidents/([0-9]{1,18})"
_STATIC = {"path": str(Path(__file__).parents[1] / "static")}


def routes(reader: StoreReader) -> list[URLSpec]:
    """Our pages; templates find their addresses by their names."""
    given: dict[str, object] = {"reader": reader}
    traffic = KeptByClients(reader, lambda tx, clients: count_traffic(tx, clients=clients))
    return [
        URLSpec(r"/", RedirectHandler, {"url": "/now", "permanent": False}),
        URLSpec(r"/now", NowPage, {"reader": reader, "traffic": traffic}, name="now"),
        URLSpec(r"/now/revision", RevisionPage, given, name="revision"),
        URLSpec(r"/incidents", IncidentsPage, given, name="incidents"),
        URLSpec(r"/login/?", LoginPage, given, name="log-in"),
        URLSpec(r"/login/company", CompanyLoginPage, given, name="log-in-by-company"),
        URLSpec(r"/login/company/back", CompanyBackPage, given, name="back-from-company"),
        URLSpec(r"/logout", SignOutPage, given, name="sign-out"),
        URLSpec(r"/invite/([A-Za-z0-9_-]{1,200})", InvitePage, given, name="invite"),
        URLSpec(r"/events", EventsPage, given, name="events"),
        URLSpec(r"/events/static/(.+)", StaticFileHandler, _STATIC, name="events-static"),
        URLSpec(r"/events/([^/]+)", EventPage, given, name="event"),
        URLSpec(_INCIDENT, IncidentPage, given, name="incident"),
        *act_routes(given),
        URLSpec(r"/jobs", JobsPage, given, name="jobs"),
        URLSpec(r"/jobs/([0-9]{1,18})", JobPage, given, name="job"),
        URLSpec(
            r"/jobs/([0-9]{1,18})/failed\.(csv|json)",
            FailedEventsFile,
            given,
            name="job-failed-file",
        ),
        URLSpec(r"/plans/([^/]+)", PlanPage, given, name="plan"),
        URLSpec(r"/destinations", DestinationsPage, given, name="destinations"),
        # A destination's name has slashes.
        URLSpec(r"/destinations/(.+)", DestinationPage, given, name="destination"),
        URLSpec(r"/workflows", WorkflowsPage, given, name="workflows"),
        URLSpec(r"/workflows/inventory", InventoryPage, given, name="inventory"),
        URLSpec(r"/workflows/inventory\.(csv|json)", InventoryFile, given, name="inventory-file"),
        URLSpec(r"/workflows/([^/]+)/([^/]+)", WorkflowPage, given, name="workflow"),
        *_of_changes(given),
        URLSpec(r"/dead-letters", DeadLettersPage, given, name="dead-letters"),
        URLSpec(r"/dead-letters/([0-9]{1,18})", DeadLetterPage, given, name="dead-letter"),
        URLSpec(r"/alerts", AlertsPage, given, name="alerts"),
        URLSpec(r"/audit", AuditPage, given, name="audit"),
        URLSpec(r"/audit\.(csv|json)", AuditFile, given, name="audit-file"),
    ]


def _of_changes(given: dict[str, object]) -> list[URLSpec]:
    return [
        URLSpec(r"/inbox", InboxPage, given, name="inbox"),
        URLSpec(r"/approvals", ApprovalsPage, given, name="approvals"),
        URLSpec(r"/approvals/([^/]+)", ApprovalPage, given, name="approval"),
        URLSpec(r"/changes", ChangesPage, given, name="changes"),
        URLSpec(r"/changes/([^/]+)", ChangePage, given, name="change"),
    ]
