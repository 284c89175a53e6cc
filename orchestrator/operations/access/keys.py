"""Keys of programs and people: made once and shown once; the store keeps only a digest."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property

from orchestrator.domain.access.actor import Actor, Proof, name_of_person
from orchestrator.domain.access.key_limits import KeyLimits
from orchestrator.domain.access.roles import EVERY_CLIENT, Role, includes
from orchestrator.domain.acts import Act
from orchestrator.domain.errors import Forbidden, KeyRefused, NotFound, Refused, StoreUnavailable
from orchestrator.operations.access.allow import allow, is_proven
from orchestrator.operations.access.tokens import digest_of_secret, new_secret
from orchestrator.store.access import keys as rows
from orchestrator.store.access.people import Person, find_person
from orchestrator.store.database import audit
from orchestrator.store.database.engine import Store, Tx

OVERLAP_SECONDS = 24 * 3600.0
"""How long a key that was rotated is taken beside the one that replaces it."""

_PREFIX = "mk"
_LONGEST_SECONDS = 10 * 366 * 86400.0


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who holds a key."""

    key_id: str
    clients: tuple[str, ...]  # ("*",) is every client
    role: Role = Role.PRODUCER
    person: int | None = None  # whose key it is; None: a program's
    mail: str | None = None  # of the person
    limits: KeyLimits | None = None  # None: it has none

    @cached_property
    def actor(self) -> str:
        """The audit's word for this caller."""
        key = f"key:{self.key_id}"
        return name_of_person(self.mail, key) if self.mail else key

    def as_actor(self) -> Actor:
        """This caller as an operation is given it."""
        return Actor(name=self.actor, proof=Proof.KEY, person=self.person, key=self.key_id)

    def permits(self, client: str) -> bool:
        """Whether the key may send events of `client`."""
        return self.sees(client) and includes(self.role, Role.PRODUCER)

    def sees(self, client: str) -> bool:
        """Whether the key is for `client`, in whatever role."""
        return client in self.clients or EVERY_CLIENT in self.clients


def create_key(
    store: Store,
    *,
    clients: Sequence[str],
    label: str,
    actor: Actor,
    role: Role = Role.PRODUCER,
    seconds: float | None = None,
) -> str:
    """Make a program's key for some clients and answer it; it cannot be shown again.

    It proves for nobody who acts. `seconds` is how long it is taken; None: until it is revoked.
    Raises Refused without a client and for a wrong end, Forbidden.
    """
    made = _made(clients, label, role, seconds)
    with store.write() as tx:
        allow(tx, actor, Act.MANAGE_KEYS, clients)
        return _create(tx, made, actor)


def create_own_key(
    store: Store,
    *,
    clients: Sequence[str],
    label: str,
    actor: Actor,
    role: Role,
    mail: str,
    seconds: float | None = None,
) -> str:
    """Make a key that proves that this person acts, which only that person can do: `mail` is who.

    It may do what both its role and the person's roles permit, and no more than the actor may: a
    key makes none that is wider or lasts longer than itself. Raises as `create_key`, and NotFound
    for a client that the actor may not see.
    """
    made = _made(clients, label, role, seconds)
    with store.write() as tx:
        owner = _oneself(tx, actor, mail)
        return _create(tx, replace(made, person=owner.id), actor, mail=owner.mail)


def id_of_key(key: str) -> str:
    """The id of a key that was just made, as lists show it.

    >>> id_of_key("mk_0123456789ab_secret")
    '0123456789ab'
    """
    return key.split("_", 2)[1]


def check_key(store: Store, key: str) -> Caller:
    """Who holds this key. Raises KeyRefused."""
    prefix, _, rest = key.partition("_")
    key_id, _, secret = rest.partition("_")
    with store.read() as tx:
        row = rows.find_key(tx, key_id) if prefix == _PREFIX and secret else None
    known = row.digest if row else digest_of_secret("")
    if not hmac.compare_digest(known, digest_of_secret(secret)) or row is None:
        raise KeyRefused(
            "the key is unknown, expired or revoked",
            field="Authorization",
            fix="send `Authorization: Bearer KEY` with a key from `meshline keys create`",
        )
    return Caller(
        key_id=row.id,
        clients=row.clients,
        role=row.role,
        person=row.person,
        mail=row.mail,
        limits=row.limits,
    )


def note_key_uses(store: Store, used: Collection[str]) -> None:
    """Write down that these keys were used now, where the store takes it: a look may go on."""
    with suppress(StoreUnavailable), store.write() as tx:
        rows.note_uses(tx, used)


def rotate_key(
    store: Store, key_id: str, *, actor: Actor, overlap_seconds: float = OVERLAP_SECONDS
) -> str:
    """Make a key that replaces another; both are taken for `overlap_seconds`, then only the new.

    The key of a person is replaced by that person alone. Raises NotFound for a key that is not in
    force, Refused for a wrong overlap, Forbidden.
    """
    overlap = _checked_seconds(overlap_seconds, shortest=0.0) or 0.0
    with store.write() as tx:
        old = _in_force(tx, key_id, actor)
        if old.person is not None and not _is_own(actor, old.person):
            raise _not_ones_own("rotate")
        made = _Made(
            label=old.label,
            clients=old.clients,
            role=old.role,
            person=old.person,
            ends_in=None,
            limits=old.limits,
        )
        new_id, key = _add(tx, made, actor)
        rows.replace_key(tx, key_id, by=new_id, seconds=overlap)
        detail = {"key": key_id, "replaced_by": new_id, "overlap_seconds": int(overlap)}
        audit.record(tx, actor=actor.name, action="rotate_key", detail=detail)
    return key


def revoke_key(store: Store, key_id: str, *, actor: Actor) -> None:
    """Revoke a key by its id: an admin each, a person their own. Raises NotFound, Forbidden."""
    with store.write() as tx:
        _in_force(tx, key_id, actor)
        rows.revoke_key(tx, key_id)
        audit.record(tx, actor=actor.name, action="revoke_key", detail={"key": key_id})


@dataclass(frozen=True, kw_only=True)
class _Made:
    """What a key is made with."""

    label: str
    clients: tuple[str, ...]
    role: Role
    person: int | None  # whose key it is; None: a program's
    ends_in: float | None  # seconds
    limits: KeyLimits | None = None


def _made(clients: Sequence[str], label: str, role: Role, seconds: float | None) -> _Made:
    """Raises Refused."""
    if not clients:
        raise Refused("a key needs a client", field="client", fix="name at least one")
    ends_in = _checked_seconds(seconds)
    return _Made(label=label, clients=tuple(clients), role=role, person=None, ends_in=ends_in)


def _create(tx: Tx, made: _Made, actor: Actor, *, mail: str | None = None) -> str:
    """Write a new key and its audit row; the key itself."""
    key_id, key = _add(tx, made, actor)
    detail: dict[str, object] = {"key": key_id, "clients": list(made.clients)}
    detail |= {"label": made.label, "role": made.role.value}
    if mail is not None:
        detail["person"] = mail
    audit.record(tx, actor=actor.name, action="create_key", detail=detail)
    return key


def _add(tx: Tx, made: _Made, actor: Actor) -> tuple[str, str]:
    """Write a new key; its id, and the key itself."""
    key_id, secret = secrets.token_hex(6), new_secret()
    rows.add_key(
        tx,
        rows.NewKey(
            id=key_id,
            digest=digest_of_secret(secret),
            label=made.label,
            clients=made.clients,
            role=made.role,
            person=made.person,
            seconds=made.ends_in,
            limits=made.limits,
        ),
        actor=actor.name,
    )
    if made.person is not None:
        allow(tx, actor, Act.MAKE_OWN_KEY, made.clients, role=made.role)
        if actor.key is not None:
            rows.end_with(tx, key_id, actor.key)
    return key_id, f"{_PREFIX}_{key_id}_{secret}"


def _in_force(tx: Tx, key_id: str, actor: Actor) -> rows.KeyProof:
    """A key that is in force and that the actor may manage. Raises NotFound, Forbidden."""
    unseen = NotFound(
        f"there is no key {key_id!r} in force",
        field="key",
        fix="see `meshline keys list`",
    )
    found = rows.find_key(tx, key_id)
    if found is None:
        raise unseen
    if not _is_own(actor, found.person):
        allow(tx, actor, Act.MANAGE_KEYS, found.clients, unseen=unseen)
    return found


def _oneself(tx: Tx, actor: Actor, mail: str) -> Person:
    """The person of an address, if that is who acts. Raises Forbidden: it tells of nobody else."""
    with suppress(NotFound):
        person = find_person(tx, mail)
        if _is_own(actor, person.id):
            return person
    raise _not_ones_own("make")


def _is_own(actor: Actor, person: int | None) -> bool:
    return person is not None and actor.person == person and is_proven(actor)


def _not_ones_own(what: str) -> Forbidden:
    """Whoever holds a person's key is that person for every act, so no admin may have one."""
    return Forbidden(
        f"only that person can {what} the key of a person, with a proof of who acts",
        field="person",
        fix="let them log in with `meshline login`; an admin can list and revoke it",
    )


def _checked_seconds(seconds: float | None, *, shortest: float = 60.0) -> float | None:
    if seconds is not None and not shortest <= seconds <= _LONGEST_SECONDS:
        raise Refused(
            f"{seconds:g} s is not a time for a key",
            field="expires",
            fix="give a time from a minute to ten years",
        )
    return seconds
