"""What is late, what was told, and a test of a contact, at the command line."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from orchestrator.operations.incidents.keep_clocks import keep_clocks
from orchestrator.store.database.clock import after
from orchestrator.store.database.schema import alerts, dead_letters
from orchestrator.store.quarantine.dead_letters import DeadLetter, keep_dead_letter
from orchestrator.store.quarantine.workflow_terms import TermsShelf
from tests.cli.desk import CommandLine, late_lead
from tests.keeper.receivers import mail_server, web_hook

MAIL = """\
connector: mail
kind: smtp
host: 127.0.0.1
port: env:TEST_MAIL_PORT
security: none
from: meshline@example.com
"""


def test_the_clocks_are_listed_with_what_is_late_and_who_is_told_next(
    meshline: CommandLine,
) -> None:
    late_lead(meshline)

    document = meshline("sla", "list", "--json").document

    (workflow,), (incident,) = document["workflows"], document["incidents"]
    assert (workflow["workflow"], workflow["deliver"]["late"]) == ("leads", 1)
    assert (workflow["recover"]["events"], workflow["recover"]["late"]) == (1, 0)
    assert incident["next"]["to"] == "support-ops@acme.example"
    error = meshline("sla", "list", "--client", "acne").error
    assert error == "client: there is no client 'acne'; write `acme`"
    text = meshline("sla", "list").out
    assert "acme/leads" in text and "support-ops@acme.example" in text
    assert incident["advice"][0]["command"] == "meshline quarantine diagnose --incident 1"
    assert "meshline quarantine diagnose --incident 1" in text


def test_a_late_message_that_no_worker_can_read_is_listed_with_its_command(
    meshline: CommandLine,
) -> None:
    late_lead(meshline)
    with meshline.store() as store:
        with store.write() as tx:
            letter = DeadLetter(queue="meshline", error="no such task", body=b"?", headers=None)
            keep_dead_letter(tx, letter)
            tx.execute(update(dead_letters).values(recover_by=after(-1)))
        keep_clocks(store, TermsShelf())
        keep_clocks(store, TermsShelf())

    _, late = meshline("sla", "list", "--json").document["incidents"]

    assert (late["client"], late["next"]) == ("(platform)", None), "there is no steward to tell"
    assert "meshline dead-letters list" in meshline("sla", "list").out


def test_an_empty_store_has_no_clocks_and_no_alerts(meshline: CommandLine) -> None:
    with meshline.store():
        pass

    assert meshline("sla", "list").out == "no workflow is published\n"
    assert meshline("alerts", "list").out == "no alert was written\n"
    assert meshline("alerts", "list", "--noise").out == "no alert is noise\n"
    assert meshline("alerts", "list", "--failing").out == "no alert fails\n"


def test_alerts_are_listed_with_whom_they_are_for(meshline: CommandLine) -> None:
    late_lead(meshline)

    document = meshline("alerts", "list", "--json").document

    assert document["counts"] == {"waiting": 2, "sent": 0, "failed": 0, "dropped": 0}
    assert {one["kind"] for one in document["alerts"]} == {"opened", "escalated"}
    assert {one["recipient"] for one in document["alerts"]} == {"triage@acme.example"}
    assert "triage@acme.example" in meshline("alerts", "list").out


def mail_to(meshline: CommandLine, port: int) -> dict[str, str]:
    """The settings of a machine whose mails go to a server on this port."""
    folder = meshline.folder / "own"
    folder.mkdir(exist_ok=True)
    (folder / "mail.yaml").write_text(MAIL)
    return {"MESHLINE_CONNECTORS": str(folder), "TEST_MAIL_PORT": str(port)}


def test_a_test_arrives_or_says_why_not(meshline: CommandLine) -> None:
    meshline.publish()
    words = ("alerts", "test", "triage@acme.example")
    with mail_server() as mails:
        reached = mail_to(meshline, mails.port)
        ran = meshline(*words, **reached)
        told = meshline(*words, "--json", **reached).document
    assert (ran.code, ran.out) == (0, "mail: taken\n")
    assert mails.arrived == [("triage@acme.example", "Meshline: a test")] * 2
    assert told == {
        "alert": 2,
        "recipient": "triage@acme.example",
        "sent": True,
        "error": None,
        "ways": [{"way": "mail", "taken": True, "error": None}],
    }

    refused = meshline(*words, **reached)
    assert refused.out.startswith("mail: ")
    assert "error: triage@acme.example was not reached" in refused.err
    failed = meshline(*words, "--json", **reached)

    assert (failed.code, failed.document["sent"]) == (1, False)
    assert failed.document["error"].startswith("mail: ")
    listed = meshline("alerts", "list", "--failing", "--json").document["alerts"]
    assert [(one["id"], one["kind"]) for one in listed] == [(4, "test"), (3, "test")]
    assert len(meshline("audit", "--action", "test_alert", "--json").document["audit"]) == 4


@pytest.mark.parametrize(
    "recipient", ["", "not an address", "a@b\r\nBcc: x@y.z", "<b>@x.y", "a@b.example," * 100_000]
)
def test_a_test_to_no_address_is_refused_and_nothing_is_written(
    meshline: CommandLine, recipient: str
) -> None:
    meshline.publish()

    error = meshline("alerts", "test", recipient).error

    assert "is not an e-mail address" in error
    assert len(error) < 500
    assert meshline("alerts", "list", "--json").document["alerts"] == []


def test_whom_the_contacts_name_can_be_tested_too(meshline: CommandLine) -> None:
    meshline.publish()
    contacts = meshline.write("contacts.yaml", "contacts: {the desk: {to: [env:DESK_HOOK]}}\n")
    with web_hook() as hook:
        ran = meshline(
            *("alerts", "test", "the desk"),
            MESHLINE_CONTACTS=contacts,
            DESK_HOOK=f"json://127.0.0.1:{hook.port}/desk",
        )

    assert (ran.code, ran.out) == (0, "env:DESK_HOOK: taken\n")
    assert hook.titles("/desk") == ["Meshline: a test"]


def test_a_test_tries_every_way(meshline: CommandLine) -> None:
    meshline.publish()
    contacts = meshline.write(
        "contacts.yaml", "contacts: {the desk: {to: [env:DEAD_HOOK, env:DESK_HOOK]}}\n"
    )
    with web_hook() as hook:
        ran = meshline(
            *("alerts", "test", "the desk"),
            MESHLINE_CONTACTS=contacts,
            DEAD_HOOK="json://127.0.0.1:1/secret-path",
            DESK_HOOK=f"json://127.0.0.1:{hook.port}/desk",
        )

    dead, taken = ran.out.splitlines()
    assert dead.startswith("env:DEAD_HOOK: the service did not take it")
    assert taken == "env:DESK_HOOK: taken"
    assert ran.code == 1
    assert "1 of 2 ways failed" in ran.err
    assert "secret-path" not in ran.out + ran.err
    (listed,) = meshline("alerts", "list", "--json").document["alerts"]
    assert (listed["state"], listed["error"]) == (
        "sent",
        "env:DEAD_HOOK: the service did not take it",
    )
    assert "the first way to the desk fails since" in meshline("doctor").out


def failed_alerts(meshline: CommandLine) -> None:
    """Both alerts of a late lead, and a test, failed for good."""
    late_lead(meshline)
    meshline("alerts", "test", "triage@acme.example")
    with meshline.store() as store, store.write() as tx:
        tx.execute(update(alerts).values(state="failed", attempts=12, error="mail: no host"))


def test_what_failed_for_good_is_sent_again_when_a_person_says_so(meshline: CommandLine) -> None:
    failed_alerts(meshline)
    assert "3 failed for good; `meshline alerts retry`" in meshline("alerts", "list").err

    assert meshline("alerts", "retry", "1", "--json").document == {"retried": [1]}
    ran = meshline("alerts", "retry", "--failed")

    assert (ran.code, ran.out) == (0, "retried 2; a keeper sends them, or drops what is over\n")
    listed = meshline("alerts", "list", "--json").document["alerts"]
    assert {(one["state"], one["attempts"], one["error"]) for one in listed} == {
        ("waiting", 0, None)
    }
    audited = meshline("audit", "--action", "retry_alert", "--json").document["audit"]
    assert [one["detail"]["alert"] for one in audited] == [3, 2, 1]
    assert all(one["actor"].startswith("cli:") for one in audited)
    assert audited[0]["detail"] == {
        "alert": 3,
        "to": "triage@acme.example",
        "error": "mail: no host",
    }
    history = meshline("incidents", "show", "1", "--json").document["history"]
    assert [one["action"] for one in history].count("retry_alert") == 2
    assert meshline("alerts", "retry", "--failed").out == "no alert failed\n"
    assert meshline("alerts", "retry", "--failed", "--json").document == {"retried": []}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("2", "7"), "there is no alert 7; see `meshline alerts list`"),
        (("2", "1"), "alert 1 is sent; only one that failed can be sent again"),
    ],
)
def test_only_what_failed_is_sent_again_all_of_it_or_nothing(
    meshline: CommandLine, words: tuple[str, ...], said: str
) -> None:
    failed_alerts(meshline)
    with meshline.store() as store, store.write() as tx:
        tx.execute(update(alerts).where(alerts.c.id == 1).values(state="sent"))

    assert meshline("alerts", "retry", *words).error.startswith(said)

    assert meshline("alerts", "list", "--json").document["counts"]["failed"] == 2


@pytest.mark.parametrize("words", [(), ("2", "--failed")], ids=" ".join)
def test_which_alerts_has_to_be_said(meshline: CommandLine, words: tuple[str, ...]) -> None:
    meshline.publish()

    said = "say which alerts: give their ids, or --failed"
    assert said in meshline("alerts", "retry", *words).usage
