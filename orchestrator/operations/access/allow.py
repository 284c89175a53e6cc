"""May this actor do this? The one place that asks the table of acts, for every way in.

It is asked in the transaction that writes, so a role that was withdrawn before does not count.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from orchestrator.domain.access.actor import Actor, Proof, who
from orchestrator.domain.access.roles import EVERY_CLIENT, Role, roles_that_include
from orchestrator.domain.acts import ACTS, Act, Rule, Scope
from orchestrator.domain.errors import Forbidden, NotFound
from orchestrator.store.access.grants import (
    NOTHING,
    Grants,
    anybody_is_there,
    grants_of_key,
    grants_of_person,
)
from orchestrator.store.access.people import find_person
from orchestrator.store.database.engine import Tx
from orchestrator.store.views.events.clients import clients_of_events


def allow(
    tx: Tx,
    actor: Actor,
    act: Act,
    clients: Iterable[str],
    *,
    role: Role | None = None,
    unseen: NotFound | None = None,
) -> None:
    """Return where the actor may do the act for every one of these clients.

    `role` is what it takes where that depends on what is asked for; None: as the table says.
    Raises Forbidden, and for a client that the actor may not even view NotFound: `unseen`, which
    says what is said of something that is not there.
    """
    grants = _grants(tx, actor)
    if grants is None:
        return
    rule = ACTS[act] if role is None else replace(ACTS[act], least=role)
    for client in _concerned(rule, clients):
        if not grants.permits(rule.least, client):
            raise _refusal(actor, grants, rule, client, unseen)
    if rule.needs_proof and not is_proven(actor):
        raise Forbidden(
            f"to {rule.says} takes a proof of who acts",
            field="actor",
            fix="log in with `meshline login`, or give a key of your own",
        )


def offered(tx: Tx, actor: Actor, clients: Iterable[str]) -> frozenset[Act]:
    """The acts that `allow` would let the actor do for every one of these clients.

    A page shows the forms of no others. Without a client, those for which the actor holds the role
    for any client. The act itself asks again.
    """
    grants, named = _grants(tx, actor), sorted(set(clients))
    return frozenset(act for act, rule in ACTS.items() if _is_offered(grants, rule, actor, named))


def _is_offered(grants: Grants | None, rule: Rule, actor: Actor, clients: Sequence[str]) -> bool:
    if grants is None:
        return True
    if rule.needs_proof and not is_proven(actor):
        return False
    if clients or rule.scope is Scope.EVERYWHERE:
        return all(grants.permits(rule.least, one) for one in _concerned(rule, clients))
    return grants.clients(rule.least) != frozenset()


def _concerned(rule: Rule, clients: Iterable[str]) -> list[str]:
    """The clients for which the role has to be held."""
    return [EVERY_CLIENT] if rule.scope is Scope.EVERYWHERE else sorted(set(clients))


def check_proven(actor: Actor, says: str) -> None:
    """Raises Forbidden where nothing proves who acts: neither a session nor a key, of anybody."""
    if actor.proof not in (Proof.SESSION, Proof.KEY):
        raise _unproven(says)


def allow_for_events(tx: Tx, actor: Actor, act: Act, ids: Collection[str]) -> None:
    """The same for the clients of these events. Raises Forbidden, NotFound."""
    if not _acts_for_nobody(actor):
        allow(tx, actor, act, clients_of_events(tx, ids))


def scope_of(tx: Tx, actor: Actor, act: Act = Act.VIEW) -> Clients:
    """The clients for which the actor may do the act. Raises Forbidden where nobody is named."""
    grants = _grants(tx, actor)
    if grants is not None and actor.key is None and actor.person is None:
        raise _refusal(actor, grants, ACTS[act], EVERY_CLIENT, None)
    return Clients(names=None if grants is None else grants.clients(ACTS[act].least))


def needed_scope(tx: Tx, actor: Actor, act: Act = Act.VIEW) -> Clients:
    """The same, and never none: an empty list would look as if nothing were there.

    Raises Forbidden for whoever may do the act for no client at all.
    """
    found = scope_of(tx, actor, act)
    if found.names is None or found.names:
        return found
    told = ACTS[act].says
    if actor.person is None:
        raise Forbidden(
            f"this key may not {told}, of any client",
            field="actor",
            fix=f"use a key with the role {ACTS[act].least} or more",
        )
    mail = who(actor.name).removeprefix("person:")
    if actor.key is not None:
        raise Forbidden(
            f"this key of {mail} may not {told}, of any client: it may what both of them may",
            field="actor",
            fix=f"{mail} needs a role again, which an admin gives, or another key",
        )
    raise Forbidden(
        f"{mail} has no role with which to {told}, or is disabled",
        field="actor",
        fix="ask an admin for a role",
    )


def may_view(tx: Tx, mail: str, client: str) -> bool:
    """Whether whoever has this address may look at a client's, or is not a person here."""
    try:
        person = find_person(tx, mail)
    except NotFound:
        return True
    return grants_of_person(tx, person.id).permits(ACTS[Act.VIEW].least, client)


def is_unknown(tx: Tx, mail: str) -> bool:
    """Whether there are people, and none of them has this address."""
    try:
        find_person(tx, mail)
    except NotFound:
        return anybody_is_there(tx)
    return False


@dataclass(frozen=True, kw_only=True, slots=True)
class Clients:
    """Some clients, or all of them."""

    names: frozenset[str] | None  # None: every client

    def __contains__(self, client: object) -> bool:
        return self.names is None or client in self.names


def _grants(tx: Tx, actor: Actor) -> Grants | None:
    """What the actor is trusted with; None: everything."""
    if _acts_for_nobody(actor):
        return None
    if actor.key is not None:
        return grants_of_key(tx, actor.key)
    if actor.person is not None:
        return grants_of_person(tx, actor.person, session=actor.session)
    return NOTHING if anybody_is_there(tx) else None


def _unproven(says: str) -> Forbidden:
    return Forbidden(
        f"to {says} takes a proof of who acts",
        field="actor",
        fix="log in with `meshline login MAIL`, or give a key of your own",
    )


def _acts_for_nobody(actor: Actor) -> bool:
    return actor.proof is Proof.PROCESS


def is_proven(actor: Actor) -> bool:
    """Whether it is proven which person acts: a program's key proves none."""
    return actor.person is not None and actor.proof in (Proof.SESSION, Proof.KEY)


def _refusal(
    actor: Actor, grants: Grants, rule: Rule, client: str, unseen: NotFound | None
) -> Forbidden | NotFound:
    if actor.key is None and actor.person is None:
        return Forbidden(
            f"nobody is named who would {rule.says}",
            field="actor",
            fix="name yourself with --as MAIL or MESHLINE_ACTOR, or log in with `meshline login`",
        )
    if client != EVERY_CLIENT and not grants.permits(Role.VIEWER, client):
        return unseen or NotFound(f"there is no client {client!r}", field="client")
    roles = " or ".join(roles_that_include(rule.least))
    where = "every client" if client == EVERY_CLIENT else f"client {client!r}"
    takes = f"to {rule.says} takes the role {roles} for {where}"
    if actor.key is None:
        fix = "ask an admin for the role; `meshline people list` shows who has which"
        return Forbidden(takes, field="actor", fix=fix)
    if actor.person is None:
        fix = "use a key with that role, which an admin makes"
        return Forbidden(f"{takes}, which this key has not", field="actor", fix=fix)
    mail = who(actor.name).removeprefix("person:")
    return Forbidden(
        f"{takes}, of both this key and {mail}, whose it is",
        field="actor",
        fix=f"ask an admin for the role, if {mail} has it not; else make a key that has it",
    )
