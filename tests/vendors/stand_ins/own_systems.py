"""django-helpdesk, Matrix and Request Tracker, as far as their definitions ask them.

`tests/systems` runs these definitions against the systems themselves; these are for the proxy.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

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
)


class Helpdesk(StandIn):
    """django-helpdesk's tickets; one that it does not know the field of is dropped silently."""

    def routes(self) -> list[tuple[str, str, Handler]]:
        one = "/api/tickets/(?P<id>[0-9]+)/"
        return [
            ("POST", "/api/tickets/", self.create),
            ("GET", "/api/tickets/", self.list),
            ("GET", one, self.show),
            ("DELETE", one, self.delete),
        ]

    def signed_in(self, asked: Asked) -> bool:
        return asked.headers.get("Authorization") == BASIC

    def create(self, asked: Asked) -> Reply:
        sent = asked.json
        if "due_date" in sent:
            sent["due_date"] = _in_utc(sent["due_date"])
        return Reply(status=201, body=_with_id(self.keep("ticket", sent)))

    def list(self, asked: Asked) -> Reply:
        tickets = [_with_id(one) for one in self.of("ticket")]
        return Reply(body={"count": len(tickets), "next": None, "results": tickets})

    def show(self, asked: Asked) -> Reply:
        record = self.found(asked, "ticket")
        return self.missing() if record is None else Reply(body=_with_id(record))

    def delete(self, asked: Asked) -> Reply:
        return Reply(status=204) if self.kept.pop(asked.named["id"], None) else self.missing()


def _in_utc(moment: str) -> str:
    """A moment as it keeps one."""
    return datetime.fromisoformat(moment).astimezone(UTC).isoformat().replace("+00:00", "Z")


class Matrix(StandIn):
    """A homeserver; a message of one transaction id is one message."""

    def routes(self) -> list[tuple[str, str, Handler]]:
        room = "/_matrix/client/v3/rooms/(?P<room>[^/]+)"
        return [
            ("PUT", f"{room}/send/m.room.message/(?P<key>[^/]+)", self.send),
            ("GET", f"{room}/event/(?P<id>[^/]+)", self.show),
            ("PUT", f"{room}/redact/(?P<id>[^/]+)/(?P<key>[^/]+)", self.redact),
        ]

    def unauthorized(self) -> Reply:
        return Reply(status=401, body={"errcode": "M_UNKNOWN_TOKEN"})

    def limited(self) -> Reply:
        return Reply(status=429, body={"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 7000})

    def send(self, asked: Asked) -> Reply:
        known = self.of("message", key=asked.named["key"])
        fields = {"room": asked.named["room"], "key": asked.named["key"], **asked.json}
        record = known[0] if known else self.keep("message", fields)
        return Reply(body={"event_id": record.id})

    def show(self, asked: Asked) -> Reply:
        record = self.found(asked, "message")
        if record is None:
            return self.missing()
        content = {} if record.fields.get("deleted") else {"body": record.fields["body"]}
        return Reply(body={"room_id": record.fields["room"], "content": content})

    def redact(self, asked: Asked) -> Reply:
        record = self.found(asked, "message")
        if record is None:
            return self.missing()
        record.fields["deleted"] = True
        return Reply(body={"event_id": f"{record.id}-redacted"})


class RequestTracker(StandIn):
    """Request Tracker's tickets, searched by their link."""

    def routes(self) -> list[tuple[str, str, Handler]]:
        return [
            ("POST", "/REST/2.0/ticket", self.create),
            ("GET", "/REST/2.0/tickets", self.search),
            ("DELETE", "/REST/2.0/ticket/(?P<id>[0-9]+)", self.delete),
        ]

    def signed_in(self, asked: Asked) -> bool:
        return asked.headers.get("Authorization") == f"token {TOKEN}"

    def create(self, asked: Asked) -> Reply:
        record = self.keep("ticket", asked.json)
        return Reply(status=201, body={"type": "ticket", "id": record.id})

    def search(self, asked: Asked) -> Reply:
        terms = dict(re.findall(r"(\w+) = '?([^' ]+)", asked.query["query"]))
        items = [
            {
                "id": one.id,
                "Subject": one.fields["Subject"],
                "Queue": {"Name": one.fields["Queue"]},
                "Requestor": [{"id": one.fields.get("Requestor")}],
            }
            for one in self.of("ticket", RefersTo=terms["RefersTo"])
            if terms.get("id", one.id) == one.id
        ]
        return Reply(body={"total": len(items), "items": items})

    def delete(self, asked: Asked) -> Reply:
        return Reply(status=204) if self.kept.pop(asked.named["id"], None) else self.missing()


def _with_id(record: Kept) -> Json:
    return {"id": int(record.id), **record.fields}


_MATRIX = {"MESHLINE_MATRIX_URL": "URL", "MESHLINE_MATRIX_TOKEN": TOKEN}

CASES = (
    Case(
        connector="django-helpdesk",
        action="create_ticket",
        stand_in=Helpdesk,
        environment={
            "MESHLINE_HELPDESK_URL": "URL",
            "MESHLINE_HELPDESK_USER": USER,
            "MESHLINE_HELPDESK_PASSWORD": TOKEN,
        },
        fields={"queue": 1, "title": "Onboard Ann", "description": "Call.", "priority": 2},
        other={"queue": 1, "title": "Onboard Bob", "description": "Write.", "priority": 3},
        confirm=("queue", "title", "description", "priority"),
        kind="ticket",
        spoiled="title",
        rewritten={"description": LINES, "due_date": "2026-03-01T10:00:00+01:00"},
    ),
    *(
        Case(
            connector="matrix",
            action=action,
            stand_in=Matrix,
            environment=_MATRIX,
            fields={"room": "!desk:b.example", "text": "Ann wants enterprise"},
            other={"room": "!desk:b.example", "text": "Bob does too"},
            confirm=("room", "text"),
            kind="message",
            spoiled="body",
            rewritten={"text": LINES},
        )
        for action in ("send_message", "send_notice")
    ),
    Case(
        connector="request-tracker",
        action="create_ticket",
        stand_in=RequestTracker,
        environment={"MESHLINE_RT_URL": "URL", "MESHLINE_RT_TOKEN": TOKEN},
        fields={"queue": "General", "subject": "Onboard Ann", "requestor": "ann@b.example"},
        other={"queue": "General", "subject": "Onboard Bob"},
        confirm=("queue", "subject", "requestor"),
        kind="ticket",
        spoiled="Subject",
    ),
)
