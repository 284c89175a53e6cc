"""What an alert says, whatever is in the names that it holds."""

from __future__ import annotations

from orchestrator.keeper.messages import compose
from orchestrator.settings import Settings
from orchestrator.store.alerts import Alert, AlertKind

ODD = "\u202emoc.elpmaxe\u2066\x9b31m\nReply-To: x@example.com"


def test_nothing_in_an_alert_is_unseen_or_shown_backwards() -> None:
    alert = Alert(
        id=1,
        incident_id=7,
        round=0,
        kind=AlertKind.OPENED,
        step=0,
        recipient="support-ops@acme.example",
        role=None,
        attempts=1,
        over=False,
    )
    incident = {
        "client": "acme",
        "workflow": "leads",
        "title": f"a field is missing: {ODD}",
        "kind": "client",
        "standing": 1,
        "held": 0,
        "events": 1,
        "recover_by": "2026-11-28",
        "owner": "support-ops@acme.example",
    }

    message = compose(alert, incident, Settings())

    assert message.subject.isprintable()
    assert all(line.isprintable() for line in message.text.split("\n"))
    assert r"\u202emoc.elpmaxe\u2066\x9b31m\nReply-To" in message.text
    assert "\nReply-To" not in message.text
