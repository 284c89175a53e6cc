"""`meshline sources`: what there is, whether a file is right, and what a request becomes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.desk import CommandLine
from tests.hooks import REQUESTS, SECRET, source_text

AT = "2023-11-14T22:13:20Z"
WORKFLOW = """\
workflow: issues
client: acme
title: New issues reach the desk
trigger: {type: github.issues.opened}
owners:
  owner: a@acme.example
  recovery_lead: b@acme.example
  approver: c@acme.example
  backstop: d@acme.example
contract:
  type: object
  required: [issue]
  properties:
    issue: {type: object, required: [title], properties: {title: {type: string}}}
facts: {title: data.issue.title}
routes: [{when: 'title != ""', to: [desk]}]
destinations:
  desk: {connector: fake, action: record, send: {title: title}, confirm: [title]}
sla: {deliver_within: 15m, recover_within: 72h}
"""


@pytest.fixture
def folder(meshline: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder with one source, whose secret is there."""
    del meshline  # it makes the environment first
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "github.yaml").write_text(source_text("github"))
    monkeypatch.setenv("MESHLINE_SOURCES", str(sources))
    monkeypatch.setenv("MESHLINE_HOOK_SECRET", SECRET)
    return sources


def test_sources_are_listed_with_their_address_and_whether_they_are_open(
    meshline: CommandLine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = meshline("sources", "list", "--json")
    monkeypatch.delenv("MESHLINE_HOOK_SECRET")
    closed = meshline("sources", "list", "--json")

    (one,) = json.loads(listed.out)["sources"]
    assert (one["name"], one["path"], one["open"]) == ("github", "/v1/hooks/github", True)
    assert json.loads(closed.out)["sources"][0]["missing"] == [
        "env:MESHLINE_HOOK_SECRET is not set on this machine"
    ]
    assert "github" in meshline("sources", "list").out
    assert "stripe" in meshline("sources", "list", "--shipped").out
    assert folder.is_dir()


def test_a_check_says_every_fault_and_notes_a_secret_that_is_missing(
    meshline: CommandLine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = folder / "wrong.yaml"
    wrong.write_text("source: wrong\nextends: githb\n")
    monkeypatch.delenv("MESHLINE_HOOK_SECRET")

    good = meshline("sources", "check", str(folder / "github.yaml"))
    bad = meshline("sources", "check", str(wrong), "--json")

    assert good.code == 0
    assert "note: env:MESHLINE_HOOK_SECRET is not set" in good.out
    assert bad.code == 1
    assert {one["path"] for one in json.loads(bad.out)["faults"]} >= {"extends", "client"}


def test_a_saved_request_shows_proof_type_key_and_what_its_workflow_would_do(
    meshline: CommandLine, folder: Path, tmp_path: Path
) -> None:
    request = str(REQUESTS / "github.http")
    words = ("sources", "try", str(folder / "github.yaml"), "--request", request)
    unknown = meshline(*words, "--json")
    (tmp_path / "issues.yaml").write_text(WORKFLOW)
    published = meshline("workflow", "publish", str(tmp_path / "issues.yaml"))
    known = meshline(*words, "--json")

    assert published.code == 0, published.err
    (event,) = json.loads(known.out)["events"]
    assert json.loads(known.out)["by"] == "hmac-sha256, secret 1 of 1"
    assert event["type"] == "github.issues.opened"
    assert event["idempotency_key"] == "github:72d3162e-cc78-11e3-81ab-4c9367dc0958"
    assert (event["workflow"], event["would"]) == ("issues", "would be routed to desk")
    assert json.loads(unknown.out)["events"][0]["workflow"] is None
    assert "hmac-sha256" in meshline(*words).out


def test_a_request_that_is_not_proven_is_refused_and_why_is_said(
    meshline: CommandLine, folder: Path, tmp_path: Path
) -> None:
    (folder / "stripe.yaml").write_text(source_text("stripe"))
    changed = tmp_path / "changed.http"
    changed.write_bytes((REQUESTS / "stripe.http").read_bytes().replace(b"4200", b"4201"))

    old = meshline("sources", "try", "stripe", "--request", str(REQUESTS / "stripe.http"))
    fresh = meshline(
        "sources", "try", "stripe", "--request", str(REQUESTS / "stripe.http"), "--at", AT
    )
    other = meshline("sources", "try", "stripe", "--request", str(changed), "--at", AT)

    assert (old.code, fresh.code, other.code) == (1, 0, 1)
    assert "it was signed too old" in old.out
    assert "the signature does not fit" in other.out
    assert SECRET not in old.out + fresh.out + other.out


def test_what_is_not_a_request_or_a_source_is_one_clear_error(
    meshline: CommandLine, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty.http").write_text("hello")

    empty = meshline("sources", "try", "github", "--request", str(tmp_path / "empty.http"))
    unknown = meshline("sources", "try", "githb", "--request", str(tmp_path / "empty.http"))

    assert (empty.code, unknown.code) == (1, 1)
    assert "does not begin with a request line" in empty.err
    assert "write `github`" in unknown.err
    assert folder.is_dir()


def test_the_doctor_says_which_source_is_closed_and_what_it_lacks(
    meshline: CommandLine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found() -> list[tuple[str, str]]:
        checks = json.loads(meshline("doctor", "--json").out)["checks"]
        return [(one["health"], one["found"]) for one in checks if one["check"] == "sources"]

    ready = found()
    monkeypatch.delenv("MESHLINE_HOOK_SECRET")
    closed = found()
    (folder / "github.yaml").write_text("source: github")
    wrong = found()
    monkeypatch.delenv("MESHLINE_SOURCES")

    assert ready == [("ok", "github")]
    assert closed == [
        ("broken", "github is closed: env:MESHLINE_HOOK_SECRET is not set on this machine")
    ]
    assert [health for health, _ in wrong] == ["broken"]
    assert found() == []
