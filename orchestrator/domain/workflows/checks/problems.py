"""What a check says of an expression: something that cannot work, or is worth knowing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One of them."""

    problem: str
    fix: str  # what to write instead
    is_note: bool = False  # it may work, and refuses nothing


def fault(problem: str, fix: str) -> Problem:
    """What cannot work."""
    return Problem(problem=problem, fix=fix)


def note(problem: str, fix: str) -> Problem:
    """What works only for some payloads, or does nothing."""
    return Problem(problem=problem, fix=fix, is_note=True)
