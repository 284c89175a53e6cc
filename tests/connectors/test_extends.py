"""One account per client: a definition that takes another one's keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.registry import connector_digests, load_connectors, unresolved
from orchestrator.domain.delivery.comparing import Comparison
from orchestrator.domain.delivery.handoff import BreakerPolicy, RateBudget
from orchestrator.domain.errors import InvalidFile

BASE = """
connector: desk
kind: http
title: The desk
base_url: https://desk.example.com
auth: {bearer: "env:DESK_TOKEN"}
rate: {calls: 100, per: 10s}
breaker: {failures: 3, cooldown: 1m}
actions:
  open:
    idempotency: none
    proof: read_back
    required: [title, price]
    create: {path: /tickets, json: "{send}", record_id: id}
    read:
      path: "/tickets/{record_id}"
      fields: {title: title, price: {at: "fields[id=5].value", as: number}}
      within: 3s
  close:
    idempotency: none
    proof: receipt
    create: {path: /closed}
"""

ACME = """
connector: acme-desk
extends: desk
base_url: https://acme.example.com
auth: {basic: {user: "env:ACME_KEY"}}
actions:
  close: null
  ping: {idempotency: none, proof: receipt, create: {path: /ping}}
"""


def faults(folder: Path) -> list[str]:
    with pytest.raises(InvalidFile) as caught:
        load_connectors(folder)
    return [str(fault) for fault in caught.value.faults]


def test_what_a_definition_does_not_say_it_takes_from_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "desk.yaml").write_text(BASE)
    (tmp_path / "acme.yaml").write_text(ACME)
    monkeypatch.setenv("DESK_TOKEN", "t0ken-of-desk")

    connectors = load_connectors(tmp_path)

    assert set(connectors["desk"].actions) == {"open", "close"}
    assert set(connectors["acme-desk"].actions) == {"open", "ping"}
    assert unresolved(tmp_path)["acme-desk"] == "env:ACME_KEY is not set on this machine"
    assert "desk" not in unresolved(tmp_path)


def test_what_a_definition_says_reaches_the_port(tmp_path: Path) -> None:
    (tmp_path / "desk.yaml").write_text(BASE)

    desk = load_connectors(tmp_path)["desk"]

    assert desk.limits.rate == RateBudget(calls=100, per_seconds=10.0, burst=10)
    assert desk.limits.breaker == BreakerPolicy(failures=3, cooldown_seconds=60.0)
    assert desk.actions["open"].compare == {"price": Comparison.NUMBER}
    assert desk.actions["open"].readable == {"title", "price"}
    assert desk.actions["open"].confirm_seconds == 3.0


def test_a_shipped_definition_can_be_extended_under_its_own_name(tmp_path: Path) -> None:
    (tmp_path / "mail.yaml").write_text("connector: mail\nextends: mail\nhost: mail.example.com\n")

    assert "send_mail" in load_connectors(tmp_path)["mail"].actions


def test_a_chain_is_followed_and_a_loop_is_refused(tmp_path: Path) -> None:
    (tmp_path / "desk.yaml").write_text(BASE)
    (tmp_path / "acme.yaml").write_text(ACME)
    (tmp_path / "west.yaml").write_text("connector: acme-west\nextends: acme-desk\n")
    assert set(load_connectors(tmp_path)["acme-west"].actions) == {"open", "ping"}

    (tmp_path / "desk.yaml").write_text("connector: desk\nextends: acme-west\n")
    assert "there is no connector" in faults(tmp_path)[0]


def test_a_base_that_is_not_there_is_said_at_its_line(tmp_path: Path) -> None:
    (tmp_path / "desk.yaml").write_text(BASE)
    (tmp_path / "acme.yaml").write_text(ACME.replace("extends: desk", "extends: dsek"))

    assert faults(tmp_path) == [
        "line 3: extends: there is no connector dsek to extend; write `desk`"
    ]


def test_the_digest_of_a_definition_is_of_what_it_says_with_what_it_takes_from_others(
    tmp_path: Path,
) -> None:
    (tmp_path / "desk.yaml").write_text(BASE)
    (tmp_path / "acme.yaml").write_text(ACME)
    first = connector_digests(tmp_path)
    assert len(first["desk"]) == 64
    assert first["desk"] != first["acme-desk"]

    (tmp_path / "desk.yaml").write_text(f"# told anew\n{BASE}")
    assert connector_digests(tmp_path) == first
    (tmp_path / "desk.yaml").write_text(BASE.replace("/tickets", "/cases"))
    changed = connector_digests(tmp_path)

    assert {name for name in first if changed[name] != first[name]} == {"desk", "acme-desk"}
