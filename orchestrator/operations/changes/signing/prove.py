"""The proof of a signed approval: all that somebody needs who has not got our database."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from orchestrator.domain.changes.deciding import Decision
from orchestrator.domain.errors import Refused
from orchestrator.operations.changes.go_live import subject_of
from orchestrator.operations.changes.hold import no_change
from orchestrator.operations.changes.show import find_change
from orchestrator.store.access.signing_keys import list_signing_keys
from orchestrator.store.changes.changes import find_locked
from orchestrator.store.changes.decisions import Decided, list_decisions
from orchestrator.store.changes.evidence import list_evidence, subject_of_locked
from orchestrator.store.changes.signatures import find_signature
from orchestrator.store.database.engine import Tx

FORMAT = "meshline proof of an approved change, version 1"


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeProof:
    """What `tools/check_change_proof.py` reads: texts to the byte, each with its digest."""

    format: str
    definition: str  # canonical JSON: its sha256 is in `subject`
    evidence: dict[str, str]  # by kind; the sha256 of each is in `subject`
    subject: str  # canonical JSON: its sha256 is in `message`
    message: str  # what was signed; it names change, authors and approver
    signature: str  # of OpenSSH, over `message`
    public_key: str  # whose it is, a list of signers says


def prove_change(tx: Tx, token: str, clients: frozenset[str] | None) -> ChangeProof:
    """The proof. Raises NotFound, Refused where nobody approved it, or did not sign."""
    find_change(tx, token, clients)
    change = find_locked(tx, token)
    if change is None:
        raise no_change(token)
    approval = _approval(list_decisions(tx, change.id), token, change.round)
    signature = find_signature(tx, approval.id)
    keys = {one.id: one for one in list_signing_keys(tx, approval.person)}
    if signature is None or signature.key not in keys:
        raise Refused(
            f"the approval by {approval.by} was not signed: its grade is {approval.grade}, which"
            " only this database knows",
            field="change",
            fix="have the next one approved with --sign; MESHLINE_APPROVALS=signed requires that",
        )
    return ChangeProof(
        format=FORMAT,
        definition=orjson.dumps(
            orjson.loads(change.definition), option=orjson.OPT_SORT_KEYS
        ).decode(),
        evidence={one.kind.value: one.body for one in list_evidence(tx, subject_of_locked(change))},
        subject=subject_of(change).text(),
        message=signature.message,
        signature=signature.signature,
        public_key=keys[signature.key].public_key,
    )


def _approval(decisions: tuple[Decided, ...], token: str, round_: int) -> Decided:
    given = [one for one in decisions if one.round == round_]
    if not given or given[-1].decision is not Decision.APPROVE:
        raise Refused(
            f"nobody approved change {token} as it is",
            field="change",
            fix=f"see `meshline change show {token}`",
        )
    return given[-1]
