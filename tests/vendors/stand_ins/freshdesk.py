"""Freshdesk as its documentation says: a search that lags behind, 409 for a second contact."""

from __future__ import annotations

import base64
import html
import re

from tests.vendors.cases import LINES, Case
from tests.vendors.stand_ins.server import TOKEN, Asked, Handler, Json, Kept, Reply, StandIn, given

_INDEXED_AFTER = 300.0
_BASIC = "Basic " + base64.b64encode(f"{TOKEN}:".encode()).decode()
_TICKET = {"subject", "description", "email", "name", "priority", "status", "type", "tags",
           "group_id", "custom_fields"}  # fmt: skip
_CONTACT = {"email", "name", "phone", "job_title"}


class Freshdesk(StandIn):
    """Tickets and contacts."""

    def routes(self) -> list[tuple[str, str, Handler]]:
        return [
            ("POST", "/api/v2/tickets", self.create_ticket),
            ("GET", "/api/v2/search/tickets", self.search),
            ("GET", "/api/v2/tickets/(?P<id>[^/]+)", self.show_ticket),
            ("DELETE", "/api/v2/tickets/(?P<id>[^/]+)", self.delete_ticket),
            ("POST", "/api/v2/contacts", self.create_contact),
            ("GET", "/api/v2/contacts", self.list_contacts),
            ("GET", "/api/v2/contacts/(?P<id>[^/]+)", self.show_contact),
        ]

    def signed_in(self, asked: Asked) -> bool:
        return asked.headers.get("Authorization") == _BASIC

    def unauthorized(self) -> Reply:
        message = "You have to be logged in to perform this action."
        return Reply(status=401, body={"code": "invalid_credentials", "message": message})

    def missing(self) -> Reply:
        return Reply(status=404)

    def create_ticket(self, asked: Asked) -> Reply:
        sent = asked.json
        if unknown := sent.keys() - _TICKET:
            return _wrong(400, min(unknown), "invalid_field")
        fields = {**sent, "description": _as_html(sent["description"]), "type": None,
                  "priority": sent.get("priority", 1), "status": sent.get("status", 2),
                  "tags": sent.get("tags", [])}  # fmt: skip
        return Reply(status=201, body=_ticket(self.keep("ticket", fields)))

    def search(self, asked: Asked) -> Reply:
        match = re.fullmatch(r"\"cf_meshline_key:'([^']+)'\"", asked.query["query"])
        assert match, asked.query
        known = [
            one
            for one in self.of("ticket", custom_fields={"cf_meshline_key": match[1]})
            if one.at + _INDEXED_AFTER <= self.now
        ]
        return Reply(body={"results": [_ticket(one) for one in known], "total": len(known)})

    def show_ticket(self, asked: Asked) -> Reply:
        record = self.found(asked, "ticket")
        if record is None:
            return self.missing()
        requester = {"requester": {"id": 1, "email": record.fields["email"].lower()}}
        return Reply(body=_ticket(record) | (requester if "include" in asked.query else {}))

    def delete_ticket(self, asked: Asked) -> Reply:
        return Reply(status=204) if self.kept.pop(asked.named["id"], None) else self.missing()

    def create_contact(self, asked: Asked) -> Reply:
        sent = asked.json
        if unknown := sent.keys() - _CONTACT:
            return _wrong(400, min(unknown), "invalid_field")
        fields = {
            **sent,
            "email": sent["email"].lower(),
            "job_title": sent.get("job_title") or None,
        }
        if self.of("contact", email=fields["email"]):
            return _wrong(409, "email", "duplicate_value")
        return Reply(status=201, body=_contact(self.keep("contact", fields)))

    def list_contacts(self, asked: Asked) -> Reply:
        known = self.of("contact", email=asked.query["email"].lower())
        return Reply(body=[_contact(one) for one in known])

    def show_contact(self, asked: Asked) -> Reply:
        record = self.found(asked, "contact")
        return self.missing() if record is None else Reply(body=_contact(record))


def _as_html(text: str) -> str:
    """How it keeps a description that came as plain text."""
    lines = "<br>".join(html.escape(text, quote=False).split("\n"))
    return f'<div style="font-family: sans-serif"><div dir="ltr">{lines}</div></div>'


def _ticket(record: Kept) -> Json:
    kept = {name: value for name, value in record.fields.items() if name not in ("email", "name")}
    return {"id": int(record.id), **kept}


def _contact(record: Kept) -> Json:
    return {"id": int(record.id), **given(**record.fields)}


def _wrong(status: int, field: str, code: str) -> Reply:
    error = {"field": field, "message": "It should be a unique value", "code": code}
    return Reply(status=status, body={"description": "Validation failed", "errors": [error]})


_ENVIRONMENT = {"MESHLINE_FRESHDESK_URL": "URL", "MESHLINE_FRESHDESK_KEY": TOKEN}

CASES = (
    Case(
        connector="freshdesk",
        action="create_ticket",
        stand_in=Freshdesk,
        environment=_ENVIRONMENT,
        fields={"subject": "Onboard Ann", "description": "Please call.", "email": "Ann@b.example",
                "priority": 2, "tags": ["vip"]},
        other={"subject": "Onboard Bob", "description": "Please write.", "email": "b@b.example"},
        confirm=("subject", "description", "email", "priority", "tags"),
        kind="ticket",
        spoiled="subject",
        rewritten={"description": LINES, "type": "", "tags": ["vip", "new"]},
    ),
    Case(
        connector="freshdesk",
        action="create_contact",
        stand_in=Freshdesk,
        environment=_ENVIRONMENT,
        fields={"email": "Ann@b.example", "name": "Ann Lee", "phone": "4930123"},
        other={"email": "bob@b.example", "name": "Bob Ray"},
        confirm=("email", "name", "phone"),
        kind="contact",
        spoiled="name",
        rewritten={"job_title": "", "phone": "+49 30 123"},
    ),
)  # fmt: skip
