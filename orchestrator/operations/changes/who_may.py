"""Who may decide about a change, and why the other approvers of its client may not."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.domain.changes.deciding import check_decider
from orchestrator.domain.errors import Forbidden
from orchestrator.operations.changes.hold import asked_of
from orchestrator.store.changes.approvers import deciders_of
from orchestrator.store.changes.changes import LockedChange
from orchestrator.store.database.engine import Tx


@dataclass(frozen=True, kw_only=True, slots=True)
class MayNot:
    """An approver whose word about a change does not count."""

    mail: str
    why: str  # one clause, without a full stop


@dataclass(frozen=True, kw_only=True, slots=True)
class WhoMay:
    """The approvers of a change's client, by what their word about it is worth."""

    may: tuple[str, ...]  # mail addresses; none: nobody can approve it as it is
    others: tuple[MayNot, ...]


def who_may(tx: Tx, change: LockedChange) -> WhoMay:
    """Ask of each approver what an approval would be asked."""
    asked = asked_of(tx, change)
    may, others = [], []
    for one in deciders_of(tx, change.client):
        try:
            check_decider(one, asked)
        except Forbidden as error:
            others.append(MayNot(mail=one.mail, why=error.detail))
        else:
            may.append(one.mail)
    return WhoMay(may=tuple(may), others=tuple(others))
