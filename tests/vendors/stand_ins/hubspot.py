"""HubSpot's CRM as its documentation says: upsert by e-mail, a unique property, 207 for a part."""

from __future__ import annotations

from tests.vendors.cases import LINES, Case
from tests.vendors.stand_ins.server import TOKEN, Asked, Handler, Json, Kept, Reply, StandIn

_CONTACT = {"email", "firstname", "lastname", "company", "phone", "jobtitle", "website",
            "lifecyclestage"}  # fmt: skip
_TICKET = {"meshline_key", "subject", "content", "hs_pipeline", "hs_pipeline_stage",
           "hs_ticket_priority"}  # fmt: skip


class HubSpot(StandIn):
    """Contacts and tickets; it knows its own properties only."""

    def routes(self) -> list[tuple[str, str, Handler]]:
        return [
            ("POST", "/crm/v3/objects/contacts/batch/upsert", self.upsert_contact),
            ("GET", "/crm/v3/objects/contacts/(?P<id>[^/]+)", self.show_contact),
            ("POST", "/crm/v3/objects/tickets", self.create_ticket),
            ("GET", "/crm/v3/objects/tickets/(?P<id>[^/]+)", self.show_ticket),
            ("DELETE", "/crm/v3/objects/tickets/(?P<id>[^/]+)", self.archive_ticket),
        ]

    def unauthorized(self) -> Reply:
        return _error(401, "INVALID_AUTHENTICATION", "Authentication credentials not found.")

    def limited(self) -> Reply:
        body = {"status": "error", "errorType": "RATE_LIMIT", "policyName": "TEN_SECONDLY_ROLLING",
                "message": "You have reached your ten_secondly_rolling limit."}  # fmt: skip
        return Reply(status=429, body=body)

    def missing(self) -> Reply:
        return _error(404, "OBJECT_NOT_FOUND", "resource not found")

    def upsert_contact(self, asked: Asked) -> Reply:
        inputs = asked.json["inputs"]
        if len({one["id"].lower() for one in inputs}) < len(inputs):
            return _error(400, "VALIDATION_ERROR", "Duplicate IDs found in batch input")
        results, errors = [], []
        for one in inputs:
            if one["idProperty"] != "email" or one["properties"].keys() - _CONTACT:
                errors.append(_error(400, "VALIDATION_ERROR", "no such property").body)
            elif "@" not in one["id"]:
                errors.append(_error(400, "VALIDATION_ERROR", "Email address is invalid").body)
            else:
                results.append(self.upserted(one))
        body: Json = {"status": "COMPLETE", "results": results[::-1]}  # in no promised order
        if errors:
            return Reply(status=207, body={**body, "numErrors": len(errors), "errors": errors})
        return Reply(body=body)

    def upserted(self, one: Json) -> Json:
        sent = {**_texts(one["properties"]), "email": one["id"].lower()}
        known = self.of("contact", email=sent["email"])
        for record in known:
            record.fields.update(sent)
        record = known[0] if known else self.keep("contact", sent)
        return {**_told(record), "new": not known}

    def show_contact(self, asked: Asked) -> Reply:
        record = self.found(asked, "contact")
        return self.missing() if record is None else _shown(record, asked)

    def create_ticket(self, asked: Asked) -> Reply:
        if not isinstance(asked.json.get("associations"), list):
            return _error(400, "VALIDATION_ERROR", "associations is required")
        sent = _texts(asked.json["properties"])
        if sent.keys() - _TICKET:
            return _error(400, "VALIDATION_ERROR", "Property values were not valid")
        if self.of("ticket", meshline_key=sent["meshline_key"]):
            return _error(400, "VALIDATION_ERROR", "CONFLICTING_UNIQUE_VALUE")
        return Reply(status=201, body=_told(self.keep("ticket", sent)))

    def show_ticket(self, asked: Asked) -> Reply:
        if asked.query.get("idProperty") == "meshline_key":
            known = self.of("ticket", meshline_key=asked.named["id"])
        else:
            record = self.found(asked, "ticket")
            known = [] if record is None else [record]
        return _shown(known[0], asked) if known else self.missing()

    def archive_ticket(self, asked: Asked) -> Reply:
        self.kept.pop(asked.named["id"], None)
        return Reply(status=204)


def _texts(properties: Json) -> Json:
    """It keeps every value as text, and of a blank nothing."""
    return {name: str(value) for name, value in properties.items() if value != ""}


def _told(record: Kept) -> Json:
    return {"id": record.id, "properties": record.fields, "archived": False}


def _shown(record: Kept, asked: Asked) -> Reply:
    """Only what was asked for by name, null where it has no value."""
    names = asked.query.get("properties", "hs_object_id").split(",")
    properties = {name: record.fields.get(name) for name in names}
    return Reply(body={"id": record.id, "properties": properties, "archived": False})


def _error(status: int, category: str, message: str) -> Reply:
    return Reply(status=status, body={"status": "error", "category": category, "message": message})


CASES = (
    Case(
        connector="hubspot",
        action="upsert_contact",
        stand_in=HubSpot,
        environment={"MESHLINE_HUBSPOT_TOKEN": TOKEN},
        fields={"email": "Ann@b.example", "firstname": "Ann", "phone": 4930123},
        other={"email": "bob@b.example", "firstname": "Bob"},
        confirm=("email", "firstname", "phone"),
        kind="contact",
        spoiled="firstname",
        rewritten={"company": "", "jobtitle": "", "phone": "+49 30 123", "lastname": " Lee"},
    ),
    Case(
        connector="hubspot",
        action="create_ticket",
        stand_in=HubSpot,
        environment={"MESHLINE_HUBSPOT_TOKEN": TOKEN},
        fields={"subject": "Onboard Ann", "stage": "1", "content": "Please call."},
        other={"subject": "Onboard Bob", "stage": "1"},
        confirm=("subject", "stage", "content"),
        kind="ticket",
        spoiled="subject",
        rewritten={"content": LINES, "priority": ""},
    ),
)
