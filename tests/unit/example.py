"""The workflow that the unit tests change one thing in, and what connectors can do with it."""

from __future__ import annotations

import copy
from typing import Any

from orchestrator.domain.delivery.handoff import Action, Idempotency, Proof
from orchestrator.domain.workflows.catalog import Catalog
from orchestrator.domain.workflows.compiled import CompiledWorkflow, compile_workflow
from orchestrator.domain.workflows.workflow import Workflow

LEADS: dict[str, Any] = {
    "workflow": "lead-routing",
    "client": "acme",
    "title": "New leads reach the onboarding desk",
    "trigger": {"type": "lead.created"},
    "owners": {
        "owner": "support-ops@acme.example",
        "recovery_lead": "triage@acme.example",
        "approver": "head-of-support@acme.example",
        "backstop": "on-call@agency.example",
    },
    "contract": {
        "type": "object",
        "additionalProperties": False,
        "required": ["email", "tier"],
        "properties": {
            "email": {"type": "string", "format": "email"},
            "tier": {"enum": ["enterprise", "pro", "starter"]},
            "seats": {"type": "number"},
            "message": {"type": "string"},
        },
    },
    "facts": {
        "email": "data.email",
        "tier": "data.tier",
        "seats": {"value": "data.seats", "optional": True},
        "message": {"value": "data.message", "optional": True},
    },
    "routes": [
        {"when": 'tier == "enterprise"', "to": ["crm", "senior-desk"]},
        {"when": 'tier == "pro"', "to": ["crm"]},
    ],
    "destinations": {
        "crm": {
            "connector": "crm",
            "action": "upsert_contact",
            "send": {"email": "email", "tier": "tier", "note": "message"},
            "confirm": ["email", "tier", "note"],
        },
        "senior-desk": {
            "connector": "helpdesk",
            "action": "create_ticket",
            "send": {"title": '"Onboard " + email', "queue": '"senior"'},
            "confirm": ["title", "queue"],
        },
    },
    "sla": {"deliver_within": "15m", "recover_within": "72h"},
}

CATALOG: Catalog = {
    "crm": {
        "upsert_contact": Action(
            name="upsert_contact",
            idempotency=Idempotency.NATIVE_KEY,
            proof=Proof.READ_BACK,
            required=frozenset({"email"}),
            optional=frozenset({"tier", "note"}),
        )
    },
    "helpdesk": {
        "create_ticket": Action(
            name="create_ticket",
            idempotency=Idempotency.LOOKUP,
            proof=Proof.READ_BACK,
            required=frozenset({"title", "queue"}),
            readable=frozenset({"title", "queue"}),
        )
    },
    "mail": {
        "send": Action(
            name="send",
            idempotency=Idempotency.NONE,
            proof=Proof.RECEIPT,
            required=frozenset({"to"}),
            open_fields=True,
        )
    },
}


def changed(**parts: object) -> dict[str, Any]:
    """The definition with some of its parts put in place of its own."""
    return {**copy.deepcopy(LEADS), **parts}


def compiled(**parts: object) -> CompiledWorkflow:
    """The workflow with some parts changed, compiled."""
    return compile_workflow(Workflow.from_definition(changed(**parts)))


def routing_on(
    properties: dict[str, Any],
    facts: dict[str, Any],
    *whens: str,
    send: dict[str, str] | None = None,
    required: tuple[str, ...] = (),
) -> CompiledWorkflow:
    """A workflow over a contract of these properties, all but `maybe_…` required.

    Each rule leads to the one destination, which is sent `send`.
    """
    contract = {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if not name.startswith("maybe_")],
    }
    desk = {
        "connector": "helpdesk",
        "action": "create_ticket",
        "send": send or {"title": '"x"'},
        "confirm": list(send or ()),
        "required": list(required),
    }
    return compiled(
        contract=contract,
        facts=facts,
        routes=[{"when": when, "to": ["desk"]} for when in whens],
        destinations={"desk": desk},
    )
