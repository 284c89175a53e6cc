"""Salesforce as its documentation says: upsert by an external id, a token, errors in a list."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from urllib.parse import parse_qs

from tests.vendors.cases import LINES, Case
from tests.vendors.stand_ins.server import TOKEN, Asked, Handler, Reply, StandIn

_SOBJECTS = "/services/data/v62.0/sobjects"
_ITS_OWN_ID = {"Case": "Meshline_Key__c", "Lead": "Meshline_Key__c", "Contact": "Meshline_Id__c"}
_FIELDS = {
    "Case": {"Subject", "Description", "Origin", "Priority", "SuppliedEmail", "SuppliedName"},
    "Lead": {"LastName", "Company", "FirstName", "Email", "Phone", "LeadSource", "Description"},
    "Contact": {"LastName", "FirstName", "Email", "Phone", "Title"},
}


class Salesforce(StandIn):
    """Cases, leads and contacts of one org."""

    def ids(self) -> Iterator[str]:
        return (f"500Qy{number:010d}AAA" for number in itertools.count(1))

    def routes(self) -> list[tuple[str, str, Handler]]:
        row = f"{_SOBJECTS}/(?P<kind>[^/]+)"
        return [
            ("POST", "/services/oauth2/token", self.token),
            ("PATCH", f"{row}/(?P<field>[^/]+__c)/(?P<value>[^/]+)", self.upsert),
            ("GET", f"{row}/(?P<id>[^/]+)", self.show),
            ("DELETE", f"{row}/(?P<id>[^/]+)", self.delete),
        ]

    def signed_in(self, asked: Asked) -> bool:
        return asked.path == "/services/oauth2/token" or super().signed_in(asked)

    def counts(self, asked: Asked) -> bool:
        return asked.path != "/services/oauth2/token"

    def unauthorized(self) -> Reply:
        return _error(401, "INVALID_SESSION_ID", "Session expired or invalid")

    def limited(self) -> Reply:
        return _error(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")

    def missing(self) -> Reply:
        return _error(404, "NOT_FOUND", "The requested resource does not exist")

    def token(self, asked: Asked) -> Reply:
        sent = {name: values[-1] for name, values in parse_qs(asked.body.decode()).items()}
        wanted = {
            "grant_type": "client_credentials",
            "client_id": "app",
            "client_secret": "hushed",
        }
        if sent.items() < wanted.items() or any(sent.get(k) != v for k, v in wanted.items()):
            return Reply(status=400, body={"error": "invalid_client"})
        return Reply(body={"access_token": TOKEN, "token_type": "Bearer", "instance_url": self.url})

    def upsert(self, asked: Asked) -> Reply:
        kind, field, value = (asked.named[name] for name in ("kind", "field", "value"))
        unknown = sorted(asked.json.keys() - _FIELDS[kind])
        if unknown or field != _ITS_OWN_ID[kind]:
            return _error(400, "INVALID_FIELD", f"No such column '{[*unknown, field][0]}'")
        known = self.of(kind, **{field: value})
        sent = {name: _kept(value) for name, value in asked.json.items()}
        for record in known:
            record.fields.update(sent)
        record = known[0] if known else self.keep(kind, {field: value, **sent})
        body = {"id": record.id, "success": True, "errors": [], "created": not known}
        return Reply(status=200 if known else 201, body=body)

    def show(self, asked: Asked) -> Reply:
        record = self.found(asked, asked.named["kind"])
        if record is None:
            return self.missing()
        wanted = {name: record.fields.get(name) for name in asked.query["fields"].split(",")}
        return Reply(body={"attributes": {"type": record.kind}, "Id": record.id, **wanted})

    def delete(self, asked: Asked) -> Reply:
        if self.kept.pop(asked.named["id"], None) is None:
            return _error(404, "ENTITY_IS_DELETED", "entity is deleted")
        return Reply(status=204)


def _kept(value: object) -> object:
    """How it keeps a text: trimmed, its lines ended as on Windows; of a blank it keeps nothing."""
    return value.strip().replace("\n", "\r\n") or None if isinstance(value, str) else value


def _error(status: int, code: str, message: str) -> Reply:
    return Reply(status=status, body=[{"message": message, "errorCode": code}])


ENVIRONMENT = {
    "MESHLINE_SALESFORCE_URL": "URL",
    "MESHLINE_SALESFORCE_TOKEN_URL": "URL/services/oauth2/token",
    "MESHLINE_SALESFORCE_CLIENT_ID": "app",
    "MESHLINE_SALESFORCE_CLIENT_SECRET": "hushed",
}

CASES = (
    Case(
        connector="salesforce",
        action="create_case",
        stand_in=Salesforce,
        environment=ENVIRONMENT,
        fields={"subject": "Onboard Ann", "description": "Please call.", "email": "ann@b.example"},
        other={"subject": "Onboard Bob"},
        confirm=("subject", "description", "email"),
        kind="Case",
        rewritten={"description": LINES, "origin": "", "name": ""},
        spoiled="Subject",
    ),
    Case(
        connector="salesforce",
        action="create_lead",
        stand_in=Salesforce,
        environment=ENVIRONMENT,
        fields={"last_name": "Lee", "company": "B", "email": "ann@b.example"},
        other={"last_name": "Ray", "company": "B"},
        confirm=("last_name", "company", "email"),
        kind="Lead",
        rewritten={"description": LINES, "source": "", "phone": " +49 30 123"},
        spoiled="LastName",
    ),
    Case(
        connector="salesforce",
        action="upsert_contact",
        stand_in=Salesforce,
        environment=ENVIRONMENT,
        fields={"external_id": "u-1", "last_name": "Lee", "email": "ann@b.example"},
        other={"external_id": "u-2", "last_name": "Ray"},
        confirm=("external_id", "last_name", "email"),
        kind="Contact",
        rewritten={"title": "", "first_name": "Ann "},
        spoiled="LastName",
    ),
)
