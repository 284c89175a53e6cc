"""What a workflow promises where its file says nothing, and when a promised rate is missed.

A listing reads the promises of every version: nothing here loads the models of workflow files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ESCALATE = ("0m", "30m", "2h")
"""When after a breach the recovery lead, the owner and the backstop get an alert."""

PAUSES_STOP: tuple[Literal["recover_within"], ...] = ("recover_within",)
"""Clocks that stop while a person has paused a destination until a time."""

RATE_OVER = "1h"
RATE_OF = 20  # events; of fewer nothing is said


@dataclass(frozen=True, kw_only=True)
class DeliveryRate:
    """What became of the events that were accepted within the time.

    Neither those under way count nor those that a person discarded.
    """

    delivered: int = 0
    quarantined: int = 0  # they are there now

    @property
    def decided(self) -> int:
        """Of how many it is known."""
        return self.delivered + self.quarantined


@dataclass(frozen=True, kw_only=True)
class PromisedRate:
    """At least so many of the events that were accepted within a time have to be delivered."""

    at_least: str  # such as 99.5%
    over: str = RATE_OVER  # a duration
    of: int = RATE_OF

    def is_missed_by(self, rate: DeliveryRate) -> bool:
        """Whether too few are delivered, of enough to tell."""
        enough = thousandths(self.at_least) * rate.decided
        return rate.decided >= self.of and 100_000 * rate.delivered < enough

    def told_of(self, rate: DeliveryRate) -> str:
        """The promise and what is kept of it, in one sentence."""
        kept = f"{rate.delivered} of {rate.decided} events that came within {self.over}"
        return f"{kept} are delivered; at least {self.at_least} are promised"


def thousandths(percent: str) -> int:
    """Thousandths of a percent in a share such as 99.5%."""
    return round(float(percent[:-1]) * 1000)
