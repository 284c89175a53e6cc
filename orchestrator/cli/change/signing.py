"""Sign a decision by a key of SSH, with `ssh-keygen`: the key stays where it is."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.domain.changes.deciding import Decision
from orchestrator.domain.changes.statement import NAMESPACE, Signed
from orchestrator.domain.errors import Refused

if TYPE_CHECKING:
    from orchestrator.domain.access.actor import Actor
    from orchestrator.store.database.engine import Store


def sign_decision(store: Store, change: str, decision: Decision, me: Actor, key: Path) -> Signed:
    """What this person decides now, signed. Raises Refused where ssh-keygen does not sign."""
    from orchestrator.cli.terminal.who import seen_clients
    from orchestrator.operations.changes.signing.signatures import statement_to_sign

    clients = seen_clients(store)
    with store.read() as tx:
        said = statement_to_sign(tx, change, decision, actor=me, clients=clients)
    message = said.text()
    return Signed(message=message, signature=_signature(message, key))


def _signature(message: str, key: Path) -> str:
    program = shutil.which("ssh-keygen")
    if program is None:
        raise Refused("there is no ssh-keygen here", field="sign", fix="install OpenSSH's client")
    # It asks for the key's passphrase by itself, at the terminal.
    done = subprocess.run(
        [program, "-q", "-Y", "sign", "-n", NAMESPACE, "-f", str(key)],
        input=message,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        why = done.stderr.strip().splitlines()
        raise Refused(
            f"ssh-keygen did not sign: {why[-1] if why else 'it says nothing'}",
            field="sign",
            fix="give the file of your private key, or of the public one where an agent has it",
        )
    return done.stdout
