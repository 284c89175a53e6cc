"""Intercom: one contact for an external id, and 409 for a second; tickets; conversations."""

from __future__ import annotations

import html
import itertools
import re
from collections.abc import Iterator

from tests.vendors.cases import LINES, Case
from tests.vendors.stand_ins.server import TOKEN, Asked, Handler, Json, Kept, Reply, StandIn, given

_MOMENT = 1_700_000_000


class Intercom(StandIn):
    """One workspace."""

    def ids(self) -> Iterator[str]:
        return (f"5ba682d23d7cf92b{number:08d}" for number in itertools.count(1))

    def routes(self) -> list[tuple[str, str, Handler]]:
        return [
            ("POST", "/contacts", self.create_contact),
            ("GET", "/contacts/find_by_external_id/(?P<external_id>[^/]+)", self.find_contact),
            ("POST", "/contacts/search", self.search_contacts),
            ("GET", "/contacts/(?P<id>[^/]+)", self.show_contact),
            ("PUT", "/contacts/(?P<id>[^/]+)", self.update_contact),
            ("POST", "/tickets", self.create_ticket),
            ("GET", "/tickets/(?P<id>[^/]+)", self.show_ticket),
            ("PUT", "/tickets/(?P<id>[^/]+)", self.update_ticket),
            ("DELETE", "/tickets/(?P<id>[^/]+)", self.delete_ticket),
            ("POST", "/conversations", self.create_conversation),
            ("GET", "/conversations/(?P<id>[^/]+)", self.show_conversation),
        ]

    def unauthorized(self) -> Reply:
        return refused(401, "unauthorized", "Access Token Invalid")

    def limited(self) -> Reply:
        return refused(429, "rate_limit_exceeded", "Exceeded rate limit")

    def missing(self) -> Reply:
        return refused(404, "not_found", "Resource Not Found")

    def create_contact(self, asked: Asked) -> Reply:
        fields = self.contact_of(asked.json)
        known = self.of("contact", external_id=fields.get("external_id"))
        if known:
            text = f"A contact matching those details already exists with id={known[0].id}"
            return refused(409, "conflict", text)
        return Reply(body=self.contact(self.keep("contact", fields)))

    def find_contact(self, asked: Asked) -> Reply:
        known = self.of("contact", external_id=asked.named["external_id"])
        return Reply(body=self.contact(known[0])) if known else self.missing()

    def search_contacts(self, asked: Asked) -> Reply:
        query = asked.json["query"]
        known = self.of("contact", **{query["field"]: query["value"]})
        return Reply(body={"type": "list", "data": [self.contact(one) for one in known],
                           "total_count": len(known), "pages": {"type": "pages"}})  # fmt: skip

    def show_contact(self, asked: Asked) -> Reply:
        record = self.found(asked, "contact")
        return self.missing() if record is None else Reply(body=self.contact(record))

    def update_contact(self, asked: Asked) -> Reply:
        record = self.found(asked, "contact")
        if record is None:
            return self.missing()
        changed = self.contact_of(asked.json)
        self.spoil(changed)
        record.fields.update(changed)
        return Reply(body=self.contact(record))

    def create_ticket(self, asked: Asked) -> Reply:
        sent = asked.json
        external_id = sent["contacts"][0]["external_id"]
        attributes = dict(sent.get("ticket_attributes", {}))
        if "_default_description_" in attributes:
            attributes["_default_description_"] = _as_html(attributes["_default_description_"])
        fields = {"contact": external_id, "attributes": attributes, "assignee": None}
        return Reply(body=self.ticket(self.keep("ticket", fields)))

    def show_ticket(self, asked: Asked) -> Reply:
        record = self.found(asked, "ticket")
        return self.missing() if record is None else Reply(body=self.ticket(record))

    def update_ticket(self, asked: Asked) -> Reply:
        record = self.found(asked, "ticket")
        if record is None:
            return self.missing()
        changed = given(assignee=self.assignee_of(asked.json))
        self.spoil(changed)
        record.fields.update(changed)
        return Reply(body=self.ticket(record))

    def delete_ticket(self, asked: Asked) -> Reply:
        gone = self.kept.pop(asked.named["id"], None)
        if gone is None:
            return self.missing()
        return Reply(body={"id": gone.id, "object": "ticket", "deleted": True})

    def create_conversation(self, asked: Asked) -> Reply:
        sent = asked.json
        fields = {"contact": sent["from"]["id"], "body": sent["body"]}
        number = str(215_468_000 + len(self.kept))  # its ids are numbers, unlike a contact's
        record = self.keep("conversation", fields, number)
        return Reply(body={"type": "user_message", "id": f"9{record.id}", "created_at": _MOMENT,
                           "body": sent["body"], "message_type": "inapp",
                           "conversation_id": record.id})  # fmt: skip

    def show_conversation(self, asked: Asked) -> Reply:
        record = self.found(asked, "conversation")
        return self.missing() if record is None else Reply(body=conversation(record))

    # How the versions differ; `documented.py` says it for the old ones.

    def contact_of(self, sent: Json) -> Json:
        fields = given(**{name: sent.get(name) or None for name in _CONTACT})
        if "phone" in fields:
            fields["phone"] = fields["phone"].replace(" ", "")
        return fields | ({"email": fields["email"].lower()} if "email" in fields else {})

    def assignee_of(self, sent: Json) -> str | None:
        return sent.get("assignee_id")

    def contact(self, record: Kept) -> Json:
        return {"type": "contact", "id": record.id, **record.fields}

    def ticket(self, record: Kept) -> Json:
        contact = {"type": "contact", "id": "c1", "external_id": record.fields["contact"]}
        return {
            "type": "ticket",
            "id": record.id,
            "ticket_attributes": record.fields["attributes"],
            "ticket_type": {"type": "ticket_type", "id": "7"},
            "contacts": {"type": "contact.list", "contacts": [contact]},
            **given(admin_assignee_id=record.fields["assignee"]),
        }


_CONTACT = ("external_id", "email", "name", "phone", "role")


def _as_html(text: str) -> str:
    """How it keeps what came as plain text: a paragraph for each, links that can be clicked."""
    kept = re.sub(
        r"https?://[^\s&]+", r'<a href="\g<0>" rel="nofollow">\g<0></a>', html.escape(text)
    )
    return "\n".join(f"<p>{part}</p>".replace("\n", "<br>") for part in kept.split("\n\n"))


def refused(status: int, code: str, message: str) -> Reply:
    """Its error list."""
    error = {"code": code, "message": message}
    return Reply(status=status, body={"type": "error.list", "request_id": None, "errors": [error]})


def conversation(record: Kept) -> Json:
    """A conversation with its first message."""
    person = {"type": "contact", "id": record.fields["contact"]}
    return {
        "type": "conversation",
        "id": record.id,
        "source": {"type": "conversation", "body": _as_html(record.fields["body"])},
        "contacts": {"type": "contact.list", "contacts": [person]},
    }


def with_contact(stand_in: StandIn) -> None:
    """The contact u-1 is there."""
    stand_in.keep("contact", {"external_id": "u-1", "email": "old@b.example", "name": "A. Lee"})
    stand_in.keep("contact", {"external_id": "u-2", "email": "bob@b.example", "name": "Bob"})


def with_tickets(stand_in: StandIn) -> None:
    """Two tickets are there."""
    for _ in range(2):
        stand_in.keep("ticket", {"contact": "u-1", "attributes": {}, "assignee": None})


TICKETS = ("5ba682d23d7cf92b00000001", "5ba682d23d7cf92b00000002")
_ENVIRONMENT = {"MESHLINE_INTERCOM_TOKEN": TOKEN}

CASES = (
    Case(
        connector="intercom",
        action="create_contact",
        stand_in=Intercom,
        environment=_ENVIRONMENT,
        fields={"external_id": "u-1", "email": "Ann@b.example", "name": "Ann Lee"},
        other={"external_id": "u-2", "email": "bob@b.example", "name": "Bob"},
        confirm=("external_id", "email", "name"),
        rewritten={"name": "", "phone": "+49 30 123"},
        kind="contact",
        spoiled="name",
    ),
    Case(
        connector="intercom",
        action="update_contact",
        stand_in=Intercom,
        environment=_ENVIRONMENT,
        prepare=with_contact,
        fields={"external_id": "u-1", "email": "ann@b.example", "name": "Ann Lee"},
        other={"external_id": "u-2", "name": "Bob Ray"},
        confirm=("email", "name"),
        kind="contact",
        spoiled="name",
        changes=True,
    ),
    Case(
        connector="intercom",
        action="create_ticket",
        stand_in=Intercom,
        environment=_ENVIRONMENT,
        fields={"ticket_type_id": "7", "contact_external_id": "u-1", "title": "Onboard Ann",
                "description": "Please call."},
        other={"ticket_type_id": "7", "contact_external_id": "u-2", "title": "Onboard Bob"},
        confirm=("ticket_type_id", "contact_external_id", "title", "description"),
        rewritten={"description": LINES},
        kind="ticket",
        spoiled="contact",
    ),
    Case(
        connector="intercom",
        action="assign_ticket",
        stand_in=Intercom,
        environment=_ENVIRONMENT,
        prepare=with_tickets,
        fields={"ticket_id": TICKETS[0], "admin_id": 11, "assignee_id": "12"},
        other={"ticket_id": TICKETS[1], "admin_id": 11, "assignee_id": "13"},
        confirm=("ticket_id", "assignee_id"),
        kind="ticket",
        spoiled="assignee",
        changes=True,
    ),
    Case(
        connector="intercom",
        action="create_conversation",
        stand_in=Intercom,
        environment=_ENVIRONMENT,
        fields={"contact_id": "5ba682d23d7cf92b00000901", "body": "Hello, Ann here."},
        other={"contact_id": "5ba682d23d7cf92b00000902", "body": "Hello, Bob here."},
        confirm=("contact_id", "body"),
        rewritten={"body": LINES},
        kind="conversation",
        spoiled="body",
    ),
)  # fmt: skip
