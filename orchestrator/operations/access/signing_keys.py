"""Keys by which people sign what they decide: add one's own, confirm, revoke."""

from __future__ import annotations

from orchestrator.domain.access.actor import Actor, Proof
from orchestrator.domain.acts import Act
from orchestrator.domain.changes.ssh_signature import read_public_key
from orchestrator.domain.errors import Forbidden, NotFound, Refused
from orchestrator.operations.access.allow import allow, is_proven, needed_scope, offered
from orchestrator.store.access import signing_keys as rows
from orchestrator.store.access.signing_keys import SigningKey
from orchestrator.store.database import audit
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.database.locks import hold_people

WAIT_SECONDS = 24 * 3600.0
"""How long a key waits before it counts, unless an admin confirms it: a thief has to wait too."""

_MOST_KEYS = 20


def add_signing_key(store: Store, public_key: str, *, actor: Actor, label: str = "") -> SigningKey:
    """Add a key of one's own, in one's own session: a stolen key of a program adds none.

    Raises Refused for what is not a key or is known already, Forbidden.
    """
    key = read_public_key(public_key)
    with store.write() as tx:
        needed_scope(tx, actor)  # a session that ended adds none
        hold_people(tx)
        if actor.person is None or actor.proof is not Proof.SESSION:
            raise Forbidden(
                "only a person who is logged in adds a key of their own",
                field="actor",
                fix="log in with `meshline login`, or in the browser",
            )
        _check_new(tx, key.fingerprint, actor.person)
        rows.add_key(
            tx,
            actor.person,
            fingerprint=key.fingerprint,
            public_key=key.line,
            label=label or key.comment,
            seconds=WAIT_SECONDS,
            actor=actor.name,
        )
        _record(tx, "add_signing_key", key.fingerprint, actor)
        return _known(tx, key.fingerprint)


def confirm_signing_key(store: Store, fingerprint: str, *, actor: Actor) -> SigningKey:
    """Let somebody else's key count at once. Raises NotFound, Refused, Forbidden."""
    with store.write() as tx:
        allow(tx, actor, Act.MANAGE_PEOPLE, ())
        hold_people(tx)
        key = _known(tx, fingerprint)
        if key.person == actor.person:
            raise Refused(
                "nobody confirms a key of their own", field="key", fix="ask another admin"
            )
        if key.revoked_at is not None:
            raise Refused("the key is revoked", field="key", fix="add another one")
        rows.confirm_key(tx, key.id, actor=actor.name)
        _record(tx, "confirm_signing_key", fingerprint, actor)
        return _known(tx, fingerprint)


def revoke_signing_key(store: Store, fingerprint: str, *, actor: Actor) -> SigningKey:
    """Let a key count for nothing from now on: one's own, or an admin each. Raises NotFound."""
    with store.write() as tx:
        hold_people(tx)
        key = rows.find_signing_key(tx, fingerprint)
        if key is None or key.person != actor.person or not is_proven(actor):
            allow(tx, actor, Act.MANAGE_PEOPLE, ())
        key = _known(tx, fingerprint)
        if key.revoked_at is None:
            rows.revoke_signing_key(tx, key.id)
            _record(tx, "revoke_signing_key", fingerprint, actor)
        return _known(tx, fingerprint)


def seen_signing_keys(tx: Tx, actor: Actor) -> list[SigningKey]:
    """Everybody's for whoever manages people, else one's own. Raises Forbidden for nobody."""
    if Act.MANAGE_PEOPLE in offered(tx, actor, ()):
        return rows.list_signing_keys(tx, None)
    needed_scope(tx, actor)
    return [] if actor.person is None else rows.list_signing_keys(tx, actor.person)


def _check_new(tx: Tx, fingerprint: str, person: int) -> None:
    if rows.find_signing_key(tx, fingerprint) is not None:
        raise Refused(
            "this key was added before, by you or by somebody else: a key is one person's",
            field="key",
            fix="make another one with `ssh-keygen -t ed25519`",
        )
    if len(rows.list_signing_keys(tx, person)) >= _MOST_KEYS:
        raise Refused(f"you have {_MOST_KEYS} keys", field="key", fix="use one of them")


def _known(tx: Tx, fingerprint: str) -> SigningKey:
    key = rows.find_signing_key(tx, fingerprint)
    if key is None:
        raise NotFound(
            f"there is no key {fingerprint!r}",
            field="key",
            fix="see `meshline people signing-key list`",
        )
    return key


def _record(tx: Tx, action: str, fingerprint: str, actor: Actor) -> None:
    audit.record(tx, actor=actor.name, action=action, detail={"key": fingerprint})
