"""Jobs: long acts that a person starts and a keeper carries out, whoever goes away meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.domain.errors import IllegalMove


class JobKind(StrEnum):
    """What a job does."""

    RUN_PLAN = "run_plan"  # the items are the events of a replay plan
    DISCARD = "discard"
    RESTORE = "restore"
    AMEND = "amend"  # by a recipe
    BACKTEST = "backtest"  # decides about past events again, and changes none of them


class JobState(StrEnum):
    """The states of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    DONE = "done"
    FAILED = "failed"


class JobMove(StrEnum):
    """What can happen to a job; the audit's words are these and `_job`."""

    START = "start"
    TAKE = "take"
    TAKE_OVER = "take_over"
    HAND_BACK = "hand_back"
    STOP = "stop"
    HALT = "halt"
    RESUME = "resume"
    FINISH = "finish"
    FAIL = "fail"


@dataclass(frozen=True, kw_only=True, slots=True)
class JobTransition:
    """One allowed move."""

    move: JobMove
    source: JobState | None  # None: there is no job yet
    target: JobState
    when: str


JOB_TRANSITIONS: tuple[JobTransition, ...] = (
    JobTransition(move=JobMove.START, source=None, target=JobState.QUEUED,
                  when="a person asked for it"),
    JobTransition(move=JobMove.TAKE, source=JobState.QUEUED, target=JobState.RUNNING,
                  when="a keeper took it, and has its lease"),
    JobTransition(move=JobMove.TAKE_OVER, source=JobState.RUNNING, target=JobState.RUNNING,
                  when="the lease ran out: its keeper is gone, and another continues"),
    JobTransition(move=JobMove.HAND_BACK, source=JobState.RUNNING, target=JobState.QUEUED,
                  when="its keeper was asked to end"),
    JobTransition(move=JobMove.STOP, source=JobState.QUEUED, target=JobState.STOPPED,
                  when="a person stopped it before a keeper took it"),
    JobTransition(move=JobMove.STOP, source=JobState.RUNNING, target=JobState.STOPPING,
                  when="a person stopped it"),
    JobTransition(move=JobMove.HALT, source=JobState.STOPPING, target=JobState.STOPPED,
                  when="its keeper ended the step that it was at, or is gone"),
    JobTransition(move=JobMove.RESUME, source=JobState.STOPPING, target=JobState.RUNNING,
                  when="a person took the stop back before the step ended"),
    JobTransition(move=JobMove.RESUME, source=JobState.STOPPED, target=JobState.QUEUED,
                  when="a person resumed it"),
    JobTransition(move=JobMove.RESUME, source=JobState.FAILED, target=JobState.QUEUED,
                  when="a person resumed it, after the cause was mended"),
    JobTransition(move=JobMove.FINISH, source=JobState.RUNNING, target=JobState.DONE,
                  when="nothing is left to do"),
    JobTransition(move=JobMove.FINISH, source=JobState.STOPPING, target=JobState.DONE,
                  when="nothing was left to do when it was stopped"),
    JobTransition(move=JobMove.FAIL, source=JobState.RUNNING, target=JobState.FAILED,
                  when="it was refused, and says why; or its keepers died of it again and again"),
    JobTransition(move=JobMove.FAIL, source=JobState.STOPPING, target=JobState.FAILED,
                  when="it was refused while it stopped, and says why"),
)  # fmt: skip
"""The moves of a job."""

AT_WORK = frozenset({JobState.RUNNING, JobState.STOPPING})
"""Where a keeper holds the lease, or held it when it died."""

UNFINISHED = AT_WORK | {JobState.QUEUED}
"""Where a keeper is to do something."""

_TARGETS = {(one.move, one.source): one.target for one in JOB_TRANSITIONS}

_BY_PEOPLE = (JobMove.STOP, JobMove.RESUME)


def job_target(move: JobMove, source: JobState) -> JobState:
    """Where `move` leads from `source`. Raises IllegalMove where it is not allowed."""
    try:
        return _TARGETS[move, source]
    except KeyError:
        can = [one for one in _BY_PEOPLE if (one, source) in _TARGETS]
        raise IllegalMove(
            f"a job that is {source} cannot {move.replace('_', ' ')}",
            field="state",
            fix=f"it can: {', '.join(can) or 'nothing, this is final'}",
        ) from None


@dataclass(frozen=True, kw_only=True, slots=True)
class Instructions:
    """What a job has to know beside its items; a kind reads what concerns it."""

    send_again: bool = False  # deliveries that may arrive twice are sent, too
    rate: float | None = None  # at most so many events in a second
    recipe: Mapping[str, object] | None = None  # as a recipe describes itself
    again: bool = False  # also what somebody else amended
    from_original: bool = False  # of payloads as they came
    change: str | None = None  # the token of the change that is backtested
    backtest: int | None = None  # the row that has how far it is


class Outcome(StrEnum):
    """What came of one event of a job."""

    DONE = "done"
    UNCHANGED = "unchanged"  # it was so before
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemOutcome:
    """What came of one event of a job, and why where nothing did."""

    outcome: Outcome
    detail: str | None = None
