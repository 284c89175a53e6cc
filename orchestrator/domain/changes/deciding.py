"""Who may decide about a change: pure rules over the rows that the store read in one transaction.

They are asked when somebody decides, and once more in the transaction that makes a version live.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.domain.access.actor import who
from orchestrator.domain.errors import Forbidden


class Decision(StrEnum):
    """What somebody who decides may say."""

    APPROVE = "approve"
    REQUEST_CHANGES = "request_changes"
    REJECT = "reject"


class Grade(StrEnum):
    """How it is known who decided; shown by name, and never mixed."""

    SESSION = "session"  # logged in
    API_KEY = "api_key"  # held a key of theirs, by which programs act for them
    KEY = "key"  # signed it: anybody can check that without our database


@dataclass(frozen=True, kw_only=True, slots=True)
class Given:
    """A role approver, or an invitation by which a password was set: from whom, and since when."""

    at: int  # in milliseconds since 1970
    by: str  # an actor


@dataclass(frozen=True, kw_only=True, slots=True)
class Decider:
    """A person who would decide, as the store knows them now."""

    mail: str
    roles: tuple[Given, ...]  # none: the person is disabled, or not an approver
    invited: Given | None = None  # by whom and when the password was set by an invitation


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What a change asks of whoever decides."""

    authors: frozenset[str]  # actors without their way, such as `person:ada@acme.example`
    proven: frozenset[str]  # of these, whom a session or a key has proven
    proposed_at: int  # in milliseconds since 1970, of the first round
    named: str | None  # mail of the approver of the version that is live, if that is an approver
    stand_in: str | None = None  # mail of who decides in their place while they are away


@dataclass(frozen=True, kw_only=True, slots=True)
class Away:
    """A person who is away, and lets somebody decide in their place."""

    to: str  # the mail address of who does
    until: int  # in milliseconds since 1970
    given: Given  # who said so, and when


def check_decider(decider: Decider, asked: Asked) -> None:
    """Raises Forbidden where this person's word does not count, and says why and what would."""
    me = f"person:{decider.mail}"
    if me in asked.authors:
        raise Forbidden(
            "you are one of its authors, and nobody approves their own change",
            field="actor",
            fix="ask another approver of the client",
        )
    if not decider.roles:
        raise Forbidden(
            f"{decider.mail} does not have the role approver for this client now",
            field="actor",
            fix="ask an admin for the role; it counts for changes that are proposed after it",
        )
    if not any(counts(one, asked) for one in decider.roles):
        raise Forbidden(
            "your role approver was given after the change was proposed, or by one of its authors",
            field="actor",
            fix="another approver decides; for changes that others propose later it counts",
        )
    if decider.invited is not None and not counts(decider.invited, asked):
        # Whoever sends an invitation can open it.
        raise Forbidden(
            "your password was set by an invitation of one of its authors, or after the change was"
            " proposed",
            field="actor",
            fix="another approver decides; for changes that others propose later it counts",
        )
    if asked.named not in (None, decider.mail) and asked.stand_in != decider.mail:
        raise Forbidden(
            f"{asked.named} approves changes of this workflow: the version that is live says so",
            field="actor",
            fix="ask them",
        )


def why_not(decider: Decider, asked: Asked) -> str | None:
    """Why this person's word does not count, in a sentence; None: it counts."""
    try:
        check_decider(decider, asked)
    except Forbidden as error:
        return error.detail
    return None


def counts(given: Given, asked: Asked) -> bool:
    """Whether it is older than the proposal, and not of an author's giving."""
    return given.at < asked.proposed_at and who(given.by) not in asked.authors


def stand_in_of(named: str | None, away: Mapping[str, Away], asked: Asked) -> str | None:
    """Who decides in the place of the named approver, who is away; None: nobody does.

    The approver's own word always counts. Of somebody else, who manages people, it has to be older
    than the proposal, and not an author's.
    """
    one = away.get(named or "")
    if one is None or not (who(one.given.by) == f"person:{named}" or counts(one.given, asked)):
        return None
    return one.to


def stands_in_for(mail: str, asked: Asked) -> str | None:
    """The approver in whose place somebody decides; None: they decide for themselves."""
    return asked.named if asked.stand_in == mail and asked.named != mail else None


def named_approver(mail: str, deciders: Collection[Decider], asked: Asked) -> str | None:
    """Who has to decide: whom the version that is live names, where that person's word counts.

    An address that is nobody's, such as a desk's, leaves it to every approver of the client; so
    does an approver who is an author.
    """
    for one in deciders:
        if one.mail == mail.lower():
            # Who is only named as an author stays the one: else a name would choose the judge.
            may = f"person:{one.mail}" not in asked.proven
            return one.mail if may and any(counts(role, asked) for role in one.roles) else None
    return None
