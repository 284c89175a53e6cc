"""Log lines that strangers can bring about: each at most once in a while, with a count."""

from __future__ import annotations

import logging
from collections.abc import Callable
from time import monotonic

PERIOD_SECONDS = 60.0
_MOST_KINDS = 100  # of lines that are counted apart
_KIND = 80  # characters of a line's first words that tell its kind


def seldom(name: str, *, clock: Callable[[], float] = monotonic) -> logging.Logger:
    """The logger of a name, which writes lines of one kind once in PERIOD_SECONDS."""
    logger = logging.getLogger(name)
    if not any(isinstance(one, _OnceInAWhile) for one in logger.filters):
        logger.addFilter(_OnceInAWhile(clock))
    return logger


class _OnceInAWhile(logging.Filter):
    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self._due: dict[str, float] = {}  # seconds of the clock, by kind
        self._left_out: dict[str, int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is written; it says how many like it were not."""
        kind = str(record.msg).partition("\n")[0][:_KIND]
        now = self._clock()
        if now < self._due.get(kind, now):
            self._left_out[kind] = self._left_out.get(kind, 0) + 1
            return False
        if len(self._due) >= _MOST_KINDS:
            self._due.clear()
            self._left_out.clear()
        self._due[kind] = now + PERIOD_SECONDS
        if more := self._left_out.pop(kind, 0):
            record.msg, record.args = f"{record.getMessage()} ({more} more since the last line)", ()
        return True
