"""People with roles, for tests of who may do what."""

from __future__ import annotations

from sqlalchemy import update

from orchestrator.domain.access.actor import Actor, Proof, login, name_of_person
from orchestrator.domain.access.roles import EVERY_CLIENT, Role
from orchestrator.operations.access.keys import create_own_key
from orchestrator.operations.access.people import RoleChange, add_person, change_roles
from orchestrator.store.access.people import find_person
from orchestrator.store.database.clock import after
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import person_roles

ADMIN = "admin@agency.example"
PASSWORD = "correct horse battery"


def add_admin(store: Store, mail: str = ADMIN) -> Actor:
    """The first person, an admin for every client, who has logged in."""
    add(store, mail, Role.ADMIN, EVERY_CLIENT)
    return logged_in(store, mail)


def add(store: Store, mail: str, role: Role, client: str) -> None:
    """A person with one role for one client."""
    roles = [RoleChange(client=client, role=role)]
    by = _somebody(store)
    add_person(store, mail, name=mail.partition("@")[0], roles=roles, actor=by)


def withdraw(store: Store, mail: str, role: Role, client: str) -> None:
    """Take a role of a person away."""
    taken = [RoleChange(client=client, role=role, withdraw=True)]
    change_roles(store, mail, taken, actor=_somebody(store))


def give(store: Store, mail: str, role: Role, client: str) -> None:
    """Give a person another role."""
    change_roles(store, mail, [RoleChange(client=client, role=role)], actor=_somebody(store))


def logged_in(store: Store, mail: str) -> Actor:
    """A person as an actor who has proven who they are."""
    return _actor(store, mail, Proof.SESSION, "page")


def named(store: Store, mail: str) -> Actor:
    """A person as an actor who is only named on a command line."""
    return _actor(store, mail, Proof.NONE, "cli:root")


def key_of(store: Store, mail: str, role: Role, *clients: str) -> str:
    """A key that proves a person acts, which that person made."""
    return create_own_key(
        store, clients=clients, label="t", actor=logged_in(store, mail), role=role, mail=mail
    )


def age_roles(store: Store) -> None:
    """Let every role have been given a minute ago: an approver's has to be older than a change."""
    with store.write() as tx:
        tx.execute(update(person_roles).values(granted_at=after(-60)))


def _actor(store: Store, mail: str, proof: Proof, way: str) -> Actor:
    with store.read() as tx:
        person = find_person(tx, mail)
    return Actor(name=name_of_person(mail, way), proof=proof, person=person.id)


def _somebody(store: Store) -> Actor:
    """Who may add people: the admin, or before there is anybody, whoever runs the command."""
    from orchestrator.store.access.grants import anybody_is_there

    with store.read() as tx:
        there = anybody_is_there(tx)
    return logged_in(store, ADMIN) if there else login("cli:root")
