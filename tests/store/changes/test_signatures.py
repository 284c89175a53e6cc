"""A signed approval is checked by anybody, and a signature that is not right is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
from sqlalchemy import update

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.access.roles import Role
from orchestrator.domain.changes.deciding import Decision
from orchestrator.domain.changes.statement import Signed
from orchestrator.domain.errors import ChangedSinceSeen, Forbidden, Refused
from orchestrator.operations.access.keys import check_key
from orchestrator.operations.access.signing_keys import (
    add_signing_key,
    confirm_signing_key,
    revoke_signing_key,
    seen_signing_keys,
)
from orchestrator.operations.changes.decide import decide_change
from orchestrator.operations.changes.go_live import subject_of
from orchestrator.operations.changes.keep_time import keep_time_of_changes
from orchestrator.operations.changes.show import Settled
from orchestrator.operations.changes.signing.prove import prove_change
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.store.changes.changes import lock_change
from orchestrator.store.database.clock import after
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import change_decisions, changes
from orchestrator.store.views.audit import list_audit
from tests.leads import lead_workflow
from tests.people import ADMIN, add, give, key_of, logged_in
from tests.store.changes.governed import (
    APPROVER,
    OTHER,
    approver,
    author,
    change,
    decide,
    govern,
    live_version,
    proposed,
    version,
)
from tests.store.changes.signers import add_key, make_key, signed, statement
from tools import check_change_proof

CHECKER = Path(check_change_proof.__file__)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return make_key(tmp_path)


def approve(store: Store, token: str, said: Signed, *, by: Actor | None = None) -> Settled:
    by, seen = by or approver(store), (change(store, token).digest,)
    return decide_change(store, token, Decision.APPROVE, actor=by, signed=said, seen=seen)


@pytest.mark.parametrize("kind", [("ed25519",), ("ecdsa", "-b", "384"), ("rsa", "-b", "2048")])
def test_a_signed_approval_proves_itself_without_the_database(
    store: Store, tmp_path: Path, kind: tuple[str, ...]
) -> None:
    govern(store)
    key = make_key(tmp_path, *kind)
    add_key(store, key, by=approver(store))
    token = proposed(store)

    approve(store, token, signed(key, statement(store, token, by=approver(store))))

    assert live_version(store) == 2
    assert [one.grade for one in change(store, token).decisions] == ["key"]
    signers = tmp_path / "signers"
    signers.write_text(f"{APPROVER} {key.with_suffix('.pub').read_text()}")
    ran = check(tmp_path, proof(store, token), str(signers))
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith(f"{APPROVER} approved change {token} of leads (client acme, ")
    assert "its authors are person:author@acme.example\nthe key is in your list" in ran.stdout


def test_every_bit_of_a_proof_matters(
    store: Store, key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    govern(store)
    add_key(store, key, by=approver(store))
    token = proposed(store)
    approve(store, token, signed(key, statement(store, token, by=approver(store))))
    right = proof(store, token)
    file = tmp_path / "proof.json"
    monkeypatch.setattr(sys, "argv", ["check", str(file)])
    file.write_text(json.dumps(right))
    assert check_change_proof.main() == 0

    flipped = list(flips(right))
    for path, wrong in flipped:
        file.write_text(json.dumps(wrong))
        assert check_change_proof.main() == 1, path
    assert {path[0] for path, _ in flipped} == set(right)


def test_another_persons_key_in_the_list_of_signers_is_found(
    store: Store, key: Path, tmp_path: Path
) -> None:
    govern(store)
    add_key(store, key, by=approver(store))
    token = proposed(store)
    approve(store, token, signed(key, statement(store, token, by=approver(store))))
    other = make_key(tmp_path, name="other").with_suffix(".pub").read_text()
    (tmp_path / "signers").write_text(f"{APPROVER} {other}")

    ran = check(tmp_path, proof(store, token), str(tmp_path / "signers"))

    assert (ran.returncode, "is not" in ran.stdout) == (1, True)


def test_a_wrong_signature_is_refused_in_one_clear_sentence(
    store: Store, key: Path, tmp_path: Path
) -> None:
    govern(store)
    stranger = make_key(tmp_path, name="stranger")
    add_key(store, key, by=approver(store))
    add_key(store, stranger, by=logged_in(store, OTHER))
    token, other = proposed(store), proposed(store, version(30))
    text = statement(store, token, by=approver(store))
    elsewhere = statement(store, other, by=approver(store))

    for said, why in (
        (signed(stranger, text), "by none of your keys"),
        (signed(key, text, namespace="git"), "by none of your keys"),
        (Signed(message=text, signature=signed(key, elsewhere).signature), "by none of your keys"),
        (Signed(message=text, signature="no signature"), "by none of your keys"),
        (signed(key, elsewhere), "is not about this decision"),
        (signed(key, text.replace("approve", "reject")), "is not about this decision"),
        (signed(key, at(text, "2020-01-01T00:00:00Z")), "was signed at 2020"),
        (signed(key, at(text, "soon")), "was signed at soon"),
    ):
        with pytest.raises(Refused, match=f"the signature does not count: .*{why}"):
            approve(store, token, said)
    assert live_version(store) == 1


def test_a_signature_over_an_earlier_round_does_not_count(store: Store, key: Path) -> None:
    govern(store)
    add_key(store, key, by=approver(store))
    token = proposed(store)
    said = signed(key, statement(store, token, by=approver(store)))
    publish_workflow(store, lead_workflow(version(30)), actor=author(store), change=token)

    with pytest.raises(Refused, match="is not about this decision, as the change is now"):
        approve(store, token, said)
    with pytest.raises(ChangedSinceSeen):
        decide(store, token, seen=["0" * 64])


def test_a_key_waits_or_is_confirmed_by_an_admin_who_is_no_author(store: Store, key: Path) -> None:
    govern(store)
    add(store, "second-admin@agency.example", Role.ADMIN, "*")
    admin = logged_in(store, "second-admin@agency.example")
    mine = add_key(store, key, by=approver(store), old=False)
    by_admin = proposed(store, by=admin)
    token = proposed(store, version(30))

    def say(token: str) -> Settled:
        return approve(store, token, signed(key, statement(store, token, by=approver(store))))

    with pytest.raises(Refused, match=r"counts from .* on; wait until then, or ask an admin"):
        say(token)
    confirm_signing_key(store, mine, actor=admin)
    with pytest.raises(Refused, match="was confirmed by an author of this change"):
        say(by_admin)
    assert say(token).state == "live"


def test_a_key_is_added_by_its_owner_alone_and_is_one_persons(store: Store, key: Path) -> None:
    govern(store)
    public = key.with_suffix(".pub").read_text()
    by_key = check_key(store, key_of(store, APPROVER, Role.APPROVER, "acme")).as_actor()
    with pytest.raises(Forbidden, match="only a person who is logged in"):
        add_signing_key(store, public, actor=by_key)
    with pytest.raises(Refused, match="not a public key of OpenSSH"):
        add_signing_key(store, key.read_text(), actor=approver(store))
    give(store, APPROVER, Role.ADMIN, "*")
    mine = add_signing_key(store, public, actor=approver(store)).fingerprint

    with pytest.raises(Refused, match="a key is one person's"):
        add_signing_key(store, public, actor=logged_in(store, OTHER))
    with pytest.raises(Refused, match="nobody confirms a key of their own"):
        confirm_signing_key(store, mine, actor=approver(store))
    with pytest.raises(Forbidden):
        revoke_signing_key(store, mine, actor=logged_in(store, OTHER))
    with store.read() as tx:
        assert [one.mail for one in seen_signing_keys(tx, logged_in(store, ADMIN))] == [APPROVER]
        assert seen_signing_keys(tx, logged_in(store, OTHER)) == []


def test_where_signatures_are_required_nothing_goes_live_without_one(
    store: Store, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    govern(store)
    done = publish_workflow(store, lead_workflow(version()), actor=author(store), at="1h")
    before = done.change or ""
    decide(store, before)
    monkeypatch.setenv("MESHLINE_APPROVALS", "signed")
    token = proposed(store, version(30))

    with pytest.raises(Refused, match=r"approvals have to be signed here; .*--sign KEYFILE"):
        decide(store, token)
    with store.write() as tx:
        tx.execute(update(changes).where(changes.c.token == before).values(go_live_at=after(-1)))
    keep_time_of_changes(store)
    assert live_version(store) == 1, "it was approved before, and nobody signed"

    add_key(store, key, by=approver(store))
    said = signed(key, statement(store, token, by=approver(store)))
    assert approve(store, token, said).state == "live"


def test_a_key_that_is_revoked_before_its_time_takes_the_approval_with_it(
    store: Store, key: Path
) -> None:
    govern(store)
    mine = add_key(store, key, by=approver(store))
    done = publish_workflow(store, lead_workflow(version()), actor=author(store), at="1h")
    token = done.change or ""
    said = signed(key, statement(store, token, by=approver(store)))
    assert approve(store, token, said).state == "approved"
    revoke_signing_key(store, mine, actor=logged_in(store, ADMIN))
    with store.write() as tx:  # its time has come, and it was approved for that time
        tx.execute(update(changes).values(go_live_at=after(-1)))
        held = lock_change(tx, token)
        assert held is not None
        tx.execute(update(change_decisions).values(subject=subject_of(held).digest()))

    assert (keep_time_of_changes(store), live_version(store)) == (1, 1)
    with store.read() as tx:
        (row,) = list_audit(tx, action="expire_change")
    assert "was revoked at" in str(row.detail)


def test_what_was_not_signed_has_no_proof(store: Store) -> None:
    govern(store)
    token = proposed(store)
    with pytest.raises(Refused, match="nobody approved"):
        proof(store, token)
    decide(store, token)

    with pytest.raises(Refused, match="was not signed: its grade is session"):
        proof(store, token)


def at(text: str, time: str) -> str:
    """A statement of another time."""
    first, _, rest = text.partition("{")
    return first + json.dumps({**json.loads("{" + rest), "time": time}, indent=1) + "\n"


def proof(store: Store, token: str) -> dict[str, object]:
    with store.read() as tx:
        return asdict(prove_change(tx, token, None))


def check(
    folder: Path, found: dict[str, object], *signers: str
) -> subprocess.CompletedProcess[str]:
    """What the script says that stands alone: neither our packages nor our database are there."""
    file = folder / "proof.json"
    file.write_text(json.dumps(found))
    command = [sys.executable, "-I", str(CHECKER), str(file), *signers]
    return subprocess.run(command, capture_output=True, text=True, check=False)


Path_ = tuple[str, ...]


def flips(found: dict[str, object]) -> Iterator[tuple[Path_, dict[str, object]]]:
    """The proof with one bit of one of its texts flipped: at the ends and in between."""
    for path, text in texts(found):
        places = {0, 1, len(text) // 3, len(text) // 2, len(text) - 2, len(text) - 1}
        for place in sorted(places):
            wrong = text[:place] + chr(ord(text[place]) ^ 1) + text[place + 1 :]
            yield path, replaced(found, path, wrong)


def texts(found: dict[str, object]) -> Iterator[tuple[Path_, str]]:
    for name, value in found.items():
        if isinstance(value, str):
            yield (name,), value
        elif isinstance(value, dict):
            yield from (((name, kind), text) for kind, text in value.items())


def replaced(found: dict[str, object], path: Path_, value: str) -> dict[str, object]:
    copy: dict[str, object] = json.loads(json.dumps(found))
    inner = copy
    for name in path[:-1]:
        below = inner[name]
        assert isinstance(below, dict)
        inner = below
    inner[path[-1]] = value
    return copy
