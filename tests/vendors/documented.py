"""Intercom's stand-in, held to one version of the vendor's own document."""

from __future__ import annotations

import orjson

from tests.vendors.document import Document
from tests.vendors.stand_ins.intercom import Intercom, refused
from tests.vendors.stand_ins.server import Asked, Reply


class DocumentedIntercom(Intercom):
    """Refuses what the document does not let through, and keeps only what it declares."""

    def __init__(self, document: Document) -> None:
        super().__init__()
        self.document = document
        self.untrue: list[str] = []  # where this stand-in answered what the document does not say

    def _answer(self, asked: Asked) -> Reply:
        if self.document.operation(asked.method, asked.path) is None:
            return self.missing()
        faults = self.document.faults_of_request(asked)
        if faults and self.token_is_good:
            return refused(400, "parameter_invalid", "; ".join(faults))
        if asked.body:
            known = orjson.dumps(self.document.only_declared(asked))
            asked = Asked(**{**vars(asked), "body": known})
        reply = super()._answer(asked)
        if reply.status == 200:
            reply = self.document.completed(asked, reply)
            self.untrue += self.document.faults_of_answer(asked, reply)
        return reply

    def assignee_of(self, sent: dict[str, object]) -> str | None:
        # The place of the assignee is what 2.14 changed; the document has taken the other out.
        nested = sent.get("assignment", {})
        assert isinstance(nested, dict)
        found = sent.get("assignee_id") or nested.get("assignee_id")
        return None if found is None else str(found)
