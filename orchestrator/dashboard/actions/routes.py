"""Where acts are done. To add one, add a row."""

from __future__ import annotations

from collections.abc import Mapping

from tornado.routing import URLSpec

from orchestrator.dashboard.actions.alerts import RetryAlertsPage, TestAlertPage
from orchestrator.dashboard.actions.approvals import ApproveEventPage, RefuseEventPage
from orchestrator.dashboard.actions.changes import (
    ApproveChangePage,
    BacktestChangePage,
    RejectChangePage,
    RequestChangesPage,
    StopRolloutPage,
    WaiveGatePage,
    WithdrawChangePage,
)
from orchestrator.dashboard.actions.chosen_events import (
    DiscardChosenPage,
    ReplayChosenPage,
    RestoreChosenPage,
)
from orchestrator.dashboard.actions.dead_letters import DropPage, RequeuePage
from orchestrator.dashboard.actions.destinations import PausePage, ResumePage
from orchestrator.dashboard.actions.event import AmendEventPage, DiscardEventPage, RestoreEventPage
from orchestrator.dashboard.actions.incidents import (
    AcknowledgePage,
    AssignPage,
    NotePage,
    ResolvePage,
)
from orchestrator.dashboard.actions.jobs import ResumeJobPage, StopJobPage
from orchestrator.dashboard.actions.repair import (
    ApplyRecipePage,
    PlanReplayPage,
    PreviewRecipePage,
    RunPlanPage,
)

_INCIDENT = r"/incidents/([0-9]{1,18})"
_RECIPE = rf"{_INCIDENT}/recipe"
_PLAN = r"/plans/([^/]+)"
_JOB = r"/jobs/([0-9]{1,18})"
_EVENT = r"/events/([^/]+)"
_CHANGE = r"/changes/([^/]+)"
_APPROVAL = r"/approvals/([^/]+)"
_LETTER = r"/dead-letters/([0-9]{1,18})"


def act_routes(given: Mapping[str, object]) -> list[URLSpec]:
    """Acts by the names that templates use."""
    args = dict(given)
    return [
        URLSpec(rf"{_INCIDENT}/acknowledge", AcknowledgePage, args, name="incident-acknowledge"),
        URLSpec(rf"{_INCIDENT}/assign", AssignPage, args, name="incident-assign"),
        URLSpec(rf"{_INCIDENT}/resolve", ResolvePage, args, name="incident-resolve"),
        URLSpec(rf"{_INCIDENT}/note", NotePage, args, name="incident-note"),
        URLSpec(rf"{_RECIPE}/preview", PreviewRecipePage, args, name="incident-recipe-preview"),
        URLSpec(rf"{_RECIPE}/apply", ApplyRecipePage, args, name="incident-recipe-apply"),
        URLSpec(rf"{_INCIDENT}/plan", PlanReplayPage, args, name="incident-plan"),
        URLSpec(rf"{_PLAN}/run", RunPlanPage, args, name="plan-run"),
        URLSpec(rf"{_JOB}/stop", StopJobPage, args, name="job-stop"),
        URLSpec(rf"{_JOB}/resume", ResumeJobPage, args, name="job-resume"),
        URLSpec(rf"{_EVENT}/discard", DiscardEventPage, args, name="event-discard"),
        URLSpec(rf"{_EVENT}/restore", RestoreEventPage, args, name="event-restore"),
        URLSpec(rf"{_EVENT}/amend", AmendEventPage, args, name="event-amend"),
        URLSpec(r"/acts/events/discard", DiscardChosenPage, args, name="events-discard"),
        URLSpec(r"/acts/events/restore", RestoreChosenPage, args, name="events-restore"),
        URLSpec(r"/acts/events/replay", ReplayChosenPage, args, name="events-replay"),
        URLSpec(r"/acts/pause/(.+)", PausePage, args, name="destination-pause"),
        URLSpec(r"/acts/resume/(.+)", ResumePage, args, name="destination-resume"),
        URLSpec(rf"{_CHANGE}/approve", ApproveChangePage, args, name="change-approve"),
        URLSpec(rf"{_CHANGE}/request", RequestChangesPage, args, name="change-request"),
        URLSpec(rf"{_CHANGE}/reject", RejectChangePage, args, name="change-reject"),
        URLSpec(rf"{_CHANGE}/waive", WaiveGatePage, args, name="change-waive"),
        URLSpec(rf"{_CHANGE}/backtest", BacktestChangePage, args, name="change-backtest"),
        URLSpec(rf"{_CHANGE}/stop", StopRolloutPage, args, name="change-stop"),
        URLSpec(rf"{_CHANGE}/withdraw", WithdrawChangePage, args, name="change-withdraw"),
        URLSpec(rf"{_APPROVAL}/approve", ApproveEventPage, args, name="approval-approve"),
        URLSpec(rf"{_APPROVAL}/refuse", RefuseEventPage, args, name="approval-refuse"),
        URLSpec(rf"{_LETTER}/requeue", RequeuePage, args, name="dead-letter-requeue"),
        URLSpec(rf"{_LETTER}/drop", DropPage, args, name="dead-letter-drop"),
        URLSpec(r"/alerts/retry", RetryAlertsPage, args, name="alerts-retry"),
        URLSpec(r"/alerts/test", TestAlertPage, args, name="alerts-test"),
    ]
