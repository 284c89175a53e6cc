from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orchestrator.domain.delivery.handoff import Action
from orchestrator.domain.errors import Fault
from orchestrator.domain.workflows.catalog import destination_faults, undo_faults
from orchestrator.domain.workflows.workflow import Destination, Fact
from tests.unit.example import CATALOG

FACTS = {
    "email": Fact(value="data.email"),
    "note": Fact(value="data.note", optional=True),
}


def faults(**destination: Any) -> list[Fault]:
    return destination_faults({"it": Destination(**destination)}, FACTS, CATALOG)


def crm(send: dict[str, str], confirm: list[str]) -> list[Fault]:
    return faults(connector="crm", action="upsert_contact", send=send, confirm=confirm)


def test_a_destination_that_asks_for_what_its_connector_does_has_no_faults() -> None:
    assert crm({"email": "email", "note": "note"}, ["email", "note"]) == []
    assert faults(connector="mail", action="send", send={"to": "email", "subject": '"x"'}) == []


@pytest.mark.parametrize(
    ("connector", "action", "path", "fix"),
    [
        ("cmr", "upsert_contact", "destinations.it.connector", "write `crm`"),
        ("crm", "upsert_contacts", "destinations.it.action", "write `upsert_contact`"),
    ],
)
def test_an_unknown_connector_or_action_is_named_with_the_one_that_is_meant(
    connector: str, action: str, path: str, fix: str
) -> None:
    (fault,) = faults(connector=connector, action=action, send={"email": "email"})

    assert (fault.path, fault.fix) == (path, fix)


def test_a_required_field_must_be_sent_and_an_unknown_one_must_not() -> None:
    missing, unknown = crm({"emial": "email"}, ["emial"])

    assert (missing.path, missing.fix) == ("destinations.it.send", "add `email: ...`")
    assert (unknown.path, unknown.fix) == ("destinations.it.send.emial", "write `email`")


def test_only_what_can_be_read_back_can_be_confirmed() -> None:
    send = {"title": '"x"', "queue": '"y"', "note": "note"}

    found = faults(
        connector="helpdesk", action="create_ticket", send=send, confirm=["title", "note"]
    )

    assert [fault.path for fault in found] == [
        "destinations.it.send.note",
        "destinations.it.confirm.1",
    ]


def test_a_handoff_that_nothing_proves_is_refused() -> None:
    (nothing,) = crm({"email": "email"}, [])
    (nothing_certain,) = crm({"email": "email", "note": '"n: " + note'}, ["note"])

    assert nothing.problem == "nothing would prove the handoff"
    assert "where the optional facts are absent" in nothing_certain.problem


def test_a_field_that_the_action_requires_is_proof_though_its_fact_is_optional() -> None:
    """Where the fact is absent nothing is sent: the event is quarantined as `missing_fact`."""
    assert crm({"email": "note"}, ["email"]) == []


def test_a_receipt_cannot_be_confirmed_and_the_fix_says_why() -> None:
    (fault,) = faults(connector="mail", action="send", send={"to": "email"}, confirm=["to"])

    assert fault.path == "destinations.it.confirm"
    assert "cannot be read back" in fault.problem
    assert "receipted" in fault.fix


def _undoable(connector: str, action: str) -> Action:
    return replace(CATALOG[connector][action], can_undo=True)


def test_an_undo_that_no_destination_has_is_refused() -> None:
    mail = {"it": Destination(connector="mail", action="send", send={"to": "email"})}

    (fault,) = undo_faults("undo", mail, CATALOG)

    assert fault.path == "on_failure"
    assert undo_faults("quarantine", mail, CATALOG) == []
    assert undo_faults("undo", mail, {"mail": {"send": _undoable("mail", "send")}}) == []
