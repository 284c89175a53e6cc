"""Who may decide about changes now, and why somebody else may not: what is shown before the act.

The act itself asks again, with everything held.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from orchestrator.domain.changes.deciding import (
    Asked,
    Decider,
    named_approver,
    stand_in_of,
    why_not,
)
from orchestrator.domain.changes.states import ChangeState
from orchestrator.store.changes.views import ChangeRow, list_changes
from orchestrator.store.changes.waiting import WaitingChange, waiting_changes
from orchestrator.store.database.engine import Tx

MOST_WAITING = 100
"""Changes that are looked at for one person: who has more decides some of them first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Deciders:
    """Who may decide about a change now."""

    mails: tuple[str, ...]  # each of them may; none: nobody may
    asked: Asked
    known: tuple[Decider, ...]  # everybody with the role

    def why_not(self, mail: str) -> str | None:
        """Why the word of somebody with this address does not count; None: it counts."""
        nobody = Decider(mail=mail, roles=())
        decider = next((one for one in self.known if one.mail == mail), nobody)
        return why_not(decider, self.asked)

    def is_author(self, mail: str) -> bool:
        """Whether they are one of its authors."""
        return f"person:{mail}" in self.asked.authors

    def has_role(self, mail: str) -> bool:
        """Whether they have the role approver, whatever it counts."""
        return any(one.mail == mail for one in self.known)


NOBODY_ASKED = Deciders(
    mails=(),
    asked=Asked(authors=frozenset(), proven=frozenset(), proposed_at=0, named=None),
    known=(),
)
"""Of a change that is not there any more."""


def who_decides(tx: Tx, numbers: Collection[int]) -> Mapping[int, Deciders]:
    """Who may decide about these changes, by their numbers."""
    return {number: _of(one) for number, one in waiting_changes(tx, numbers).items()}


def _of(waiting: WaitingChange) -> Deciders:
    named = named_approver(waiting.approver, waiting.deciders, waiting.asked)
    stand_in = stand_in_of(named, waiting.away, waiting.asked)
    asked = replace(waiting.asked, named=named, stand_in=stand_in)
    mails = tuple(one.mail for one in waiting.deciders if why_not(one, asked) is None)
    return Deciders(mails=mails, asked=asked, known=waiting.deciders)


@dataclass(frozen=True, kw_only=True, slots=True)
class Inbox:
    """The changes that wait for one person."""

    changes: tuple[ChangeRow, ...]  # the newest first
    more: bool  # only the newest `MOST_WAITING` of all that wait were looked at


def changes_for(tx: Tx, mail: str | None, clients: frozenset[str] | None) -> Inbox:
    """The changes of these clients about which a person may decide; None: of every client."""
    if mail is None:
        return Inbox(changes=(), more=False)
    asked = ChangeState.AWAITING_APPROVAL
    found = list_changes(tx, state=asked, clients=clients, limit=MOST_WAITING + 1)
    may = who_decides(tx, [number for number, _ in found[:MOST_WAITING]])
    mine = (row for number, row in found[:MOST_WAITING] if mail in may[number].mails)
    return Inbox(changes=tuple(mine), more=len(found) > MOST_WAITING)
