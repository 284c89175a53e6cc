"""How much one key may send."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from orchestrator.domain.errors import Refused

MOST_PER_SECOND = 1_000_000
MOST_PER_DAY = 10**12


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyLimits:
    """The limits of a key; None: it has none."""

    rate_per_second: int | None = None  # triggers, at each door
    quota_per_day: int | None = None  # triggers in a day of UTC, over all doors

    per_seconds: ClassVar[float] = 1.0  # the time that the rate is of
    sender: ClassVar[str] = "the key"
    fix: ClassVar[str] = "send it again after Retry-After, or ask an admin: `meshline keys limit`"

    @property
    def rate(self) -> int | None:
        """Triggers in `per_seconds`, at each door."""
        return self.rate_per_second

    def check(self) -> None:
        """Raises Refused for a number that is too small or too large."""
        _check("rate", self.rate_per_second, MOST_PER_SECOND)
        _check("quota", self.quota_per_day, MOST_PER_DAY)


def _check(field: str, value: int | None, most: int) -> None:
    if value is not None and not 1 <= value <= most:
        raise Refused(
            f"{value} is not a limit of a key",
            field=field,
            fix=f"give 1 to {most}, or leave it out",
        )
