"""The workflow of the model, in two forms that take turns; a lead's kind says where it goes."""

from __future__ import annotations

import functools

from orchestrator.domain.documents import strict_json
from orchestrator.domain.event import Trigger
from orchestrator.domain.workflows.file import parse_workflow
from orchestrator.domain.workflows.workflow import Workflow
from tests.model.destination import ACTIONS

_TEXT = """\
workflow: leads
client: acme
title: {title}
trigger: {{type: lead.created}}
owners:
  owner: support-ops@acme.example
  recovery_lead: triage@acme.example
  approver: head-of-support@acme.example
  backstop: on-call@agency.example
contract:
  type: object
  additionalProperties: false
  required: [email, kind]
  properties:
    email: {{type: string}}
    kind: {{type: string}}
facts: {{email: data.email, kind: data.kind}}
routes:
{routes}
destinations:
  found: {{connector: tool, action: found, send: {{email: email}}, confirm: [email]}}
  folded: {{connector: tool, action: folded, send: {{email: email}}, confirm: [email]}}
  told: {{connector: tool, action: told, send: {{email: email}}}}
  noted: {{connector: tool, action: noted, send: {{email: email, kind: kind}}, confirm: [email]}}
retries: {{limit: 2, first: 1s, factor: 2, ceiling: 1m}}
sla: {{deliver_within: 15m, recover_within: 72h}}
"""

_ROUTES = (
    {"found": "found", "folded": "folded", "told": "told", "noted": "noted", "both": "found, told"},
    {
        "found": "found",
        "folded": "folded, noted",
        "told": "found",
        "noted": "noted",
        "both": "told, folded",
        "nowhere": "found",
    },
)

KINDS = ("found", "both", "told", "folded", "noted", "nowhere", "broken")
"""`nowhere` has no route in the first form; `broken` breaks the contract."""


@functools.cache
def workflow(version: int) -> Workflow:
    """The form of a version: odd ones are alike, and even ones."""
    routes = "\n".join(
        f"  - {{when: 'kind == \"{kind}\"', to: [{to}]}}"
        for kind, to in _ROUTES[(version - 1) % 2].items()
    )
    text = _TEXT.format(title=f"Form {(version - 1) % 2}", routes=routes)
    return parse_workflow(text, name="leads.yaml", folder=None, catalog={"tool": ACTIONS})


def lead(number: int, kind: str) -> Trigger:
    """The trigger of a lead; its number is its key."""
    payload: dict[str, object] = {"email": f"lead-{number}@example.com"}
    payload["colour" if kind == "broken" else "kind"] = "blue" if kind == "broken" else kind
    return Trigger(
        client="acme",
        type="lead.created",
        payload=strict_json.dumps(payload),
        digest=strict_json.digest(payload),
        idempotency_key=f"lead-{number}",
    )
