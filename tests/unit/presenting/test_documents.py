"""Values as JSON documents."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from orchestrator.operations.quarantine.select import LeftAlone
from orchestrator.presenting.documents import to_json
from orchestrator.store.views.audit import AuditRow
from orchestrator.store.views.events.last_acts import Act
from orchestrator.store.views.quarantine.dead_letters import LetterView

ROW = AuditRow(
    id=7,
    at="2026-11-29T05:40:00.000Z",
    client="acme",
    workflow="lead-routing",
    event_id="e1",
    incident=None,
    destination=None,
    actor="cli:ana",
    action="replay",
    source="quarantined",
    target="accepted",
    reason=None,
    detail={"version": 2},
)


def test_a_row_of_the_audit_has_from_and_to() -> None:
    assert json.loads(to_json({"audit": [ROW]})) == {
        "audit": [
            {
                "id": 7,
                "at": "2026-11-29T05:40:00.000Z",
                "client": "acme",
                "workflow": "lead-routing",
                "event_id": "e1",
                "incident": None,
                "destination": None,
                "actor": "cli:ana",
                "action": "replay",
                "from": "quarantined",
                "to": "accepted",
                "reason": None,
                "detail": {"version": 2},
            }
        ]
    }


def test_an_event_that_was_left_alone_says_who_moved_it_where_somebody_did() -> None:
    act = Act(done="replayed", by="cli:ana", at="2026-11-29T05:40:00.000Z")
    moved = LeftAlone(id="e1", state="accepted", act=act)
    untouched = LeftAlone(id="e2", state="accepted", act=None)

    assert json.loads(to_json([moved, untouched])) == [
        {
            "id": "e1",
            "state": "accepted",
            "done": "replayed",
            "by": "cli:ana",
            "at": "2026-11-29T05:40:00.000Z",
        },
        {"id": "e2", "state": "accepted"},
    ]


@pytest.mark.parametrize(
    ("body", "shown"), [(b"{}", {"body": "{}"}), (b"\xff\x00", {"body_base64": "/wA="})]
)
def test_a_body_that_is_not_utf_8_is_shown_in_base64(body: bytes, shown: dict[str, str]) -> None:
    letter = LetterView(
        owner="-",
        id=1,
        at="2026-11-29T05:40:00.000Z",
        state="standing",
        queue="meshline",
        task=None,
        error="it is not JSON",
        recover_by="2026-12-02T05:40:00.000Z",
        incident=None,
        returned=None,
        headers=None,
        content_type=None,
        content_encoding=None,
        body=body,
        cut_from=None,
        digest="d",
        closed_at=None,
        closed_by=None,
        why=None,
    )

    document = json.loads(to_json(letter))
    assert {name: document[name] for name in document if name.startswith("body")} == shown


def test_what_is_no_value_of_ours_is_refused() -> None:
    with pytest.raises(TypeError):
        to_json({"one": object()})


def test_values_in_values_are_documents_too() -> None:
    @dataclass(frozen=True)
    class Outer:
        rows: tuple[AuditRow, ...]

    assert json.loads(to_json(Outer(rows=(ROW,))))["rows"][0]["from"] == "quarantined"
