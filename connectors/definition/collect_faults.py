"""How checks say what is wrong: each fault with its place and what to write instead."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.domain.errors import Fault

Report = Callable[[str, str, str], None]  # path, problem, fix


def collected(check: Callable[[Report], None]) -> list[Fault]:
    """Every fault that a check reports."""
    faults: list[Fault] = []

    def report(path: str, problem: str, fix: str) -> None:
        faults.append(Fault(path=path, problem=problem, fix=fix))

    check(report)
    return faults
