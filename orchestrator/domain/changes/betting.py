"""A test that may be looked at after every event: does the candidate fail more often than the base?

A gambler bets on each event of the candidate at the odds of the base. Where the candidate is not
worse, no strategy makes money on average, so the wealth reaches 1/alpha with a probability of at
most alpha, however often one looks (Ville's inequality). The bet is the likelihood ratio against
the rate that was seen so far: Waudby-Smith and Ramdas, "Estimating means of bounded random
variables by betting", Journal of the Royal Statistical Society B 86 (2024), and Grünwald, de Heide
and Koolen, "Safe testing", the same journal and year.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log

ALPHA = 0.05
"""How often a candidate that is not worse than its base is stopped by the test, at the most.

Half of it is for the base's rate, which is not known but only seen; half for the bets.
"""

_BOUND = log(2 / ALPHA)
"""What the logarithm of the wealth has to reach, and how unlikely the base's rate may be."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wealth:
    """What was won so far, and from which events."""

    events: int = 0
    bad: int = 0
    log: float = 0.0  # natural logarithm of the wealth; it begins with 1

    def after(self, *, is_bad: bool, base_rate: float) -> Wealth:
        """The wealth after one more event, where the base fails at this rate at the most."""
        # Chosen before the event is known: the rate so far, half an event for each side.
        rate = max((self.bad + 0.5) / (self.events + 1), base_rate)
        won = 0.0
        if base_rate < rate < 1:
            won = log(rate / base_rate if is_bad else (1 - rate) / (1 - base_rate))
        return Wealth(events=self.events + 1, bad=self.bad + is_bad, log=self.log + won)

    @property
    def is_worse(self) -> bool:
        """Whether the candidate fails more often than its base does."""
        return self.log >= _BOUND


def highest_rate(events: int, bad: int) -> float:
    """The highest rate that goes with what was seen of the base: its limit at alpha/2 (Chernoff).

    Without events it is 1: then nothing can be said, and nothing is bet.

    >>> round(highest_rate(10_000, 100), 4)
    0.0129
    """
    if not events:
        return 1.0
    low, high = max(bad / events, 1e-9), 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if events * _divergence(bad / events, middle) < _BOUND:
            low = middle
        else:
            high = middle
    return high


def events_to_see(base_rate: float, rate: float) -> int | None:
    """After about how many events a candidate that fails at `rate` is found out; None: never."""
    if not base_rate < rate <= 1:
        return None
    return ceil(_BOUND / _divergence(rate, base_rate))


def _divergence(one: float, other: float) -> float:
    """Kullback-Leibler, of two rates."""
    told = one * log(one / other) if one > 0 else 0.0
    return told + ((1 - one) * log((1 - one) / (1 - other)) if one < 1 else 0.0)
