"""What is so at this moment, and not part of a proposal: who is reached, who is alive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

REACHED_DAYS = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach:
    """Whether one of the people who answer for a workflow was reached lately."""

    role: str  # owner, recovery_lead, approver or backstop
    address: str
    sent: bool  # an alert was handed over to their way within the last 30 days
    failed: bool  # the last one of that time failed for good


@dataclass(frozen=True, kw_only=True, slots=True)
class BacktestCounts:
    """What a backtest of this round found, where somebody made one."""

    events: int  # that were looked at
    newly_refused: int  # of these, that would be stopped and were not
    newly_passing: int
    fields_changed: int  # fields of destinations that would be sent other values
    peaks: Mapping[str, int]  # by destination, the most deliveries in one minute


@dataclass(frozen=True, kw_only=True, slots=True)
class Present:
    """What the gates look at beside the recorded evidence."""

    reached: tuple[Reach, ...]
    keeper: str | None  # how the keepers are: alive, late or missing; None: there never was one
    base: int | None  # the version that is live; None: there is none
    recovery_lead: str
    deliver_within: str
    recover_within: str
    calendar: bool  # the clocks run in some hours only
    connectors: tuple[str, ...]  # of the destinations
    proven: frozenset[str]  # of these, by which a handoff was confirmed in the last 24 hours
    client: str
    workflow: str
    stricter: int  # differences from the live version, by their direction
    breaking: int  # differences that may break something for somebody
    parts: tuple[str, ...]  # of the workflow, in which there are differences
    backtest: BacktestCounts | None  # None: nobody made one, or it is not done
