"""The people of the demo's story: one who heals, one who says yes, and an admin."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from orchestrator.domain.access.actor import Actor, process
from orchestrator.domain.access.roles import EVERY_CLIENT, Role
from orchestrator.operations.access.log_in import log_in
from orchestrator.operations.access.people import (
    RoleChange,
    accept_invite,
    add_person,
    invite_person,
)
from orchestrator.store.database.engine import Store

AUTHOR = "support-ops@acme.example"
"""Who operates: proposes what mends the leads, and plans their replay."""

APPROVER = "head-of-support@acme.example"
"""Whom the workflow names as its approver."""

ADMIN = "on-call@agency.example"
"""The backstop, who gives the roles and does nothing else here."""

_BY = process("cli:demo")
_PEOPLE = (
    (ADMIN, "On call", (RoleChange(client=EVERY_CLIENT, role=Role.ADMIN),)),
    (
        AUTHOR,
        "Support operations",
        (
            RoleChange(client=EVERY_CLIENT, role=Role.OPERATOR),
            RoleChange(client="acme", role=Role.APPROVER),  # of what others propose
        ),
    ),
    (APPROVER, "Head of support", (RoleChange(client="acme", role=Role.APPROVER),)),
)


@dataclass(frozen=True, kw_only=True)
class Cast:
    """Who acts, both logged in."""

    author: Actor
    approver: Actor
    password: str  # of everybody, made for this run


def add_people(store: Store) -> Cast:
    """Add everybody, and log both in. From then on each version for acme takes an approval."""
    for mail, name, roles in _PEOPLE:
        add_person(store, mail, name=name, roles=roles, actor=_BY)
    password = give_password(store)
    return Cast(
        author=log_in(store, AUTHOR, password, way="cli", address=None).actor,
        approver=log_in(store, APPROVER, password, way="cli", address=None).actor,
        password=password,
    )


def give_password(store: Store) -> str:
    """A new password for everybody; they log in with their mail addresses."""
    password = secrets.token_urlsafe(12)
    for mail, _, _ in _PEOPLE:
        accept_invite(store, invite_person(store, mail, actor=_BY), password=password)
    return password
