"""The table of the door's addresses: what answers them, and /openapi.json, are made of it."""

from __future__ import annotations

from http import HTTPStatus

from orchestrator.api.desk import (
    destinations,
    events,
    hooks,
    incidents,
    jobs,
    plans,
    quarantine,
    workflows,
)
from orchestrator.api.desk.access import keys, people
from orchestrator.api.desk.approvals import events as asked_events
from orchestrator.api.desk.approvals import groups as asked_groups
from orchestrator.api.desk.governance import changes, freezes
from orchestrator.api.desk.routes import Route

_READY = {
    "type": "object",
    "required": ["ready", "store", "age_seconds"],
    "properties": {"ready": bool, "age_seconds": float},
    "additionalProperties": str,
}

OPEN = (
    Route(
        method="GET",
        path="/healthz",
        name="healthz",
        act=None,
        says="Whether the process answers.",
        answers=None,
        produces="text/plain",
    ),
    Route(
        method="GET",
        path="/readyz",
        name="readyz",
        act=None,
        says="Whether events are taken, and what else answers; 503 while they are not.",
        answers=_READY,
        also=HTTPStatus.SERVICE_UNAVAILABLE,
    ),
    Route(
        method="GET",
        path="/metrics",
        name="metrics",
        act=None,
        says="Figures for Prometheus.",
        answers=None,
        produces="text/plain",
    ),
    Route(
        method="GET",
        path="/openapi.json",
        name="openapi",
        act=None,
        says="This document.",
        answers={"type": "object"},
    ),
)
"""What everybody may ask, without a key."""

ROUTES: tuple[Route, ...] = (
    *events.ROUTES,  # the first: they are asked most
    *hooks.ROUTES,
    *OPEN,
    *incidents.ROUTES,
    *quarantine.ROUTES,
    *plans.ROUTES,
    *jobs.ROUTES,
    *destinations.ROUTES,
    *workflows.ROUTES,
    *changes.ROUTES,
    *asked_events.ROUTES,
    *asked_groups.ROUTES,
    *freezes.ROUTES,
    *people.ROUTES,
    *keys.ROUTES,
)
