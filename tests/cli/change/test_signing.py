"""Sign an approval at the command line, and print its proof."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.domain.access.roles import Role
from tests.cli.desk import CommandLine
from tests.people import ADMIN, key_of
from tests.store.changes.governed import APPROVER, approver, govern, proposed
from tests.store.changes.signers import add_key, make_key
from tools import check_change_proof


@pytest.fixture
def token(meshline: CommandLine, monkeypatch: pytest.MonkeyPatch) -> str:
    """A change that awaits the approval of whoever acts here, by a key of theirs."""
    key = make_key(meshline.folder)
    with meshline.store() as store:
        govern(store)
        waits = proposed(store)
        meshline.names["fingerprint"] = add_key(store, key, by=approver(store))
        monkeypatch.setenv("MESHLINE_ACTOR", key_of(store, APPROVER, Role.APPROVER, "acme"))
    return waits


def test_an_approver_signs_and_an_auditor_checks(meshline: CommandLine, token: str) -> None:
    early = meshline("change", "prove", token)
    assert "nobody approved" in early.error

    signed = meshline("change", "approve", token, "--sign", "key", MESHLINE_APPROVALS="signed")
    assert signed.code == 0, signed.err
    assert "(key)" in meshline("change", "show", token).out
    Path(meshline.folder, "proof.json").write_text(meshline("change", "prove", token).out)

    check = [sys.executable, "-I", check_change_proof.__file__, "proof.json"]
    ran = subprocess.run(check, cwd=meshline.folder, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert f"{APPROVER} approved change {token}" in ran.stdout


def test_what_cannot_be_signed_is_said_in_one_sentence(meshline: CommandLine, token: str) -> None:
    missing = meshline("change", "approve", token, "--sign", "nowhere")
    assert missing.error.startswith("sign: ssh-keygen did not sign: ")
    unsigned = meshline("change", "approve", token, MESHLINE_APPROVALS="signed")
    assert "approvals have to be signed here" in unsigned.error
    (shown,) = meshline("people", "signing-key", "list", "--json").document["signing_keys"]
    assert (shown["mail"], shown["counts"]) == (APPROVER, True)
    revoked = meshline("people", "signing-key", "revoke", meshline.names["fingerprint"])
    assert revoked.code == 0, revoked.err
    refused = meshline("change", "approve", token, "--sign", "key")
    assert "was revoked at" in refused.error
    both = meshline("change", "approve", token, "--sign", "key", "--run-plan", "x")
    assert both.code == 2


def test_keys_are_added_in_a_session_and_confirmed_by_an_admin(
    meshline: CommandLine, token: str
) -> None:
    make_key(meshline.folder, name="other")
    by_key = meshline("people", "signing-key", "add", "other.pub")
    assert "only a person who is logged in adds a key" in by_key.error
    assert meshline("people", "signing-key", "add", "none.pub").error.startswith("file: none.pub")
    unknown = meshline("people", "signing-key", "confirm", "SHA256:x")
    assert unknown.code == 1
    with meshline.store() as store:
        admin = key_of(store, ADMIN, Role.ADMIN, "*")
    confirmed = meshline(
        "people", "signing-key", "confirm", meshline.names["fingerprint"], MESHLINE_ACTOR=admin
    )
    assert confirmed.code == 0, confirmed.err
    assert "is confirmed" in confirmed.out
    assert token
