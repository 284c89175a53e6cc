"""What one input may cost, and what counts as a finding."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

SECONDS = 2.0
"""Processor time of one input, in the process that reads it."""

WALL_SECONDS = 30.0
"""Until an answer: a process that gives none by then is ended. Others work on the machine too."""

MEMORY = 256 * 1024 * 1024
"""Bytes that one input may take beyond what its process had before it."""


class Kind(StrEnum):
    """What can be wrong."""

    CRASHED = "crashed"  # an error that is not an answer, a traceback, a process that ended
    SLOW = "slow"  # over a bound of time or memory
    LEAKED = "leaked"  # a secret in what anybody is shown, a person's address in a log


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One input that something was wrong with."""

    kind: Kind
    surface: str
    number: int  # the input's, or -1 where it is not one input's
    detail: str
    raw: bytes = b""
