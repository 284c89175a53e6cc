"""The states of a change as data. docs/reference/lifecycle.md is generated from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from orchestrator.domain.errors import IllegalMove


class ChangeKind(StrEnum):
    """What a change does to its workflow."""

    PUBLISH = "publish"  # its file as a new version
    AMEND = "amend"  # the live version with a recipe in it
    RETIRE = "retire"  # no version is live any more
    ROLLBACK = "rollback"  # an earlier version is live again; it needs no approval


class ChangeState(StrEnum):
    """The states of a change."""

    DRAFT = "draft"
    AWAITING_APPROVAL = "awaiting_approval"
    APPROVED = "approved"
    LIVE = "live"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    STALE = "stale"
    ROLLED_BACK = "rolled_back"


class ChangeMove(StrEnum):
    """What can happen to a change; the audit's words are these and `_change`."""

    PROPOSE = "propose"
    EDIT = "edit"
    ASK = "ask"
    APPROVE = "approve"
    REQUEST_CHANGES = "request_changes"
    REJECT = "reject"
    WITHDRAW = "withdraw"
    EXPIRE = "expire"
    OVERTAKE = "overtake"
    GO_LIVE = "go_live"
    BREAK_GLASS = "break_glass"
    ROLL_BACK = "roll_back"


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeTransition:
    """One allowed move."""

    move: ChangeMove
    source: ChangeState | None  # None: there is no change yet
    target: ChangeState
    when: str


_DRAFT, _ASKED, _APPROVED = (
    ChangeState.DRAFT,
    ChangeState.AWAITING_APPROVAL,
    ChangeState.APPROVED,
)

OPEN = (_DRAFT, _ASKED, _APPROVED)
"""The states of a change that may still go live."""


_LATE = "nobody decided in time, or its approval did not hold any more when its time came"


def _from_open(move: ChangeMove, target: ChangeState, when: str) -> tuple[ChangeTransition, ...]:
    return tuple(
        ChangeTransition(move=move, source=source, target=target, when=when) for source in OPEN
    )


CHANGE_TRANSITIONS: tuple[ChangeTransition, ...] = (
    ChangeTransition(
        move=ChangeMove.PROPOSE, source=None, target=_DRAFT,
        when="somebody proposed a version, or that there is none any more",
    ),
    ChangeTransition(
        move=ChangeMove.ASK, source=_DRAFT, target=_ASKED,
        when="its client's changes need an approval",
    ),
    *_from_open(
        ChangeMove.EDIT, _DRAFT, "somebody edited it: what was approved is another version",
    ),
    ChangeTransition(
        move=ChangeMove.APPROVE, source=_ASKED, target=_APPROVED,
        when="the approver, who is none of its authors, said yes to its digest",
    ),
    ChangeTransition(
        move=ChangeMove.REQUEST_CHANGES, source=_ASKED, target=_DRAFT,
        when="the approver asked for something else",
    ),
    ChangeTransition(
        move=ChangeMove.REJECT, source=_ASKED, target=ChangeState.REJECTED,
        when="the approver said no",
    ),
    *_from_open(ChangeMove.WITHDRAW, ChangeState.WITHDRAWN, "somebody took it back"),
    *_from_open(ChangeMove.EXPIRE, ChangeState.EXPIRED, _LATE),
    *_from_open(ChangeMove.OVERTAKE, ChangeState.STALE, "another version went live before it"),
    ChangeTransition(
        move=ChangeMove.GO_LIVE, source=_APPROVED, target=ChangeState.LIVE,
        when="its time came, and what was approved still holds",
    ),
    ChangeTransition(
        move=ChangeMove.GO_LIVE, source=_DRAFT, target=ChangeState.LIVE,
        when="its client's changes need no approval yet, or it is a rollback",
    ),
    *_from_open(ChangeMove.BREAK_GLASS, ChangeState.LIVE, "the backstop broke the glass"),
    ChangeTransition(
        move=ChangeMove.ROLL_BACK, source=ChangeState.LIVE, target=ChangeState.ROLLED_BACK,
        when="somebody made the version before it live again",
    ),
)  # fmt: skip
"""Every allowed move."""

_TARGETS = {(one.move, one.source): one.target for one in CHANGE_TRANSITIONS}


def change_target(move: ChangeMove, source: ChangeState) -> ChangeState:
    """Where `move` leads from `source`. Raises IllegalMove where it is not allowed."""
    try:
        return _TARGETS[move, source]
    except KeyError:
        raise IllegalMove(
            f"a change that is {source.replace('_', ' ')} cannot {_TOLD[move]}",
            field="state",
            fix="propose it again" if source not in OPEN else "see `meshline change show`",
        ) from None


_TOLD = {
    ChangeMove.PROPOSE: "be proposed",
    ChangeMove.EDIT: "be edited",
    ChangeMove.ASK: "be put to an approver",
    ChangeMove.APPROVE: "be approved",
    ChangeMove.REQUEST_CHANGES: "be sent back",
    ChangeMove.REJECT: "be rejected",
    ChangeMove.WITHDRAW: "be withdrawn",
    ChangeMove.EXPIRE: "expire",
    ChangeMove.OVERTAKE: "be overtaken",
    ChangeMove.GO_LIVE: "go live",
    ChangeMove.BREAK_GLASS: "go live",
    ChangeMove.ROLL_BACK: "be rolled back",
}
