"""Roles: what a person or a key is trusted with, for one client or for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

EVERY_CLIENT = "*"
"""The client that a role for all clients, also later ones, is given for."""


class Role(StrEnum):
    """The roles. A key has one of them, a person as many as were granted."""

    PRODUCER = "producer"  # of keys only: sends events, and asks for what became of them
    VIEWER = "viewer"
    OPERATOR = "operator"
    APPROVER = "approver"
    STEWARD = "steward"
    ADMIN = "admin"


ROLES_OF_PEOPLE = tuple(role for role in Role if role is not Role.PRODUCER)

# An approver only looks and decides: whoever changes things must not also say yes to them.
_INCLUDED: Mapping[Role, frozenset[Role]] = {
    Role.PRODUCER: frozenset({Role.PRODUCER}),
    Role.VIEWER: frozenset({Role.VIEWER}),
    Role.OPERATOR: frozenset({Role.OPERATOR, Role.VIEWER, Role.PRODUCER}),
    Role.APPROVER: frozenset({Role.APPROVER, Role.VIEWER}),
    Role.STEWARD: frozenset({Role.STEWARD, Role.OPERATOR, Role.VIEWER, Role.PRODUCER}),
    Role.ADMIN: frozenset({Role.ADMIN, Role.STEWARD, Role.OPERATOR, Role.VIEWER, Role.PRODUCER}),
}


def includes(role: Role, least: Role) -> bool:
    """Whether `role` may do what needs at least the role `least`.

    >>> includes(Role.STEWARD, Role.OPERATOR), includes(Role.ADMIN, Role.APPROVER)
    (True, False)
    """
    return least in _INCLUDED[role]


def roles_that_include(least: Role) -> tuple[Role, ...]:
    """The roles that may do what needs at least the role `least`, the smallest first."""
    return tuple(role for role in Role if least in _INCLUDED[role])
