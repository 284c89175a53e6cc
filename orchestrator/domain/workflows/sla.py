"""What a workflow promises: how long an event may take, and how many have to be delivered."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictInt,
    StrictStr,
    model_validator,
)

from orchestrator.domain.documents.model_faults import wrong
from orchestrator.domain.text.durations import seconds
from orchestrator.domain.workflows.hours.calendar import WEEK_MINUTES
from orchestrator.domain.workflows.hours.definition import Hours
from orchestrator.domain.workflows.promises import (
    ESCALATE,
    PAUSES_STOP,
    RATE_OF,
    RATE_OVER,
    thousandths,
)

_MOST_WEEKS = 520
_PERCENT = re.compile(r"(100|[1-9]?[0-9](?:\.[0-9]{1,3})?)%")


def between(shortest: str, longest: str) -> BeforeValidator:
    """A check that a text is a duration in this range."""
    least, most = seconds(shortest), seconds(longest)

    def check(value: object) -> object:
        try:
            given = seconds(str(value))
        except ValueError as error:
            raise wrong("duration", str(error), "write one such as 5s, 15m, 1h or 3d") from None
        if not least <= given <= most:
            fix = f"write a duration from {shortest} to {longest}"
            raise wrong("duration_range", f"{value} is out of range", fix)
        return value

    return BeforeValidator(check)


def _percent(text: str) -> str:
    if not _PERCENT.fullmatch(text) or not thousandths(text):
        raise wrong("percent", f"{text!r} is not a share", "write one such as 95% or 99.5%")
    return text


class SuccessRate(BaseModel):
    """At least so many of the events that were accepted within a time have to be delivered."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at_least: Annotated[StrictStr, AfterValidator(_percent)]
    over: Annotated[StrictStr, between("1m", "7d")] = RATE_OVER
    of: Annotated[StrictInt, Field(ge=1, le=1_000_000)] = RATE_OF  # of fewer nothing is said


class Sla(BaseModel):
    """How long an event may take, how long it may be in quarantine, how many have to succeed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    deliver_within: Annotated[StrictStr, between("1s", "30d")]
    recover_within: Annotated[StrictStr, between("1s", "365d")]
    calendar: Hours | None = None  # none: the clocks run all the time
    # When after a breach the recovery lead, the owner and the backstop are told.
    escalate: Annotated[
        tuple[Annotated[StrictStr, between("0s", "30d")], ...], Field(min_length=1, max_length=3)
    ] = ESCALATE
    success_rate: SuccessRate | None = None  # none: nobody is told of it
    # Clocks that stop while a person has paused a destination until a time.
    pauses_stop: tuple[Literal["recover_within"], ...] = PAUSES_STOP

    @model_validator(mode="after")
    def _goes_on(self) -> Self:
        waits = [seconds(one) for one in self.escalate]
        if any(late <= early for early, late in pairwise(waits)):
            raise wrong("escalate", "its steps do not rise", "write them so: [0m, 30m, 2h]")
        weekly = self.calendar.calendar.weekly_seconds if self.calendar else WEEK_MINUTES * 60
        if seconds(self.recover_within) > weekly * _MOST_WEEKS:
            problem = f"in these hours {self.recover_within} is more than ten years"
            raise wrong("hours", problem, "write a shorter duration, or longer hours")
        return self
