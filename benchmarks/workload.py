"""The work that every system does: validate a 1 kB event, route it by two fields, dispatch it."""

from __future__ import annotations

CLIENT, TYPE = "bench", "order.changed"

_BODY = "A queue keeps what it was given until somebody has done it and said so. " * 9

CONTRACT = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "required": ["number", "reference", "kind", "amount", "currency", "customer", "body"],
    "properties": {
        "number": {"type": "integer", "minimum": 0},
        "reference": {"type": "string", "pattern": "^ord-[0-9]{9}$"},
        "kind": {"enum": ["created", "paid", "refunded", "cancelled"]},
        "amount": {"type": "number", "minimum": 0},
        "currency": {"enum": ["EUR", "USD", "BRL", "GBP"]},
        "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 20},
        "customer": {
            "type": "object",
            "required": ["id", "email", "country"],
            "properties": {
                "id": {"type": "string"},
                "email": {"type": "string", "minLength": 3},
                "country": {"type": "string", "minLength": 2, "maxLength": 2},
            },
        },
        "body": {"type": "string", "maxLength": 10000},
    },
}

WORKFLOW = f"""\
workflow: bench-orders
client: {CLIENT}
title: Orders of the benchmark
trigger: {{type: {TYPE}}}
owners:
  owner: ops@bench.example
  recovery_lead: lead@bench.example
  approver: head@bench.example
  backstop: on-call@bench.example
contract: {{file: contract.json}}
facts:
  reference: data.reference
  kind: data.kind
  amount: data.amount
  email: data.customer.email
routes:
  - {{when: 'kind == "refunded" || amount > 900.0', to: [risk]}}
  - {{when: 'kind in ["created", "paid", "cancelled"]', to: [orders]}}
destinations:
  risk: {{connector: fake, action: record,
    send: {{reference: reference, kind: kind, email: email}}, confirm: [reference, kind]}}
  orders: {{connector: fake, action: record,
    send: {{reference: reference, kind: kind, email: email}}, confirm: [reference, kind]}}
sla: {{deliver_within: 15m, recover_within: 72h}}
"""


def order(number: int) -> dict[str, object]:
    """The event of this number; about 1 kB of JSON."""
    return {
        "number": number,
        "reference": f"ord-{number:09d}",
        "kind": ("created", "paid", "refunded", "cancelled")[number % 4],
        "amount": (number * 37 % 100_000) / 100,
        "currency": ("EUR", "USD", "BRL", "GBP")[number % 4],
        "tags": ["alpha", "beta", f"tag-{number % 9}"],
        "customer": {
            "id": f"c-{number % 5000}",
            "email": f"customer-{number % 5000}@example.com",
            "country": ("DE", "US", "BR", "GB")[number % 4],
        },
        "body": _BODY,
    }


def route(event: dict[str, object]) -> str:
    """The same decision as the workflow's routes, as a plain Celery user would write it."""
    amount = event["amount"]
    assert isinstance(amount, float)
    return "risk" if event["kind"] == "refunded" or amount > 900 else "orders"
