"""Signed decisions: what is to be signed, and whether a signature holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from orchestrator.domain.access.actor import Actor, who
from orchestrator.domain.changes.deciding import Decision, Grade
from orchestrator.domain.changes.ssh_signature import is_signed, read_public_key
from orchestrator.domain.changes.statement import NAMESPACE, Signed, Statement, time_in
from orchestrator.domain.errors import Forbidden, Refused
from orchestrator.operations.changes.show import find_change
from orchestrator.store.access.people import person_mail
from orchestrator.store.access.signing_keys import SigningKey, list_signing_keys
from orchestrator.store.changes.authors import list_authors
from orchestrator.store.changes.changes import LockedChange
from orchestrator.store.changes.decisions import Decided
from orchestrator.store.changes.signatures import find_signature
from orchestrator.store.database.engine import Tx
from orchestrator.store.views.values import iso_time, now_of
from orchestrator.variables import signatures_are_required

_FRESH_MS = 15 * 60_000  # between signing and deciding, either way: clocks differ


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """A signature that holds."""

    key: int  # its row
    signed: Signed


def statement_to_sign(
    tx: Tx, token: str, decision: Decision, *, actor: Actor, clients: frozenset[str] | None
) -> Statement:
    """What this person would sign now. Raises NotFound, Forbidden for whoever is not a person."""
    found = find_change(tx, token, clients)
    if actor.person is None:
        raise Forbidden(
            "only a person signs a decision", field="actor", fix="log in with `meshline login`"
        )
    return Statement(
        change=found.change,
        client=found.client,
        workflow=found.workflow,
        digest=found.digest,
        decision=decision.value,
        authors=tuple(one.name for one in found.authors),
        person=person_mail(tx, actor.person),
        time=iso_time(now_of(tx)),
    )


def check_signature(
    tx: Tx, change: LockedChange, decision: Decision, person: int, signed: Signed
) -> Checked:
    """The key by which this person signed exactly this. Raises Refused, with what is wrong."""
    said = Statement(
        change=change.token,
        client=change.client,
        workflow=change.workflow,
        digest=change.subject,
        decision=decision.value,
        authors=tuple(one.name for one in list_authors(tx, change.id)),
        person=person_mail(tx, person),
        time=time_in(signed.message),
    )
    if said.text() != signed.message:
        raise _refused("the text that was signed is not about this decision, as the change is now")
    _check_time(tx, said.time)
    for key in list_signing_keys(tx, person):
        public = read_public_key(key.public_key)
        if is_signed(public, signed.message, signed.signature, namespace=NAMESPACE):
            _check_counts(tx, change, key)
            return Checked(key=key.id, signed=signed)
    raise _refused("the signature is by none of your keys, or not over this text")


def check_still_signed(tx: Tx, change: LockedChange, approval: Decided) -> None:
    """Raises Refused where signatures are required and this approval's does not hold (any more)."""
    if approval.grade is not Grade.KEY:
        if signatures_are_required():
            raise unsigned(change.token)
        return
    found = find_signature(tx, approval.id)
    keys = {one.id: one for one in list_signing_keys(tx, approval.person)}
    key = None if found is None else keys.get(found.key)
    if found is None or key is None:
        raise _refused("the signature of the approval is gone")
    public = read_public_key(key.public_key)
    if not is_signed(public, found.message, found.signature, namespace=NAMESPACE):
        raise _refused("the signature of the approval does not verify any more")
    _check_counts(tx, change, key)


def unsigned(token: str) -> Refused:
    """What is said where an approval has to be signed, and is not."""
    return Refused(
        "approvals have to be signed here",
        field="signature",
        fix=f"`meshline change approve {token} --sign KEYFILE`, with a key that you added before",
    )


def _check_time(tx: Tx, text: str) -> None:
    now = now_of(tx)
    at = datetime.fromisoformat(text).timestamp() * 1000 if _is_time(text) else None
    if at is None or abs(at - now) > _FRESH_MS:
        raise _refused(f"it was signed at {text or 'no time'}, and it is {iso_time(now)} now")


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _check_counts(tx: Tx, change: LockedChange, key: SigningKey) -> None:
    """A key that somebody else may have added for this change, or that is revoked, counts not."""
    if key.revoked_at is not None:
        raise _refused(f"the key {key.fingerprint} was revoked at {key.revoked_at}")
    if not key.counts:
        raise _refused(
            f"the key {key.fingerprint} counts from {key.counts_from} on",
            fix="wait until then, or ask an admin to confirm it",
        )
    authors = {one.name for one in list_authors(tx, change.id)}
    if key.confirmed_by is not None and who(key.confirmed_by) in authors:
        raise _refused(
            f"the key {key.fingerprint} was confirmed by an author of this change",
            fix="sign with another key, or let another approver decide",
        )


_AGAIN = "sign it again: `meshline change approve CHANGE --sign KEYFILE`"


def _refused(why: str, *, fix: str = _AGAIN) -> Refused:
    return Refused(f"the signature does not count: {why}", field="signature", fix=fix)
