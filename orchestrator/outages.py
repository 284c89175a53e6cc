"""What a loop says, and how long it waits, while something that it needs is away."""

from __future__ import annotations

import logging
import time

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 2.0  # so that what is back is found within seconds
_SAID_AGAIN_SECONDS = 60.0  # an outage that lasts is told again, not at every try


class Outage:
    """One thing that may be away: pauses that grow, and one line instead of one per try.

    `what` begins the line: "the broker does not take chains".
    """

    def __init__(self, log: logging.Logger, what: str) -> None:
        self._log = log
        self._what = what
        self.lasts = False  # the last try failed
        self._pause = 0.0  # seconds
        self._said = ""
        self._said_at = 0.0

    def pause_after(self, error: BaseException | str) -> float:
        """Tell of a failed try where it is news; answers the seconds to wait before the next."""
        why, now = (str(error).splitlines() or [type(error).__name__])[0], time.monotonic()
        if why != self._said or now - self._said_at > _SAID_AGAIN_SECONDS:
            self._log.warning("%s: %s; trying again", self._what, why)
            self._said, self._said_at = why, now
        self.lasts = True
        self._pause = min(max(self._pause * 2, FIRST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)
        return self._pause

    def over(self) -> None:
        """It answered."""
        if self.lasts:
            self._log.warning("%s: it is over", self._what)
        self.lasts, self._pause, self._said = False, 0.0, ""
