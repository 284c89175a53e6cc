"""What an alert says, whatever is in the names that it holds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from orchestrator.keeper.messages import Message, Reader, compose, compose_digest, urgency_of
from orchestrator.settings import Settings
from orchestrator.store.clocks.alerts import Alert, AlertKind
from tests.incidents import incident_page

ODD = "\u202emoc.elpmaxe\u2066\x9b31m\nReply-To: x@example.com"
NOW = int(datetime(2026, 11, 30, 9, 0, tzinfo=UTC).timestamp() * 1000)


def alert(kind: AlertKind = AlertKind.OPENED, *, incident: int = 7, **more: Any) -> Alert:
    said: dict[str, Any] = {
        "round": 0, "step": 0, "recipient": "support-ops@acme.example", "role": None,
        "attempts": 1, "over": False,
    }  # fmt: skip
    return Alert(id=incident, incident_id=incident, kind=kind, **said | more)


def listed(message: Message) -> Any:
    """The alerts of a digest, as a program reads them."""
    return message.fields["alerts"]


def text_of(told: Alert, **more: Any) -> str:
    return compose(told, incident_page(**more), Settings(), Reader(now=NOW)).text


def test_nothing_in_an_alert_is_unseen_or_shown_backwards() -> None:
    message = compose(
        alert(), incident_page(title=f"a field is missing: {ODD}"), Settings(), Reader(now=NOW)
    )

    assert message.subject.isprintable()
    assert all(line.isprintable() for line in message.text.split("\n"))
    assert r"\u202emoc.elpmaxe\u2066\x9b31m\nReply-To" in message.text
    assert "\nReply-To" not in message.text


def test_times_are_in_the_zone_of_the_reader_then_of_the_workflow_then_in_utc() -> None:
    reader = Reader(now=NOW, zone="America/New_York")
    theirs = compose(alert(), incident_page(zone="Europe/Berlin"), Settings(), reader).text

    assert "heal by: Mon 2026-11-30 04:15 EST (America/New_York), in 15m" in theirs
    assert "10:15 CET (Europe/Berlin), in 15m" in text_of(alert(), zone="Europe/Berlin")
    assert "heal by: Mon 2026-11-30 09:15 UTC, in 15m" in text_of(alert())


@pytest.mark.parametrize(
    ("reason", "clock"),
    [
        ("contract_violation", "recover_within"),
        ("late", "deliver_within"),
        ("success_rate", "success_rate"),
    ],
)
def test_an_escalation_says_which_clock_ran_out(reason: str, clock: str) -> None:
    told = alert(AlertKind.ESCALATED, step=1, role="recovery_lead")

    text = text_of(told, reason=reason, breached_at="2026-11-30T08:00:00+00:00")

    assert f"clock: {clock} ran out Mon 2026-11-30 08:00 UTC" in text


def test_an_alert_says_what_changed_and_what_to_do() -> None:
    reader = Reader(now=NOW, diagnosis=["tier was renamed to customer_tier"])
    runbook = "1. call the sender\n2. replay"
    message = compose(alert(), incident_page(runbook=runbook), Settings(), reader)

    lines = message.text.splitlines()
    assert "changed: tier was renamed to customer_tier" in lines
    assert lines[lines.index("what to do:") + 1 :][:2] == [
        "1. See what the sender changed:",
        "   meshline quarantine list",
    ]
    assert lines[lines.index("runbook:") + 1 :][:2] == runbook.splitlines()


def test_a_digest_has_a_line_for_each_and_the_highest_urgency() -> None:
    late = alert(AlertKind.ESCALATED, incident=3, step=3, role="backstop")
    told = [(alert(incident=number), incident_page()) for number in range(10, 70)]

    message = compose_digest([*told[:9], (late, incident_page())], Settings(), Reader(now=NOW))
    long = compose_digest(told, Settings(), Reader(now=NOW))

    assert message.subject == "[Meshline] 10 alerts: 9 opened, 1 escalated"
    assert "acme/leads: incident 3 is late, step 3" in message.text
    assert message.urgency == urgency_of(late) == "critical"
    assert [one["incident"] for one in listed(message)] == [*range(10, 19), 3]
    assert "and 10 more" in long.text
    assert len(listed(long)) == 50
