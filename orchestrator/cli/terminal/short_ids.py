"""Event ids as listings show them: short where a person reads, whole where a program does."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.cli.terminal.screen import on_terminal

_DIGITS = 8


def shown_ids(ids: Iterable[str]) -> dict[str, str]:
    """By id, what a listing shows: on a terminal the last digits that tell these events apart."""
    whole = set(ids)
    if not on_terminal():
        return {one: one for one in whole}
    digits = _DIGITS
    while len({one[-digits:] for one in whole}) < len(whole):
        digits += 1
    return {one: one[-digits:] for one in whole}
