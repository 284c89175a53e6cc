"""Definitions: what is refused, how it is said, and which connectors there are."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from connectors.definition_file import parse_definition
from connectors.kinds import KINDS
from connectors.registry import catalog, load_connectors, unresolved
from orchestrator.domain.delivery.handoff import Idempotency, Proof
from orchestrator.domain.errors import InvalidFile
from tests.connectors.rigs import PROJECT

GOOD = """
connector: desk
kind: http
base_url: https://desk.example.com/api
auth: {bearer: "env:DESK_TOKEN"}
actions:
  open:
    idempotency: lookup
    proof: read_back
    required: [title]
    optional: [queue]
    settle: 2s
    timeout: 8s
    max_in_flight: 4
    create:
      path: /tickets
      json: {key: "{key}", title: "{send.title}", queue: "{send.queue}"}
      record_id: id
    lookup: {path: /tickets, query: {key: "{key}"}, items: items, record_id: id}
    read: {path: "/tickets/{record_id}", fields: {title: title, queue: queue.name}}
"""


def faults(text: str) -> list[str]:
    with pytest.raises(InvalidFile) as caught:
        parse_definition(text, name="desk.yaml")
    return [str(fault) for fault in caught.value.faults]


def test_a_definition_becomes_a_connector_that_declares_what_it_says(tmp_path: Path) -> None:
    (tmp_path / "desk.yaml").write_text(GOOD)

    action = catalog(load_connectors(tmp_path))["desk"]["open"]

    assert (action.name, action.idempotency, action.proof) == (
        "open",
        Idempotency.LOOKUP,
        Proof.READ_BACK,
    )
    assert action.required == {"title"}
    assert action.optional == {"queue"}
    assert action.readable == {"title", "queue"}
    assert (action.settle_seconds, action.timeout_seconds, action.max_in_flight) == (2.0, 8.0, 4)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("kind: http", "kind: htpp", "kind: it is missing or unknown; write `http`"),
        ("https://desk", "ftp://desk", "line 4: base_url: it is not http://host or https://host"),
        ("https://desk", "https://me:pw@desk", "belongs under `auth`"),
        ("https://desk", "https://desk.example.com?x=", "no path can follow"),
        (
            '"env:DESK_TOKEN"',
            "abc123",
            "line 5: auth.bearer: it is not a reference; write env:NAME",
        ),
        ("{bearer:", "{bearre:", "this key is not known; write `bearer`"),
        (
            "idempotency: lookup",
            "",
            "it is missing; add `idempotency: native_key, conflict, lookup",
        ),
        (
            "idempotency: lookup",
            "idempotency: hope",
            "write native_key or conflict or",
        ),
        ("idempotency: lookup", "idempotency: none", "none never looks up"),
        (
            "idempotency: lookup",
            "idempotnecy: lookup",
            "is not known; write `idempotency`",
        ),
        ("proof: read_back", "proof: receipt", "a receipt is never read back"),
        ("timeout: 8s", "timeout: 8", "write a number and a unit: 10s"),
        ("timeout: 8s", "timeout: 2m", "write 10ms to 50s"),
        ("max_in_flight: 4", "max_in_flight: 0", "write at least 1"),
        ("max_in_flight: 4", 'max_in_flight: "4"', "write a whole number"),
        ("path: /tickets\n", "path: tickets\n", 'write a path that starts with one "/"'),
        ("path: /tickets\n", "path: '/{send.queue}'\n", "queue may be missing, and a path must"),
        ("path: /tickets\n", "path: '/{record_id}'\n", "known only to `read`, `update`"),
        ('"{send.title}"', '"{send.titel}"', "the action takes no field titel"),
        ('"{send.title}"', "fixed", "title is taken and never sent; put {send.title} into it"),
        ('"{send.title}"', '"{title}"', "{title} is not a placeholder"),
        ('key: "{key}", title', "title", "it does not send the key"),
        ('{key: "{key}"}, items', "{all: yes}, items", "it does not ask for the key"),
        ("items: items, ", "", "no record; write items: PATH of the list, or absent_status: 404"),
        ("/{record_id}", "", "it does not ask for the record"),
        ("      record_id: id\n", "", "it does not take the record's id"),
        ("queue: queue.name", "priority: p", "the action takes no field priority"),
        ("optional: [queue]", "optional: [queue, title]", "title is required too"),
        ("path: /tickets\n", "path: /tickets\n      method: put\n", "HTTP lets a PUT be repeated"),
        ("path: /tickets\n", "path: /tickets\n      method: get\n", "create.method"),
        ("actions:", "headers: {Authorization: abc}\nactions:", "a secret must not be here"),
        ("actions:", "headers: {Host: x}\nactions:", "this header is written for every request"),
        ("actions:", "headers: {'a b': x}\nactions:", "it is not a header name"),
        ("connector: desk", "connector: Desk!", "connector: it is not a plain name"),
        ("connector: desk", "connector: desk\nconnector: other", "this key comes twice"),
        ("actions:", "actions: []\nother:", "actions"),
    ],
)
def test_a_wrong_definition_is_refused_with_the_place_and_the_fix(
    old: str, new: str, said: str
) -> None:
    assert old in GOOD
    text = GOOD.replace(old, new, 1)

    assert any(said in fault for fault in faults(text)), faults(text)


def test_every_fault_is_said_at_once() -> None:
    text = (
        GOOD.replace("/tickets\n", "tickets\n")
        .replace("https:", "ftp:")
        .replace("items: items, ", "")
    )

    assert len(faults(text)) == 3


@pytest.mark.parametrize("text", ["", "[]", "a: [", "kind: 7", "\t", "kind: [http]"])
def test_what_is_no_definition_is_refused_in_one_line(text: str) -> None:
    assert len(faults(text)) == 1


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "desk.yaml").write_bytes(b"connector: \xff\xfe")

    with pytest.raises(InvalidFile, match="not UTF-8"):
        load_connectors(tmp_path)


def test_two_files_for_one_connector_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD)
    (tmp_path / "b.yml").write_text(GOOD)

    with pytest.raises(InvalidFile, match=r"a\.yaml defines the connector desk too"):
        load_connectors(tmp_path)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match="there is no such folder"):
        load_connectors(tmp_path / "nowhere")


def test_a_definition_of_ones_own_takes_the_place_of_a_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "mail.yaml").write_text(GOOD.replace("connector: desk", "connector: mail"))

    assert set(load_connectors(tmp_path)["mail"].actions) == {"open"}
    assert set(load_connectors(None)["mail"].actions) == {"send_mail"}


def test_a_definition_loads_where_its_secrets_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "desk.yaml").write_text(GOOD)
    monkeypatch.delenv("DESK_TOKEN", raising=False)

    assert "desk" in load_connectors(tmp_path)
    assert unresolved(tmp_path)["desk"] == "env:DESK_TOKEN is not set on this machine"
    monkeypatch.setenv("DESK_TOKEN", "s3cret")
    assert "desk" not in unresolved(tmp_path)


def test_a_secret_in_a_file_lies_beside_its_definition(tmp_path: Path) -> None:
    (tmp_path / "desk.yaml").write_text(GOOD.replace("env:DESK_TOKEN", "file:token.txt"))
    assert "file:token.txt cannot be read" in unresolved(tmp_path)["desk"]

    (tmp_path / "token.txt").write_text("s3cret\n")
    assert "desk" not in unresolved(tmp_path)

    (tmp_path / "token.txt").write_text("s3cret\r\nX-Evil: 1")
    assert "file:token.txt holds a line break" in unresolved(tmp_path)["desk"]


def test_the_definitions_that_the_demo_uses_are_right() -> None:
    connectors = load_connectors(PROJECT / "workflows/connectors")

    assert set(connectors) >= {"crm", "fake", "helpdesk", "mail"}


def test_loading_connectors_loads_no_client_library() -> None:
    program = (
        "import sys; from connectors.registry import load_connectors; load_connectors(None);"
        "print(sorted({'aiohttp', 'aiosmtplib', 'celery', 'sqlalchemy'} & set(sys.modules)))"
    )

    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=PROJECT
    )

    assert said.stdout.strip() == "[]"


def test_every_key_of_a_definition_is_told_of() -> None:
    page = (PROJECT / "docs/reference/connectors.md").read_text()
    told = set(re.findall(r"[a-z0-9_]+", page))
    models = {model for kind in KINDS.values() for model in (kind.model, *kind.places.values())}

    for model in models:
        for name, field in model.model_fields.items():
            assert (field.alias or name) in told, f"{model.__name__}.{name}"
