"""Keys of OpenSSH, and decisions that people sign with them."""

from __future__ import annotations

import subprocess
from pathlib import Path

from sqlalchemy import update

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.changes.deciding import Decision
from orchestrator.domain.changes.statement import NAMESPACE, Signed
from orchestrator.operations.access.signing_keys import add_signing_key
from orchestrator.operations.changes.signing.signatures import statement_to_sign
from orchestrator.store.database.clock import after
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import signing_keys


def make_key(folder: Path, *kind: str, name: str = "key") -> Path:
    """A private key without a passphrase; the public one is beside it."""
    file = folder / name
    words = ["ssh-keygen", "-q", "-t", *(kind or ("ed25519",)), "-N", "", "-C", "desk", "-f"]
    subprocess.run([*words, str(file)], check=True, capture_output=True)
    return file


def add_key(store: Store, key: Path, *, by: Actor, old: bool = True) -> str:
    """Add it for a person; `old` lets its time of waiting be over. Its fingerprint."""
    added = add_signing_key(store, key.with_suffix(".pub").read_text(), actor=by)
    if old:
        with store.write() as tx:
            tx.execute(update(signing_keys).values(counts_from=after(-60)))
    return added.fingerprint


def statement(store: Store, token: str, *, by: Actor) -> str:
    """What this person signs in order to approve."""
    with store.read() as tx:
        said = statement_to_sign(tx, token, Decision.APPROVE, actor=by, clients=None)
    return said.text()


def signed(key: Path, message: str, *, namespace: str = NAMESPACE) -> Signed:
    """A text with its signature."""
    words = ["ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", str(key)]
    done = subprocess.run(words, input=message, text=True, check=True, capture_output=True)
    return Signed(message=message, signature=done.stdout)
