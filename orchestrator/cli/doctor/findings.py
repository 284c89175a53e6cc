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
class CheckResult:
    """One line of the doctor's."""

    check: str
    health: Health
    found: str
    fix: str | None = None


def ok(check: str, found: str) -> CheckResult:
    """It is as it should be."""
    return CheckResult(check=check, health=Health.OK, found=found)


def attention(check: str, found: str, fix: str) -> CheckResult:
    """It works, and somebody should look."""
    return CheckResult(check=check, health=Health.ATTENTION, found=found, fix=fix)


def broken(check: str, found: str, fix: str) -> CheckResult:
    """It does not work."""
    return CheckResult(check=check, health=Health.BROKEN, found=found, fix=fix)
