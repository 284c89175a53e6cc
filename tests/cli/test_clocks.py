"""What is late, what was told, and a test of a contact, at the command line."""

from __future__ import annotations

from sqlalchemy import update

from orchestrator.store.clock import after
from orchestrator.store.keeping import keep_clocks
from orchestrator.store.schema import events
from orchestrator.store.terms import TermsShelf
from tests.cli.desk import CommandLine
from tests.keeper.receivers import mail_server

MAIL = """\
connector: mail
kind: smtp
host: 127.0.0.1
port: env:TEST_MAIL_PORT
security: none
from: meshline@example.com
"""


def late_lead(meshline: CommandLine) -> None:
    meshline.leads(1, tier="gold")
    with meshline.store() as store:
        with store.write() as tx:
            tx.execute(update(events).values(accepted_at=after(-3_600)))
        keep_clocks(store, TermsShelf())


def test_the_clocks_are_listed_with_what_is_late_and_who_is_told_next(
    meshline: CommandLine,
) -> None:
    late_lead(meshline)

    document = meshline("sla", "list", "--json").document

    (workflow,), (incident,) = document["workflows"], document["incidents"]
    assert (workflow["workflow"], workflow["deliver"]["late"]) == ("leads", 1)
    assert (workflow["recover"]["events"], workflow["recover"]["late"]) == (1, 0)
    assert incident["next"]["to"] == "support-ops@acme.example"
    assert meshline("sla", "list", "--client", "other", "--json").document["workflows"] == []
    text = meshline("sla", "list").out
    assert "acme/leads" in text and "support-ops@acme.example" in text


def test_an_empty_store_has_no_clocks_and_no_alerts(meshline: CommandLine) -> None:
    with meshline.store():
        pass

    assert meshline("sla", "list").out == "no workflow is published\n"
    assert meshline("alerts", "list").out == "no alert was written\n"
    assert meshline("alerts", "list", "--noise").out == "no alert is noise\n"


def test_alerts_are_listed_with_whom_they_are_for(meshline: CommandLine) -> None:
    late_lead(meshline)

    document = meshline("alerts", "list", "--json").document

    assert document["counts"] == {"waiting": 2, "sent": 0, "failed": 0, "dropped": 0}
    assert {one["kind"] for one in document["alerts"]} == {"opened", "escalated"}
    assert {one["recipient"] for one in document["alerts"]} == {"triage@acme.example"}
    assert "triage@acme.example" in meshline("alerts", "list").out


def test_a_test_arrives_or_says_why_not(meshline: CommandLine) -> None:
    meshline.publish()
    folder = meshline.folder / "own"
    folder.mkdir()
    (folder / "mail.yaml").write_text(MAIL)
    with mail_server() as mails:
        ran = meshline(
            *("alerts", "test", "triage@acme.example"),
            MESHLINE_CONNECTORS=str(folder),
            TEST_MAIL_PORT=str(mails.port),
        )
    assert (ran.code, ran.out) == (0, "sent to triage@acme.example\n")
    assert mails.arrived == [("triage@acme.example", "Meshline: a test")]

    error = meshline(
        *("alerts", "test", "triage@acme.example"),
        MESHLINE_CONNECTORS=str(folder),
        TEST_MAIL_PORT=str(mails.port),
    ).error

    assert error.startswith("triage@acme.example was not reached: mail: ")
    listed = meshline("alerts", "list", "--failing", "--json").document["alerts"]
    assert [one["kind"] for one in listed] == ["test"]
    assert len(meshline("audit", "--action", "test_alert", "--json").document["audit"]) == 2
