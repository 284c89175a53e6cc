"""Jira Service Management as its documentation says: labels, a search that lags behind."""

from __future__ import annotations

import re

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

_FOUND_AFTER = 60.0


class Jira(StandIn):
    """Issues, and the requests that are issues too."""

    def routes(self) -> list[tuple[str, str, Handler]]:
        issue = "/rest/api/2/issue"
        return [
            ("POST", issue, self.create_issue),
            ("POST", "/rest/servicedeskapi/request", self.create_request),
            ("GET", "/rest/api/2/search/jql", self.search),
            ("GET", f"{issue}/(?P<id>[^/]+)", self.show),
            ("DELETE", f"{issue}/(?P<id>[^/]+)", self.delete),
        ]

    def signed_in(self, asked: Asked) -> bool:
        return asked.headers.get("Authorization") == BASIC

    def unauthorized(self) -> Reply:
        return Reply(status=401, body="Client must be authenticated to access this resource.")

    def missing(self) -> Reply:
        return _wrong(404, "Issue does not exist or you do not have permission to see it.")

    def create_issue(self, asked: Asked) -> Reply:
        fields = asked.json["fields"]
        if "priority" in fields and "name" not in fields["priority"]:
            return _wrong(400, "Could not find valid 'id' or 'name' in priority object.")
        record = self.keep("issue", _kept(fields))
        return Reply(status=201, body={"id": record.id, "key": f"SUP-{record.id}"})

    def create_request(self, asked: Asked) -> Reply:
        values = asked.json["requestFieldValues"]
        if asked.json["requestTypeId"] != "25":
            return _wrong(400, "The request type is not valid.")
        record = self.keep("issue", _kept({"project": {"key": "SUP"}, **values}))
        return Reply(status=201, body={"issueId": record.id, "issueKey": f"SUP-{record.id}"})

    def search(self, asked: Asked) -> Reply:
        match = re.fullmatch(r'labels = "([^"]+)"', asked.query["jql"])
        assert match, asked.query
        known = [
            one
            for one in self.of("issue")
            if match[1] in one.fields["labels"] and one.at + _FOUND_AFTER <= self.now
        ]
        issues = [_told(one, asked) for one in known]
        return Reply(body={"issues": issues, "isLast": True})

    def show(self, asked: Asked) -> Reply:
        record = self.found(asked, "issue")
        return self.missing() if record is None else Reply(body=_told(record, asked))

    def delete(self, asked: Asked) -> Reply:
        return Reply(status=204) if self.kept.pop(asked.named["id"], None) else self.missing()


def _kept(fields: Json) -> Json:
    """How it keeps texts: lines end as on Windows, and of a blank it keeps nothing."""
    return {
        name: value.strip().replace("\n", "\r\n") or None if isinstance(value, str) else value
        for name, value in fields.items()
    }


def _told(record: Kept, asked: Asked) -> Json:
    wanted = asked.query["fields"].split(",")
    fields = {name: record.fields.get(name) for name in wanted}
    return {"id": record.id, "key": f"SUP-{record.id}", "fields": fields}


def _wrong(status: int, message: str) -> Reply:
    return Reply(status=status, body={"errorMessages": [message], "errors": {}})


_ENVIRONMENT = {"MESHLINE_JIRA_URL": "URL", "MESHLINE_JIRA_USER": USER,
                "MESHLINE_JIRA_TOKEN": TOKEN}  # fmt: skip

CASES = (
    Case(
        connector="jira",
        action="create_issue",
        stand_in=Jira,
        environment=_ENVIRONMENT,
        fields={"project": "SUP", "issue_type": "Task", "summary": "Onboard Ann"},
        other={"project": "SUP", "issue_type": "Task", "summary": "Onboard Bob",
               "priority": "High"},
        confirm=("project", "issue_type", "summary"),
        rewritten={"description": "", "summary": "Onboard Ann "},
        kind="issue",
        spoiled="summary",
    ),
    Case(
        connector="jira",
        action="create_request",
        stand_in=Jira,
        environment=_ENVIRONMENT,
        fields={"service_desk": "1", "request_type": "25", "summary": "Onboard Ann",
                "description": "Please call."},
        other={"service_desk": "1", "request_type": "25", "summary": "Onboard Bob"},
        confirm=("summary", "description"),
        rewritten={"description": LINES},
        kind="issue",
        spoiled="summary",
    ),
)  # fmt: skip
