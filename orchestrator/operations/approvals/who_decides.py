"""Who may decide about what an event would send, and why somebody else may not.

It is shown before the act, which asks again with everything held.
"""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.domain.approvals.deciding import (
    EventAsked,
    check_approver,
    named_decider,
    stand_in_for,
)
from orchestrator.domain.changes.deciding import Decider
from orchestrator.domain.errors import Forbidden
from orchestrator.store.approvals.list import GroupRow, list_groups
from orchestrator.store.changes.absences import away_now
from orchestrator.store.changes.approvers import deciders_of
from orchestrator.store.database.engine import Tx


@dataclass(frozen=True, kw_only=True, slots=True)
class EventDeciders:
    """Who may decide about an event now."""

    mails: tuple[str, ...]  # each of them may; none: nobody may
    asked: EventAsked
    known: tuple[Decider, ...]  # everybody with the role

    def why_not(self, mail: str) -> str | None:
        """Why the word of somebody with this address does not count; None: it counts."""
        nobody = Decider(mail=mail, roles=())
        return _refusal(next((one for one in self.known if one.mail == mail), nobody), self.asked)


def who_decides_about(
    tx: Tx, client: str, approver: str, amenders: frozenset[str] = frozenset()
) -> EventDeciders:
    """Who may decide about an event of a workflow that names this approver."""
    known = tuple(deciders_of(tx, client))
    named = named_decider(approver, known, amenders)
    stand_in = stand_in_for(named, away_now(tx), amenders)
    asked = EventAsked(amenders=amenders, named=named, stand_in=stand_in)
    mails = tuple(one.mail for one in known if _refusal(one, asked) is None)
    return EventDeciders(mails=mails, asked=asked, known=known)


def groups_for(tx: Tx, mail: str | None, clients: frozenset[str] | None) -> tuple[GroupRow, ...]:
    """What waits for one person, by workflow and route; for who amended a part, also that part."""
    if mail is None:
        return ()
    return tuple(
        one
        for one in list_groups(tx, clients=clients)
        if mail in who_decides_about(tx, one.client, one.approver).mails
    )


def _refusal(decider: Decider, asked: EventAsked) -> str | None:
    try:
        check_approver(decider, asked)
    except Forbidden as error:
        return error.detail
    return None
