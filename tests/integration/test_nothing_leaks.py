"""Personal values and secrets are planted everywhere; nothing tells of them that should not."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from orchestrator.embedded.ready import says
from tests.cli.desk import CommandLine
from tests.dashboard.rig import running_flower
from tests.integration.pairs import Pair
from tests.integration.system import System, running_system
from tests.keeper.receivers import Hook, web_hook
from tests.store.looking import columns_with, files_with

pytestmark = pytest.mark.processes

MAIL = "ada.lovelace@private.example"
KEYED = "grace.hopper@private.example"
PHONE = "+49 170 5556677"
PERSONAL = (MAIL, KEYED, "5556677", "lovelace", "hopper@")

TOKEN, IN_PATH, IN_QUERY = "tok-7h3s3cr3t", "pa7h-s3cr3t-part", "qu3ry-s3cr3t"
SECRETS = (TOKEN, IN_PATH, IN_QUERY)

LINK_KEY = "a-key-of-signed-links"
OWNER = "triage@acme.example"

WORKFLOW = """\
workflow: people
client: acme
title: People reach the desk
trigger: {type: person.came}
owners:
  owner: support-ops@acme.example
  recovery_lead: triage@acme.example
  approver: head-of-support@acme.example
  backstop: on-call@agency.example
contract:
  type: object
  additionalProperties: false
  required: [email]
  properties:
    email: {type: string, format: email}
    phone: {type: string}
    seats: {type: integer}
    contacts: {type: object, additionalProperties: {$ref: "#/$defs/person"}}
  $defs:
    person: {type: object, additionalProperties: false, properties: {age: {type: integer}}}
facts: {email: data.email, phone: {value: data.phone, optional: true}}
routes:
  - {when: 'true', to: [desk]}
destinations:
  desk: {connector: echo, action: keep, send: {email: email, phone: phone}, confirm: [email]}
retries: {limit: 2, first: 200ms, factor: 1, ceiling: 1s}
sla: {deliver_within: 15m, recover_within: 72h}
"""

CONNECTOR = """\
connector: echo
kind: http
base_url: env:ECHO_URL
private_network: true
auth: {bearer: "env:ECHO_TOKEN"}
actions:
  keep:
    idempotency: none
    proof: read_back
    open_fields: true
    timeout: 5s
    create:
      path: /people
      json: "{send}"
      record_id: id
    read:
      path: /people/{record_id}
      fields: fields
"""

CONTACTS = """\
contacts:
  support-ops@acme.example: {to: [env:DESK_HOOK]}
  triage@acme.example: {to: [env:DESK_HOOK]}
  head-of-support@acme.example: {to: [env:DESK_HOOK]}
  on-call@agency.example: {to: [env:DESK_HOOK]}
"""


class Echo(BaseHTTPRequestHandler):
    """A vendor that refuses, and repeats in its answer all that it was sent."""

    def do_POST(self) -> None:
        """Say no, with everything in it."""
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        parts = [piece for piece in self.path.split("/") if piece]
        said = {"message": f"{self.path} {parts} {dict(self.headers)} {sent} is not taken"}
        body = json.dumps(said).encode()
        self.send_response(422)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """No word on stderr."""


@contextmanager
def echoing_vendor() -> Iterator[str]:
    """The vendor; its address, which holds secrets of its own."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/hooks/{IN_PATH}"
        server.shutdown()


@dataclass(kw_only=True)
class Story:
    """The system, and what came out of it so far."""

    system: System
    home: Path
    hook: Hook
    shell: CommandLine
    door: str = ""
    key: str = ""

    def meshline(self, *words: str) -> str:
        """What a command says, on both streams."""
        ran = self.shell(*words, **self.system.environment)
        assert "Traceback" not in ran.err
        return ran.out + ran.err

    def post(self, body: object, **headers: str) -> str:
        """What the door answers."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        request = urllib.request.Request(
            f"{self.door}/v1/events", data=raw, headers=sent | headers, method="POST"
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            return error.read().decode()

    def logs(self) -> str:
        """What every process has written."""
        return "\n".join(
            path.read_text(errors="replace") for path in sorted(self.home.rglob("*.log"))
        )


@pytest.fixture
def story(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Story]:
    """Door, relay, worker and keeper around a store in a file, and a vendor that repeats all."""
    home = tmp_path / "home"
    pair = Pair(store_url=f"sqlite:///{tmp_path / 'store.db'}")
    with running_system(home, pair) as system, web_hook() as hook, echoing_vendor() as vendor:
        (home / "connectors" / "echo.yaml").write_text(CONNECTOR)
        (home / "contacts.yaml").write_text(CONTACTS)
        (home / "people.yaml").write_text(WORKFLOW)
        system.environment |= {
            "MESHLINE_CONTACTS": str(home / "contacts.yaml"),
            "MESHLINE_ALERT_DIGEST_SECONDS": "1",
            "MESHLINE_KEEPER_SECONDS": "0.2",
            "MESHLINE_LINK_KEY": LINK_KEY,
            "MESHLINE_DASHBOARD_URL": "https://desk.example/",
            "ECHO_URL": vendor,
            "ECHO_TOKEN": TOKEN,
            "DESK_HOOK": f"json://operator:{IN_QUERY}@127.0.0.1:{hook.port}/desk",
        }
        shell = CommandLine(tmp_path, monkeypatch, capsys)
        told = Story(system=system, home=home, hook=hook, shell=shell)
        assert "version 1" in told.meshline("workflow", "publish", str(home / "people.yaml"))
        created = told.meshline("keys", "create", "--client", "acme", "--label", "the form")
        told.key = next(word for word in created.split() if word.startswith("mk_"))
        told.door = system.start_door()
        system.start_relay()
        system.start_worker(processes=1)
        keeper = ("orchestrator.cli.main", "keeper")
        system._start("keeper", keeper, ready=says("keeping"))
        yield told


def plant(story: Story) -> tuple[list[str], list[str]]:
    """Send what tells of somebody, wherever a sender can; the ids, and what was answered."""
    good = {"email": MAIL, "phone": PHONE}
    triggers = [
        {"type": "person.came", "data": good, "idempotency_key": f"order of {MAIL}"},
        {"type": "person.came", "data": {**good, "seats": PHONE}},
        {"type": "person.came", "data": {**good, MAIL: "a name of the sender's"}},
        {"type": "person.came", "data": {**good, "contacts": {KEYED: {"age": MAIL}}}},
        {"type": "person.came", "data": {**good, "contacts": {KEYED: {MAIL: 1}}}},
        {"type": "person.came", "data": {"email": PHONE}},
    ]
    answers = [story.post(one, **{"X-Person": MAIL, "User-Agent": KEYED}) for one in triggers]
    ids = [json.loads(one)["id"] for one in answers]
    refused = [
        story.post({"type": f"person.{MAIL}", "data": good}),
        story.post({"type": "person.came", "data": good, MAIL: 1}),
        story.post(f'{{"type": "person.came", "data": {{"email": "{MAIL}" '.encode()),
        story.post({**triggers[0], "data": {"email": KEYED}}),
    ]
    assert all('"status"' in one for one in refused), refused
    story.system.wait_until_settled(len(ids))
    return ids, answers


def wait_for_alerts(story: Story) -> list[Any]:
    """What arrived at the desk, once every incident was told of, alone or with others."""
    end = time.monotonic() + 60
    while True:
        with story.system.store.read() as tx:
            opened = tx.execute(text("SELECT count(*) FROM incidents")).scalar_one()
            told = text("SELECT count(*) FROM alerts WHERE state = 'sent'")
            waiting = text("SELECT count(*) FROM alerts WHERE state = 'waiting'")
            sent, left = tx.execute(told).scalar_one(), tx.execute(waiting).scalar_one()
        if opened and sent >= opened and not left:
            return list(story.hook.posted)
        assert time.monotonic() < end, (opened, sent, left, story.hook.posted)
        time.sleep(0.1)


def holding(what: str, planted: tuple[str, ...]) -> list[str]:
    """Which of the planted texts are in it."""
    return [one for one in planted if one.casefold() in what.casefold()]


def test_nothing_tells_of_what_was_planted(story: Story) -> None:
    ids, _ = plant(story)
    alerts = wait_for_alerts(story)
    with story.system.store.read() as tx:
        titles = list(tx.execute(text("SELECT title FROM incidents")).scalars())
    opened = story.meshline("incidents", "list", "--json")
    desk = "".join(
        story.meshline(*words)
        for words in (
            ("events", "list"),
            ("quarantine", "list"),
            *(("events", "show", one) for one in ids),
            ("audit",),
            ("destinations", "list"),
            ("alerts", "list"),
            ("doctor",),
            ("connectors", "show", "echo"),
        )
    )

    # What goes out, and what is read without a login, tells of nobody, before any erasure.
    assert {name: holding(str(found), PERSONAL + SECRETS) for name, found in {
        "titles": titles, "alerts": alerts, "incidents": opened, "logs": story.logs(),
    }.items()} == {"titles": [], "alerts": [], "incidents": [], "logs": []}  # fmt: skip
    # A secret is nowhere, not even where values may be read.
    assert holding(desk, SECRETS) == []
    assert columns_with(story.system.store, SECRETS) == []

    story.meshline("incidents", "acknowledge", "1", "--why", f"{MAIL} called from {PHONE}")
    story.meshline("destinations", "pause", "echo", "--why", f"until {KEYED} has answered")
    story.meshline("quarantine", "fix", ids[5], "--set", f"email=new.{MAIL}")
    assert columns_with(story.system.store, PERSONAL)

    done = json.loads(
        story.meshline(
            "erase", *ids, "--discard", "--why", f"{MAIL} asked", "--yes", "--json"
        )
    )  # fmt: skip

    assert sorted(done["ids"]) == sorted(ids), done
    assert columns_with(story.system.store, PERSONAL) == []
    if done["scrubbed"]:
        assert files_with(story.system.store, PERSONAL) == []
    shown = "".join(
        story.meshline(*words)
        for words in (
            ("audit", "--json"),
            ("incidents", "list"),
            *(("incidents", "show", str(one + 1)) for one in range(len(titles))),
            *(("events", "show", one, "--payload", "--json") for one in ids),
            ("destinations", "list"),
        )
    )
    assert holding(shown, PERSONAL + SECRETS) == []
    assert holding(story.logs(), PERSONAL + SECRETS) == []
    again = json.loads(
        story.post(
            {"type": "person.came", "data": {"email": MAIL, "phone": PHONE},
             "idempotency_key": f"order of {MAIL}"}
        )
    )  # fmt: skip
    assert again["id"] == ids[0] and again["duplicate"]


def test_the_pages_tell_of_nobody_once_they_are_erased(story: Story, tmp_path: Path) -> None:
    ids, _ = plant(story)
    story.meshline("erase", *ids, "--discard", "--why", "asked", "--yes")

    folder = tmp_path / "flower"
    folder.mkdir()
    store_url = story.system.environment["MESHLINE_DATABASE_URL"]
    with running_flower(folder, store_url=store_url, broker_url=story.system.broker.url) as page:
        paths = ("/events", "/incidents/1", *(f"/events/{one}" for one in ids))
        pages = [page.get(one) for one in paths]
        log = page.log.read_text()

    assert {one.status_code for one in pages} == {200}
    assert holding("".join(one.text for one in pages) + log, PERSONAL + SECRETS) == []
