"""Come in by a trusted proxy, which has asked who it is."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.domain.access.actor import Actor, Proof, name_of_person
from orchestrator.domain.errors import LoginRefused, NotFound
from orchestrator.store.access.people import find_person
from orchestrator.store.database.engine import Store
from orchestrator.store.database.prepared import storable


@dataclass(frozen=True, kw_only=True)
class Proxied:
    """Somebody whom a proxy names."""

    actor: Actor
    name: str


def come_by_proxy(store: Store, mail: str) -> Proxied:
    """The person whom a trusted proxy names, who needs no session: it names them each time.

    Raises LoginRefused where there is no such person, or the person is disabled.
    """
    with store.read() as tx:
        try:
            person = find_person(tx, storable(mail))
        except NotFound:
            person = None
    if person is None or person.disabled_at is not None:
        raise LoginRefused(
            f"the proxy names {mail!r}, who is not a person here or is disabled",
            field="person",
            fix="ask an admin",
        )
    actor = Actor(name=name_of_person(person.mail, "proxy"), proof=Proof.SESSION, person=person.id)
    return Proxied(actor=actor, name=person.name)
