"""Whose word counts about an event: never that of whoever changed what it carries."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from orchestrator.domain.access.actor import who
from orchestrator.domain.changes.deciding import Away, Decider
from orchestrator.domain.errors import Forbidden


@dataclass(frozen=True, kw_only=True, slots=True)
class EventAsked:
    """What a request asks of whoever decides about it."""

    amenders: frozenset[str]  # who changed the payload: `person:ada@acme.example`, without the way
    named: str | None  # mail of the workflow's approver, if that is a person who may decide
    stand_in: str | None = None  # mail of who decides in their place while they are away


def check_approver(decider: Decider, asked: EventAsked) -> None:
    """Raises Forbidden where this person's word does not count, and says why and what would."""
    if f"person:{decider.mail}" in asked.amenders:
        raise Forbidden(
            "you amended this event, and nobody approves what they changed",
            field="actor",
            fix="ask another approver of the client",
        )
    if not decider.roles:
        raise Forbidden(
            f"{decider.mail} does not have the role approver for this client now",
            field="actor",
            fix="ask an admin for the role",
        )
    if all(who(one.by) in asked.amenders for one in decider.roles):
        raise Forbidden(
            "your role approver was given by somebody who amended this event",
            field="actor",
            fix="ask another approver of the client",
        )
    if decider.invited is not None and who(decider.invited.by) in asked.amenders:
        # Whoever sends an invitation can open it.
        raise Forbidden(
            "your password was set by an invitation of somebody who amended this event",
            field="actor",
            fix="ask another approver of the client",
        )
    if asked.named not in (None, decider.mail) and asked.stand_in != decider.mail:
        raise Forbidden(
            f"{asked.named} decides about events of this workflow: its version says so",
            field="actor",
            fix="ask them",
        )


def named_decider(
    mail: str, deciders: Collection[Decider], amenders: Collection[str]
) -> str | None:
    """Who has to decide: whom the version of the event names, where that person's word counts.

    An address that is nobody's, such as a desk's, leaves it to every approver of the client; so
    does an approver who amended the event.
    """
    for one in deciders:
        if one.mail == mail.lower():
            given = any(who(role.by) not in amenders for role in one.roles)
            return one.mail if given and f"person:{one.mail}" not in amenders else None
    return None


def stand_in_for(
    named: str | None, away: Mapping[str, Away], amenders: Collection[str]
) -> str | None:
    """Who decides in the place of the named approver, who is away; None: nobody does.

    Not where somebody who amended the event said so.
    """
    one = away.get(named or "")
    return None if one is None or who(one.given.by) in amenders else one.to


def decides_for(mail: str, asked: EventAsked) -> str | None:
    """The approver in whose place somebody decides; None: they decide for themselves."""
    return asked.named if asked.stand_in == mail and asked.named != mail else None
