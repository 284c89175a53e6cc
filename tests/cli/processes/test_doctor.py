"""The doctor finds what is broken, and says what to do."""

from __future__ import annotations

import re
import shutil
import socket
import sqlite3
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import update

from orchestrator.domain.heartbeats import ProcessKind
from orchestrator.embedded.child import EmbeddedServer
from orchestrator.operations.incidents.keep_clocks import keep_clocks
from orchestrator.operations.note_old_spools import HeardSpool, note_old_spools
from orchestrator.settings import Settings
from orchestrator.store.clocks.alerts import add_test
from orchestrator.store.database.clock import after
from orchestrator.store.database.schema import alerts, deliveries, heartbeats, incidents, quarantine
from orchestrator.store.desk.heartbeats import Pulse
from orchestrator.store.destinations.circuits import pause_circuit
from orchestrator.store.drive.claim import finish_group
from orchestrator.store.drive.overlooked import Search
from orchestrator.store.quarantine.workflow_terms import TermsShelf
from tests.cli.desk import CommandLine
from tests.leads import TEXT, accept_leads, claim_groups, drive_to_routed, publish_leads

NOWHERE = {"MESHLINE_BROKER_URL": "redis://:secret@127.0.0.1:1/0"}

MAIL_SERVER = {
    "MESHLINE_MAIL_HOST": "mail.example",
    "MESHLINE_MAIL_PORT": "587",
    "MESHLINE_MAIL_FROM": "meshline@example.com",
    "MESHLINE_MAIL_USER": "meshline",
    "MESHLINE_MAIL_PASSWORD": "s3cret",
}
CONTACTS = """\
contacts:
  support-ops@acme.example: {to: [env:DESK_HOOK]}
  triage@acme.example: {to: [env:DESK_HOOK, mail]}
  on-call@agency.example: {to: [env:ON_CALL_HOOK]}
"""
HOOKS = {"DESK_HOOK": "json://127.0.0.1/desk", "ON_CALL_HOOK": "json://127.0.0.1/on-call"}


def findings(meshline: CommandLine, **environment: str) -> dict[str, Any]:
    """The checks by name."""
    ran = meshline("doctor", "--json", **environment)
    checks = ran.document["checks"]
    broken = any(one["health"] == "broken" for one in checks)
    assert ran.code == (1 if broken else 0)
    assert ran.document["ok"] is not broken
    assert all(one["fix"] for one in checks if one["health"] != "ok")
    return {one["check"]: one for one in checks}


def test_what_nobody_would_wake_in_time_is_told_and_so_is_what_was_woken(
    meshline: CommandLine,
) -> None:
    with meshline.store() as store:
        publish_leads(store)
        accept_leads(store, 2)
        (group,) = claim_groups(store)
        drive_to_routed(store, group)
        with store.write() as tx:
            finish_group(tx, group.epoch)
            tx.execute(update(deliveries).values(due_at=after(-60)))

        asleep = findings(meshline)["wake-ups"]
        assert asleep["found"] == "events that are due later than a delivery of theirs: 2"
        assert "meshline relay" in asleep["fix"]

        Search().wake_overlooked(store)
        woken = findings(meshline)["wake-ups"]
        assert woken["found"].startswith("events that a relay had to wake: 2, the last at ")


def test_what_is_held_where_nothing_stands_in_the_way_is_told(meshline: CommandLine) -> None:
    with meshline.store() as store:
        publish_leads(store)
        assert findings(meshline)["wake-ups"]["health"] == "ok"
        accept_leads(store, 1)
        (group,) = claim_groups(store)
        drive_to_routed(store, group)
        with store.write() as tx:
            held = {"state": "held", "held_by": "fake", "updated_at": after(-60)}
            tx.execute(update(deliveries).values(**held))

    found = findings(meshline)["wake-ups"]["found"]
    assert found == "1 deliveries are held at fake, where nothing blocks them"


def test_a_new_machine_is_told_what_to_do_first(meshline: CommandLine) -> None:
    found = findings(meshline)

    assert found["store"]["health"] == "broken"
    assert "meshline workflow publish" in found["store"]["fix"]
    assert "meshline up" in found["broker"]["fix"]
    assert not (meshline.folder / ".meshline").exists()


@pytest.mark.processes
def test_where_everything_is_there_it_is_content(
    meshline: CommandLine, valkey: EmbeddedServer
) -> None:
    meshline.publish()
    everything = {"MESHLINE_BROKER_URL": valkey.url, **MAIL_SERVER}
    for kind in ProcessKind:
        beat(meshline, kind)

    found = findings(meshline, **everything)

    assert {one["health"] for one in found.values()} == {"ok"}
    assert meshline("doctor", **everything).code == 0


def test_a_broker_that_does_not_answer_is_found_without_its_password(
    meshline: CommandLine,
) -> None:
    meshline.publish()

    broker = findings(meshline, **NOWHERE)["broker"]

    assert broker["health"] == "broken"
    assert "secret" not in str(broker)


def test_without_a_live_workflow_nothing_can_be_accepted(meshline: CommandLine) -> None:
    with meshline.store():
        pass

    assert findings(meshline)["workflows"]["health"] == "broken"


def test_a_workflow_whose_connector_is_unknown_here_is_found(meshline: CommandLine) -> None:
    meshline.publish()
    database = meshline.folder / ".meshline" / "meshline.db"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(
            "UPDATE workflow_versions SET definition = replace(definition, 'fake', 'crm')"
        )

    leads = findings(meshline)["acme/leads"]

    assert leads["health"] == "broken"
    assert "crm.record" in leads["found"]


def test_events_that_nobody_drives_on_are_pointed_out(meshline: CommandLine) -> None:
    meshline.leads(2)
    database = meshline.folder / ".meshline" / "meshline.db"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE events SET due_at = due_at - 600000")

    progress = findings(meshline)["progress"]

    assert progress["health"] == "attention"
    assert progress["found"].endswith("a minute: 2")


def test_events_of_a_worker_that_died_are_seen_before_their_lease_ends(
    meshline: CommandLine,
) -> None:
    meshline.leads(2)

    progress = findings(meshline)["progress"]

    assert progress["health"] == "attention"
    assert progress["found"] == "events under way: 2; no relay and no worker runs"
    assert progress["fix"].startswith("start `meshline relay`")


def test_a_destination_that_is_held_back_is_pointed_out(meshline: CommandLine) -> None:
    meshline.leads(1)
    with meshline.store() as store, store.write() as tx:
        pause_circuit(tx, "acme/leads/desk", why="they move house", actor="cli:tester")

    found = findings(meshline)["destination acme/leads/desk"]

    assert found["health"] == "attention"
    assert "they move house" in found["found"]


@pytest.mark.parametrize(("version", "health"), [("9999", "broken"), ("0000", "attention")])
def test_a_schema_of_another_release_is_found_and_left_alone(
    meshline: CommandLine, version: str, health: str
) -> None:
    meshline.publish()
    database = meshline.folder / ".meshline" / "meshline.db"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", [version])

    assert findings(meshline)["store"]["health"] == health
    assert version in findings(meshline)["store"]["found"]


def test_a_spool_that_grew_old_is_found_and_who_owns_it(meshline: CommandLine) -> None:
    meshline.publish()
    assert "spools" not in findings(meshline)
    with meshline.store() as store:
        heard = HeardSpool(key="0123456789ab", spool="aa", waiting=3, is_old=True)
        note_old_spools(store, [heard], None)

    nobodys = findings(meshline)["spools"]
    stewards = findings(meshline, MESHLINE_STEWARD="steward@agency.example")["spools"]

    assert nobodys["health"] == stewards["health"] == "attention"
    assert "events wait over 15 minutes in the spool aa" in nobodys["found"]
    assert "MESHLINE_STEWARD" in nobodys["fix"] and "MESHLINE_STEWARD" not in stewards["fix"]
    assert "the spool aa" in meshline("incidents", "list", "--reason", "old_spool").out
    assert "python -m meshline.spool" in meshline("incidents", "show", "1").out


def test_a_setting_that_is_wrong_ends_the_visit(meshline: CommandLine) -> None:
    found = findings(meshline, MESHLINE_PORT="high")

    assert list(found) == ["settings"]
    assert "MESHLINE_PORT" in found["settings"]["found"]


def test_an_empty_variable_counts_as_not_set(meshline: CommandLine) -> None:
    meshline.publish()
    (meshline.folder / "broken.yaml").write_text("this is not a connector\n")
    empty = {f"MESHLINE_{name.upper()}": "" for name in Settings.model_fields}

    with_empty, without = findings(meshline, **empty), findings(meshline)
    assert with_empty.pop("disk")["health"] == without.pop("disk")["health"]  # others write there
    assert with_empty == without


def test_a_key_of_links_that_can_be_guessed_is_refused(meshline: CommandLine) -> None:
    found = findings(meshline, MESHLINE_LINK_KEY="fifteen-letters")["settings"]

    assert found["health"] == "broken"
    assert found["found"] == (
        "MESHLINE_LINK_KEY: it is under 16 characters; make one with `openssl rand -hex 24`"
    )
    long_enough = findings(meshline, MESHLINE_LINK_KEY="sixteen-letters!")["settings"]
    assert long_enough["health"] == "ok"


def test_a_folder_of_connectors_that_is_not_there_is_found(meshline: CommandLine) -> None:
    found = findings(meshline, MESHLINE_CONNECTORS="nowhere")

    assert found["connectors"]["health"] == "broken"
    assert "nowhere" in found["connectors"]["found"]


def test_a_secret_that_a_live_workflow_needs_is_missed(meshline: CommandLine) -> None:
    (meshline.folder / "connectors").mkdir()
    meshline.write(
        "connectors/fake.yaml",
        """\
connector: fake
kind: http
base_url: env:CRM_URL
actions:
  record:
    idempotency: none
    proof: receipt
    open_fields: true
    create: {path: /records, json: {fields: "{send}"}}
""",
    )
    meshline.publish()

    leads = findings(meshline, MESHLINE_CONNECTORS="connectors")["acme/leads"]

    assert leads["health"] == "attention"
    assert "env:CRM_URL" in leads["found"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "it cannot be read"),
        ("contacts: {a@b.example: {too: [mail]}}", "write `to`"),
    ],
)
def test_contacts_with_which_no_keeper_starts_are_found(
    meshline: CommandLine, text: str | None, said: str
) -> None:
    meshline.publish()
    if text:
        meshline.write("contacts.yaml", text)

    contacts = findings(meshline, MESHLINE_CONTACTS="contacts.yaml")["contacts"]

    assert contacts["health"] == "broken"
    assert "contacts.yaml" in contacts["found"] and said in contacts["found"]
    assert "MESHLINE_CONTACTS" in contacts["fix"]


def test_a_way_to_people_that_leads_nowhere_is_found(meshline: CommandLine) -> None:
    meshline.write("contacts.yaml", CONTACTS)
    environment = {"MESHLINE_CONTACTS": "contacts.yaml", **HOOKS}

    missing = findings(meshline, **environment | {"DESK_HOOK": ""})["contacts"]

    assert missing["health"] == "attention"
    assert "env:DESK_HOOK is not set on this machine" in missing["found"]
    assert missing["found"].startswith("support-ops@acme.example and 1 more: ")
    assert findings(meshline, **environment)["contacts"]["health"] == "ok"


def test_who_is_reached_by_mail_alone_needs_a_mail_server(meshline: CommandLine) -> None:
    meshline.publish()

    mail = findings(meshline)["mail"]

    assert mail["health"] == "attention"
    assert mail["found"].startswith("3 people have no other way")
    assert "env:MESHLINE_MAIL_HOST is not set on this machine" in mail["found"]
    assert findings(meshline, **MAIL_SERVER)["mail"]["health"] == "ok"
    meshline.write("contacts.yaml", CONTACTS)
    others = findings(meshline, MESHLINE_CONTACTS="contacts.yaml", **HOOKS)["mail"]
    assert others["health"] == "ok"


def test_an_owner_whose_address_mail_does_not_take_is_found(meshline: CommandLine) -> None:
    with meshline.store() as store:
        publish_leads(store, TEXT.replace("on-call@agency.example", "j\u00f6rg@agency.example"))

    mail = findings(meshline, **MAIL_SERVER)["mail"]

    assert mail["health"] == "attention"
    assert "j\u00f6rg@agency.example" in mail["found"] and "triage" not in mail["found"]


def test_alerts_that_do_not_arrive_are_counted(meshline: CommandLine) -> None:
    meshline.publish()
    with meshline.store() as store, store.write() as tx:
        for _ in range(4):
            add_test(tx, "triage@acme.example", actor="cli:tester")
    assert findings(meshline)["alerts"]["health"] == "ok"
    with meshline.store() as store, store.write() as tx:
        tx.execute(update(alerts).where(alerts.c.id > 1).values(error="mail: no host"))
    assert findings(meshline)["alerts"]["found"].startswith("3 fail and are tried again")
    with meshline.store() as store, store.write() as tx:
        tx.execute(update(alerts).where(alerts.c.id > 2).values(state="failed"))

    found = findings(meshline)["alerts"]

    assert found["health"] == "attention"
    assert found["found"] == "1 fails and is tried again; 2 failed for good"
    assert "`meshline alerts list --failing`" in found["fix"]
    assert "`meshline alerts retry --failed`" in found["fix"]


def beat(meshline: CommandLine, kind: ProcessKind) -> None:
    with meshline.store() as store:
        Pulse(store, kind, longest_turn_seconds=0).beat("a turn of work")


def fall_silent(meshline: CommandLine, seconds: int) -> None:
    with meshline.store() as store, store.write() as tx:
        tx.execute(update(heartbeats).values(beat_at=after(-seconds)))


@pytest.mark.parametrize("kind", [ProcessKind.DOOR, ProcessKind.RELAY, ProcessKind.WORKER])
def test_a_process_is_alive_late_or_missing(meshline: CommandLine, kind: ProcessKind) -> None:
    meshline.leads(1)
    never = findings(meshline)[kind]
    assert (never["health"], never["found"].split(":")[0]) == ("attention", "missing")
    assert never["fix"].startswith("start `meshline ")

    beat(meshline, kind)
    alive = findings(meshline)[kind]
    assert (alive["health"], alive["found"].split(";")[0]) == ("ok", "alive: 1")
    assert alive["found"].endswith(": a turn of work")

    fall_silent(meshline, 60)
    late = findings(meshline)[kind]
    assert (late["health"], late["found"].split(":")[0]) == ("attention", "late")
    assert "still runs and what its log says" in late["fix"]

    fall_silent(meshline, 3_600)
    gone = findings(meshline)[kind]
    assert (gone["health"], gone["found"].split(":")[0]) == ("attention", "missing")


def test_one_of_two_that_fell_silent_is_named(meshline: CommandLine) -> None:
    meshline.leads(1)
    beat(meshline, ProcessKind.RELAY)
    fall_silent(meshline, 60)
    beat(meshline, ProcessKind.RELAY)

    found = findings(meshline)["relay"]

    assert found["health"] == "attention"
    assert found["found"].startswith("alive: 1; ")
    assert "; late: 1; last heard of " in found["found"]


def test_how_many_run_is_said_and_each_late_one_is_named(meshline: CommandLine) -> None:
    meshline.leads(1)
    names = [f"host-{letter}:1:0a1b2c" for letter in "abcd"]
    with meshline.store() as store:
        for name in names:
            Pulse(store, ProcessKind.RELAY, longest_turn_seconds=0, instance=name).beat("a turn")
    fall_silent(meshline, 60)

    def told() -> str:
        return re.sub(r"\d+ s ago", "a while ago", findings(meshline)["relay"]["found"])

    each = [f"{name} a while ago" for name in names]
    assert told() == f"late: 4; last heard of {', '.join(each)}"

    with meshline.store() as store, store.write() as tx:
        fresh = heartbeats.c.instance.in_(names[2:])
        tx.execute(update(heartbeats).where(fresh).values(beat_at=after(0)))

    assert told().startswith("alive: 2; ")
    assert told().endswith(f"; late: 2; last heard of {each[0]}, {each[1]}")


def test_a_container_is_probed_by_the_beat_of_its_own_process(meshline: CommandLine) -> None:
    meshline.leads(1)
    assert meshline("doctor", "--process", "relay").code == 1
    beat(meshline, ProcessKind.RELAY)
    assert meshline("doctor", "--process", "relay").code == 0
    assert meshline("doctor", "--process", "worker").code == 1

    with meshline.store() as store, store.write() as tx:
        tx.execute(update(heartbeats).values(host="another-container"))

    assert meshline("doctor", "--process", "relay").code == 1


def test_what_a_keeper_would_have_done_is_missed(meshline: CommandLine) -> None:
    meshline.leads(2, tier="gold")
    none = findings(meshline)["keeper"]
    assert none["health"] == "attention", "nothing waits yet, and yet no keeper runs"
    assert none["found"] == "missing: no keeper has a heartbeat"
    beat(meshline, ProcessKind.KEEPER)
    assert findings(meshline)["keeper"]["health"] == "ok"  # there was no time to do it
    with meshline.store() as store, store.write() as tx:
        tx.execute(update(incidents).values(opened_at=after(-70)))

    untold = findings(meshline)["keeper"]

    assert untold["health"] == "attention"
    assert untold["found"].startswith("incidents unannounced for over 1m: 1; alive: 1")
    assert "`meshline keeper`" in untold["fix"]
    patient = findings(meshline, MESHLINE_KEEPER_SECONDS="60")["keeper"]
    assert patient["health"] == "ok"

    with meshline.store() as store:
        keep_clocks(store, TermsShelf())
        assert findings(meshline)["keeper"]["health"] == "ok"
        with store.write() as tx:
            tx.execute(update(alerts).values(due_at=after(-70)))
            for table in (incidents, quarantine):
                tx.execute(update(table).values(recover_by=after(-70)))

    found = findings(meshline)["keeper"]["found"]

    assert "alerts that are due for over 1m: 1" in found
    assert "clocks that ran out over 1m ago and are not recorded: 1" in found


@pytest.mark.parametrize(
    ("free", "health"), [(10**12, "ok"), (5 * 10**8, "attention"), (10**7, "broken")]
)
def test_a_disk_that_is_nearly_full_is_found(
    meshline: CommandLine, monkeypatch: pytest.MonkeyPatch, free: int, health: str
) -> None:
    full = shutil.disk_usage(meshline.folder)._replace(free=free)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)

    assert findings(meshline)["disk"]["health"] == health


def test_the_doctor_names_the_proxy_that_calls_go_out_by_and_never_its_login(
    meshline: CommandLine,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        there = f"127.0.0.1:{proxy.getsockname()[1]}"
        found = findings(meshline, MESHLINE_PROXY=f"http://me:s3cret@{there}")["proxy"]
    gone = findings(meshline, MESHLINE_PROXY=f"http://me:s3cret@{there}")["proxy"]
    odd = findings(meshline, HTTPS_PROXY="socks5://me:s3cret@localhost:1")["proxy"]

    assert found["health"] == "ok"
    assert found["found"] == f"calls to https:// and http:// go out by http://{there}"
    assert (gone["health"], odd["health"]) == ("broken", "broken")
    assert "cannot be reached" in gone["found"]
    assert odd["found"].startswith("HTTPS_PROXY: a proxy that speaks 'socks5' is not used")
    assert "proxy" not in findings(meshline)
