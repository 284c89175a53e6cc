"""An incident as the store shows it, for tests of what is said about one."""

from __future__ import annotations

from typing import Any

from orchestrator.domain.incidents.advice import Step
from orchestrator.store.views.incidents.page import IncidentView


def incident_page(**more: Any) -> IncidentView:
    """The page of an open incident with one event; `more` are fields that differ."""
    said: dict[str, Any] = {
        "id": 7,
        "client": "acme",
        "workflow": "leads",
        "kind": "contract",
        "title": "the field `tier` is missing",
        "reason": "contract_violation",
        "stage": "validate",
        "destination": None,
        "state": "open",
        "owner": "support-ops@acme.example",
        "events": 1,
        "standing": 1,
        "under_way": 0,
        "held": 0,
        "opened_at": "2026-11-27T09:15:00+00:00",
        "last_at": "2026-11-27T09:15:00+00:00",
        "recover_by": "2026-11-30T09:15:00+00:00",
        "overdue": False,
        **dict.fromkeys(("stopped_at", "acknowledged_at", "acknowledged_by"), None),
        **dict.fromkeys(("acknowledged_until", "resolved_at", "resolved_by", "outcome"), None),
        "reopened": 0,
        "step": 0,
        "breached_at": None,
        "oldest": (),
        "success_rate": None,
        "moved_to": (),
        "moved_from": (),
        "runbook": None,
        "zone": None,
        "blocked_by": (),
        "advice": (Step(do="See what the sender changed", command="meshline quarantine list"),),
        "history": (),
    }
    return IncidentView(**said | more)
