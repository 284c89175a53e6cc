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
    SHADOW = "shadow"
    CANARY = "canary"
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
    START_SHADOW = "start_shadow"
    START_CANARY = "start_canary"
    STEP = "step"
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
"""The states of a change that nothing was begun of, and that may still go live."""

ROLLING = (ChangeState.SHADOW, ChangeState.CANARY)
"""The states of a change whose version is rolled out: it decides beside the live one, or of few."""

UNFINISHED = (*OPEN, *ROLLING)
"""The states of a change that may still go live."""


_BY_HAND = "somebody made the version before it live again"
_BACK = "its rollout failed, or somebody stopped it: the version before decides alone again"
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
    *(
        ChangeTransition(move=move, source=source, target=target, when=f"{what} begins")
        for source in (_APPROVED, _DRAFT)
        for move, target, what in (
            (ChangeMove.START_SHADOW, ChangeState.SHADOW, "its rollout, beside the live version,"),
            (ChangeMove.START_CANARY, ChangeState.CANARY, "its rollout, on a share of the events,"),
        )
    ),
    ChangeTransition(
        move=ChangeMove.START_CANARY, source=ChangeState.SHADOW, target=ChangeState.CANARY,
        when="its time beside the live version is over, and nothing spoke against it",
    ),
    ChangeTransition(
        move=ChangeMove.STEP, source=ChangeState.CANARY, target=ChangeState.CANARY,
        when="a step of its canary passed: the next share of the events is larger",
    ),
    *(
        ChangeTransition(
            move=ChangeMove.GO_LIVE, source=source, target=ChangeState.LIVE,
            when="the last step of its rollout passed, and its approval still holds",
        )
        for source in ROLLING
    ),
    *(
        ChangeTransition(
            move=ChangeMove.OVERTAKE, source=source, target=ChangeState.STALE,
            when="another version went live by break-glass or by a rollback",
        )
        for source in ROLLING
    ),
    *(
        ChangeTransition(
            move=ChangeMove.ROLL_BACK, source=source, target=ChangeState.ROLLED_BACK, when=when
        )
        for source, when in (
            (ChangeState.LIVE, _BY_HAND), *((one, _BACK) for one in ROLLING),
        )
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
            fix="propose it again" if source not in UNFINISHED else "see `meshline change show`",
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
    ChangeMove.START_SHADOW: "begin its rollout",
    ChangeMove.START_CANARY: "begin its rollout",
    ChangeMove.STEP: "go on with its rollout",
    ChangeMove.GO_LIVE: "go live",
    ChangeMove.BREAK_GLASS: "go live",
    ChangeMove.ROLL_BACK: "be rolled back",
}

GRACE_MS = 86_400_000
"""How long an approved change may still go live after what held it up: a keeper may be away."""
