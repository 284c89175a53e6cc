"""Zendesk Support as its documentation says: the ticket's key header, external ids, soft delete."""

from __future__ import annotations

from tests.vendors.cases import LINES, Case
from tests.vendors.stand_ins.server import (
    BASIC,
    TOKEN,
    USER,
    Asked,
    Handler,
    Json,
    Kept,
    Reply,
    StandIn,
    given,
)


class Zendesk(StandIn):
    """Tickets and users."""

    def forget(self) -> None:
        super().forget()
        self.answered: dict[str, tuple[bytes, Kept]] = {}  # by Idempotency-Key

    def routes(self) -> list[tuple[str, str, Handler]]:
        return [
            ("POST", "/api/v2/tickets", self.create_ticket),
            ("GET", "/api/v2/tickets", self.list_tickets),
            ("GET", "/api/v2/tickets/(?P<id>[^/]+)", self.show_ticket),
            ("DELETE", "/api/v2/tickets/(?P<id>[^/]+)", self.delete_ticket),
            ("POST", "/api/v2/users/create_or_update", self.create_or_update),
            ("GET", "/api/v2/users/(?P<id>[^/]+)", self.show_user),
        ]

    def signed_in(self, asked: Asked) -> bool:
        return asked.headers.get("Authorization") == BASIC

    def unauthorized(self) -> Reply:
        return Reply(status=401, body={"error": "Couldn't authenticate you"})

    def limited(self) -> Reply:
        body = {
            "error": "APIRateLimitExceeded",
            "description": "Number of allowed requests exceeded",
        }
        return Reply(status=429, body=body, headers={"Retry-After": "7"})

    def missing(self) -> Reply:
        return Reply(status=404, body={"error": "RecordNotFound", "description": "Not found"})

    def create_ticket(self, asked: Asked) -> Reply:
        key = asked.headers.get("Idempotency-Key", "")
        body, known = self.answered.get(key, (b"", None))
        if known is not None:
            if body != asked.body:
                return Reply(status=400, body={"error": "IdempotentRequestError"})
            return _ticket(201, known, {"x-idempotency-lookup": "hit"})
        ticket = asked.json["ticket"]
        if "comment" not in ticket:
            return Reply(status=422, body={"error": "RecordInvalid"})
        fields = given(
            external_id=ticket.get("external_id"),
            subject=ticket.get("subject"),
            description=ticket["comment"]["body"].strip().replace("\n", "\r\n"),
            priority=ticket.get("priority"),
            type=ticket.get("type") or None,
            group_id=ticket.get("group_id"),
            tags=sorted({tag.lower().replace(" ", "_") for tag in ticket.get("tags", [])}),
        )
        record = self.keep("ticket", fields)
        if key:
            self.answered[key] = asked.body, record
        return _ticket(201, record, {"x-idempotency-lookup": "miss"})

    def list_tickets(self, asked: Asked) -> Reply:
        found = self.of("ticket", external_id=asked.query["external_id"])
        tickets = [_told(one) for one in found if not one.fields.get("deleted")]
        return Reply(body={"tickets": tickets, "count": len(tickets), "next_page": None})

    def show_ticket(self, asked: Asked) -> Reply:
        record = self.found(asked, "ticket")
        if record is None or record.fields.get("deleted"):
            return self.missing()
        return _ticket(200, record, {})

    def delete_ticket(self, asked: Asked) -> Reply:
        record = self.found(asked, "ticket")
        if record is None or record.fields.get("deleted"):
            return self.missing()
        record.fields["deleted"] = True
        return Reply(status=204)

    def create_or_update(self, asked: Asked) -> Reply:
        sent = asked.json["user"]
        fields = given(
            email=sent["email"].lower(),
            name=sent.get("name"),
            phone=(sent.get("phone") or "").replace(" ", "") or None,
            external_id=sent.get("external_id"),
            notes=sent.get("notes") or None,
        )
        known = self.of("user", email=fields["email"])
        if known:
            known[0].fields.update(fields)
            return Reply(body={"user": _told(known[0])})
        return Reply(status=201, body={"user": _told(self.keep("user", fields))})

    def show_user(self, asked: Asked) -> Reply:
        record = self.found(asked, "user")
        return self.missing() if record is None else Reply(body={"user": _told(record)})


def _told(record: Kept) -> Json:
    return {"id": int(record.id), **record.fields}


def _ticket(status: int, record: Kept, headers: dict[str, str]) -> Reply:
    return Reply(status=status, body={"ticket": _told(record)}, headers=headers)


_ENVIRONMENT = {"MESHLINE_ZENDESK_URL": "URL", "MESHLINE_ZENDESK_USER": USER,
                "MESHLINE_ZENDESK_TOKEN": TOKEN}  # fmt: skip

CASES = (
    Case(
        connector="zendesk",
        action="create_ticket",
        stand_in=Zendesk,
        environment=_ENVIRONMENT,
        fields={"subject": "Onboard Ann", "body": "Please call.", "requester_email": "a@b.example",
                "priority": "high", "tags": ["vip", "onboarding"]},
        other={"subject": "Onboard Bob", "body": "Please write.", "requester_email": "b@b.example"},
        confirm=("subject", "body", "priority", "tags"),
        kind="ticket",
        spoiled="subject",
        rewritten={"body": LINES, "type": "", "tags": ["VIP", "Big customer", "vip"]},
    ),
    Case(
        connector="zendesk",
        action="upsert_user",
        stand_in=Zendesk,
        environment=_ENVIRONMENT,
        fields={"email": "Ann@b.example", "name": "Ann Lee", "phone": "+4930123"},
        other={"email": "bob@b.example", "name": "Bob Ray"},
        confirm=("email", "name", "phone"),
        kind="user",
        spoiled="name",
        rewritten={"notes": "", "phone": "+49 (30) 123"},
    ),
)  # fmt: skip
