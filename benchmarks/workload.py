"""The work that every system does: validate a 1 kB event, route it by two fields, dispatch it."""

from __future__ import annotations

CLIENT, TYPE = "bench", "order.changed"
TOGETHER = 200
"""Events that are taken in by one commit, where a system can."""

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

FAKE, CREATE, CREATE_AND_CONFIRM = "fake.record", "records.create", "records.create_and_confirm"
"""What ours may hand an event to: connector and action."""

_WORKFLOW = """\
workflow: bench-orders
client: {client}
title: Orders of the benchmark
trigger: {{type: {type}}}
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
  risk: {{connector: {connector}, action: {action}, {proof}
    send: {{reference: reference, kind: kind, email: email}}}}
  orders: {{connector: {connector}, action: {action}, {proof}
    send: {{reference: reference, kind: kind, email: email}}}}
sla: {{deliver_within: 15m, recover_within: 72h}}
"""

_CONNECTOR = """\
connector: records
kind: http
title: The benchmark's destination
base_url: {url}
private_network: true
actions:
  create:
    idempotency: native_key
    proof: receipt
    required: [reference, kind, email]
    create:
      path: /records
      headers: {{Idempotency-Key: "{{key}}"}}
      json: "{{send}}"
      record_id: id
  create_and_confirm:
    idempotency: native_key
    proof: read_back
    required: [reference, kind, email]
    create:
      path: /records
      headers: {{Idempotency-Key: "{{key}}"}}
      json: "{{send}}"
      record_id: id
    read:
      path: /records/{{record_id}}
      fields: fields
"""


def workflow(target: str) -> str:
    """The workflow's file, with every event handed to one action."""
    connector, _, action = target.partition(".")
    proof = "" if target == CREATE else "confirm: [reference, kind],"
    return _WORKFLOW.format(
        client=CLIENT, type=TYPE, connector=connector, action=action, proof=proof
    )


def connector(url: str) -> str:
    """The definition of the connector to the benchmark's destination."""
    return _CONNECTOR.format(url=url)


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


def sent(event: dict[str, object]) -> dict[str, object]:
    """What the destination is sent, the same as the workflow's `send`."""
    customer = event["customer"]
    assert isinstance(customer, dict)
    return {
        "reference": event["reference"],
        "kind": event["kind"],
        "email": customer["email"],
    }
