"""What the doctor says of one thing that it looked at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Health(StrEnum):
    """How a check went."""

    OK = "ok"
    ATTENTION = "attention"  # it works, and somebody should look
    BROKEN = "broken"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One line of the doctor's."""

    check: str
    health: Health
    found: str
    fix: str | None = None


def ok(check: str, found: str) -> Finding:
    """It is as it should be."""
    return Finding(check=check, health=Health.OK, found=found)


def attention(check: str, found: str, fix: str) -> Finding:
    """It works, and somebody should look."""
    return Finding(check=check, health=Health.ATTENTION, found=found, fix=fix)


def broken(check: str, found: str, fix: str) -> Finding:
    """It does not work."""
    return Finding(check=check, health=Health.BROKEN, found=found, fix=fix)
