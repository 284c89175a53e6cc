"""`meshline connectors`: from an idea of a definition to a call that is seen to be right."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jsonschema
import pytest

from tests.cli.desk import CommandLine

DEFINITION = """\
connector: desk
kind: http
title: The desk
base_url: env:DESK_URL
private_network: true
auth: {bearer: "env:DESK_TOKEN"}
secrets: {PROJECT: "env:DESK_PROJECT"}
actions:
  open:
    idempotency: lookup
    proof: read_back
    required: [title]
    create:
      path: "/{secret.PROJECT}/tickets"
      json: {key: "{key}", title: "{send.title}"}
      record_id: id
    lookup: {path: /tickets, query: {key: "{key}"}, items: items, record_id: id}
    read: {path: "/tickets/{record_id}", fields: {title: title}}
    undo: {path: "/tickets/{record_id}"}
"""
SECRETS = {"DESK_TOKEN": "t0ken-s3cret", "DESK_PROJECT": "pr0ject/s3cret"}


class Desk:
    """A small helpdesk in a thread of its own, which repeats what it should keep to itself."""

    def __init__(self) -> None:
        self.tickets: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, object]:
        self.asked.append(method)
        if method == "POST":
            ticket = json.loads(body)
            self.tickets[f"T{len(self.tickets) + 1}"] = ticket
            return 201, {"id": f"T{len(self.tickets)}", "seen": SECRETS["DESK_TOKEN"]}
        if "?" in path:
            return 200, {"items": []}
        name = path.rpartition("/")[2]
        if method == "DELETE":
            self.tickets.pop(name, None)
            return 200, {}
        return (200, self.tickets[name]) if name in self.tickets else (404, {"error": "no"})


@pytest.fixture
def desk(meshline: CommandLine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    desk = Desk()

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, said = desk.answer(self.command, self.path, body)
            text = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_DELETE = _do  # noqa: N815 -- the standard library's names

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("DESK_URL", f"http://127.0.0.1:{server.server_port}")
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    meshline.write("desk.yaml", DEFINITION)
    yield desk
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_right_definition_is_named_and_a_wrong_one_told_with_every_fault(
    meshline: CommandLine,
) -> None:
    meshline.write("desk.yaml", DEFINITION)
    wrong = DEFINITION.replace("{key}", "{kye}", 1).replace("record_id: id}", "recordid: id}")
    meshline.write("wrong.yaml", wrong)
    meshline.write("other.yaml", DEFINITION.replace("/{secret.PROJECT}", "/{secret.OTHER}"))

    right = meshline("connectors", "check", "desk.yaml")
    done = meshline("connectors", "check", "wrong.yaml", "desk.yaml", "other.yaml")

    assert right.code == 0
    ok, note = right.out.splitlines()
    assert ok == "desk.yaml: ok: desk, of kind http"
    assert note.startswith("  note: actions.open.lookup does not say how it knows that its list is")
    assert done.code == 1
    assert "wrong.yaml:17: actions.open.lookup.recordid: this key is not known" in done.err
    assert "other.yaml:14: actions.open.create.path: there is no secret OTHER" in done.err
    found = meshline("connectors", "check", "wrong.yaml", "--json").document
    assert not found["ok"]
    assert {one["file"] for one in found["faults"]} == {"wrong.yaml"}
    (told,) = meshline("connectors", "check", "desk.yaml", "--json").document["connectors"]
    assert told["notes"] == [note.removeprefix("  note: ")]


def test_a_write_is_shown_and_not_sent_until_it_is_meant(meshline: CommandLine, desk: Desk) -> None:
    ask = ("connectors", "try", "desk.yaml", "--action", "open", "--field", "title=Hello", "--json")

    shown = meshline(*ask).document
    assert desk.asked == []
    done = meshline(*ask, "--yes").document

    assert shown["dry_run"]
    (exchange,) = shown["exchanges"]
    assert exchange["method"] == "POST"
    assert json.loads(exchange["body"])["title"] == "Hello"
    assert done["result"]["outcome"] == "confirmed"
    assert [one["purpose"] for one in done["exchanges"]] == ["create", "read"]
    assert desk.asked == ["POST", "GET"]


@pytest.mark.parametrize("mode", [(), ("--json",)])
def test_no_secret_is_shown(meshline: CommandLine, desk: Desk, mode: tuple[str, ...]) -> None:
    done = meshline(
        "connectors", "try", "desk.yaml", "--action", "open", "--field", "title=x", "--yes", *mode
    )

    assert done.code == 0
    assert "Bearer ***" in done.out
    assert "/***/tickets" in done.out
    for secret in ("s3cret", "pr0ject"):
        assert secret not in done.out + done.err


def test_each_request_can_be_tried_alone(meshline: CommandLine, desk: Desk) -> None:
    ask = ("connectors", "try", "desk.yaml", "--action", "open", "--json", "--operation")
    title = ("--fields", '{"title": "Hello"}')

    made = meshline(*ask, "write", *title, "--yes").document["result"]
    looked = meshline(*ask, "lookup", *title, "--key", "k").document["result"]
    read = meshline(*ask, "read", "--record", "T1").document["result"]
    undone = meshline(*ask, "undo", "--record", "T1", "--yes").document["result"]
    again = meshline(*ask, "read", "--record", "T1").document["result"]

    assert made == {"ok": True, "record_id": "T1"}
    assert looked == {"ok": True, "found": False, "record_id": None}
    assert read == {"ok": True, "found": True, "fields": {"title": "Hello"}}
    assert undone == {"ok": True, "record_id": "T1"}
    assert again == {"ok": True, "found": False, "fields": None}


def test_what_a_failure_means_is_said(
    meshline: CommandLine, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "answer", lambda *_: (401, {"error": "no"}))
    ask = ("connectors", "try", "desk.yaml", "--action", "open", "--field", "title=x", "--yes")

    done = meshline(*ask, "--operation", "write", "--json")

    assert done.code == 1
    assert done.document["result"]["means"] == "unauthorized"
    assert done.document["exchanges"][0]["answer"]["status"] == 401


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--action", "open", "--operation", "erad"), "write `read`"),
        (("--action", "open", "--operation", "undo"), "undo needs a record; give its id"),
        (("--action", "open", "--field", "title"), "write NAME=TEXT"),
        (("--action", "open", "--fields", "[1]"), "it is not a JSON object"),
    ],
)
def test_what_cannot_be_tried_is_said_with_the_fix(
    meshline: CommandLine, options: tuple[str, ...], said: str
) -> None:
    meshline.write("desk.yaml", DEFINITION)

    assert said in meshline("connectors", "try", "desk.yaml", *options).usage


def test_an_action_that_the_connector_has_not_is_refused(meshline: CommandLine) -> None:
    meshline.write("desk.yaml", DEFINITION)

    refused = meshline("connectors", "try", "desk.yaml", "--action", "close").error

    assert "desk has no action close; use one of `open`" in refused


def test_a_mail_cannot_be_shown_without_sending_it(meshline: CommandLine) -> None:
    done = meshline("connectors", "try", "mail", "--action", "send_mail")

    assert "only an HTTP connector can show a handoff" in done.error


def test_a_listing_says_where_each_comes_from_and_what_it_lacks(
    meshline: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    (meshline.folder / "mine").mkdir()
    meshline.write("mine/desk.yaml", DEFINITION)
    monkeypatch.setenv("DESK_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("DESK_TOKEN", "t0ken-s3cret")

    listed = meshline("connectors", "list", "--json", MESHLINE_CONNECTORS="mine")
    table = meshline("connectors", "list", MESHLINE_CONNECTORS="mine", COLUMNS="200")
    shown = meshline("connectors", "show", "desk", MESHLINE_CONNECTORS="mine")

    found = {one["name"]: one for one in listed.document["connectors"]}
    assert found["fake"]["from"] == "shipped"
    assert found["desk"]["from"] == "mine/desk.yaml"
    assert found["desk"]["references"] == [
        {"reference": "env:DESK_PROJECT", "set": False},
        {"reference": "env:DESK_TOKEN", "set": True},
        {"reference": "env:DESK_URL", "set": True},
    ]
    assert found["desk"]["actions"]["open"]["can_undo"]
    assert "t0ken" not in listed.out
    assert "mine/desk.yaml" in table.out
    assert "env:DESK_PROJECT: not set here" in shown.out


def test_the_schema_takes_what_the_check_takes(meshline: CommandLine) -> None:
    from connectors.definition.extending import SHIPPED, definition_files
    from orchestrator.domain.documents import strict_yaml

    schema = meshline("connectors", "schema").document
    validator = jsonschema.Draft202012Validator(schema)

    for path in definition_files(SHIPPED):
        validator.validate(strict_yaml.parse(path.read_text()).value)
    assert not validator.is_valid(strict_yaml.parse(DEFINITION.replace("proof:", "prof:")).value)
    assert not validator.is_valid(strict_yaml.parse(DEFINITION.replace("read_back", "hope")).value)
