"""Rates and quotas of keys and sources, and their headers (IETF draft ratelimit-headers-09).

The rate is kept by each door. The quota is of all doors: each counts what it takes, and every few
seconds adds that to the store and learns what the others took.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic, time

from orchestrator.api.problems import Limited
from orchestrator.domain.access.key_limits import KeyLimits
from orchestrator.domain.sources.source import SourceLimits

_DAY = 86_400  # seconds
_MOST_KEYS = 10_000  # that are remembered; the one that was longest silent is forgotten

Limits = KeyLimits | SourceLimits


@dataclass
class _Spent:
    """What one sender has left, and what it sent."""

    tokens: float  # of the rate; below zero after a batch that was larger
    at: float  # of the clock, when the tokens were counted
    day: int = 0  # of UTC since 1970
    known: int = 0  # triggers of the day that the store knows of, from all doors
    new: int = 0  # those that this door has not told the store yet
    asked: bool = False  # it was proven since the store was told: a stranger costs no write


class Rates:
    """What the keys and sources of one door have sent. Belongs to one event loop.

    A key is named by its id, and a source by its actor's name, which no id of a key equals.
    """

    def __init__(
        self, *, clock: Callable[[], float] = monotonic, today: Callable[[], float] = time
    ) -> None:
        self._clock = clock
        self._today = today  # seconds since 1970
        self._spent: dict[str, _Spent] = {}

    def check(self, key: str, limits: Limits) -> None:
        """Raises Limited for a key that may send nothing now: before its body is read."""
        self._refuse(self._of(key, limits), limits, 1)

    def take(self, key: str, limits: Limits, count: int) -> Mapping[str, str]:
        """Count triggers of a key; the headers that tell what it has left.

        A batch may take more than the rate has left, which has to grow again before the next
        request. Raises Limited.
        """
        spent = self._of(key, limits)
        spent.asked = spent.asked or limits.quota_per_day is not None
        self._refuse(spent, limits, count)
        spent.tokens -= max(count, 1)  # a request without any costs the door as much
        spent.new += count
        return self._headers(spent, limits)

    def spend(self, key: str, limits: Limits) -> None:
        """Count one of the rate alone: what was proven and then refused is not of the quota."""
        self._of(key, limits).tokens -= 1

    def give_back(self, key: str, count: int) -> None:
        """Triggers that were counted are not of the quota: they were refused."""
        if key in self._spent:
            self._spent[key].new -= count

    def take_new(self) -> dict[str, int]:
        """What the store has to learn, by key; 0 only asks what others sent."""
        asked = {key: spent for key, spent in self._spent.items() if spent.asked}
        told = {key: max(spent.new, 0) for key, spent in asked.items()}
        for key, spent in asked.items():
            spent.new -= told[key]
            spent.known += told[key]
            spent.asked = False
        return told

    def learn(self, totals: Mapping[str, int]) -> None:
        """What the keys have sent today through all doors."""
        for key, total in totals.items():
            if key in self._spent:
                self._spent[key].known = total

    def put_back(self, told: Mapping[str, int]) -> None:
        """The store did not take it."""
        for key, count in told.items():
            if key in self._spent:
                self._spent[key].new += count
                self._spent[key].known -= count
                self._spent[key].asked = True

    def _of(self, key: str, limits: Limits) -> _Spent:
        now, day = self._clock(), int(self._today() // _DAY)
        rate = limits.rate or 0
        spent = self._spent.pop(key, None) or _Spent(tokens=rate, at=now, day=day)
        grown = (now - spent.at) * rate / limits.per_seconds
        spent.tokens = min(rate, spent.tokens + grown)
        spent.at = now
        if spent.day != day:
            spent.day, spent.known, spent.new = day, 0, 0
        self._spent[key] = spent  # at the end: who is silent for longest comes first
        while len(self._spent) > _MOST_KEYS:
            self._spent.pop(next(iter(self._spent)))
        return spent

    def _refuse(self, spent: _Spent, limits: Limits, count: int) -> None:
        rate, quota = limits.rate, limits.quota_per_day
        if quota is not None and spent.known + spent.new + count > quota:
            raise Limited(
                f"{limits.sender} may send {quota} events a day, and {count} more are too many",
                fix=limits.fix,
                headers=self._headers(spent, limits),
                seconds=self._left_of_day(),
            )
        if rate is not None and spent.tokens < 1:
            raise Limited(
                f"{limits.sender} may send {rate} events in {limits.per_seconds:g} s",
                fix=limits.fix,
                headers=self._headers(spent, limits),
                seconds=math.ceil((1 - spent.tokens) * limits.per_seconds / rate),
            )

    def _headers(self, spent: _Spent, limits: Limits) -> dict[str, str]:
        policies, left = [], []
        rate, quota = limits.rate, limits.quota_per_day
        if rate is not None:
            policies.append(f'"rate";q={rate};w={limits.per_seconds:.0f}')
            again = math.ceil(max(0.0, rate - spent.tokens) * limits.per_seconds / rate)
            left.append(f'"rate";r={max(0, math.floor(spent.tokens))};t={again}')
        if quota is not None:
            policies.append(f'"quota";q={quota};w={_DAY}')
            rest = max(0, quota - spent.known - spent.new)
            left.append(f'"quota";r={rest};t={self._left_of_day()}')
        return {"ratelimit-policy": ", ".join(policies), "ratelimit": ", ".join(left)}

    def _left_of_day(self) -> int:
        return _DAY - int(self._today()) % _DAY
