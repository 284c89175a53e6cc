"""A difference as text: in words, what its contract makes of real events, and place by place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from orchestrator.cli.terminal.screen import note, put_field, put_line, put_table
from orchestrator.domain.changes.words.wording import Direction

if TYPE_CHECKING:
    from orchestrator.domain.changes.differences import Difference
    from orchestrator.domain.changes.gates.evidence import ContractTrial
    from orchestrator.domain.changes.words.wording import Wording

_MOST_SHOWN = 100  # places
_WIDEST = max(map(len, Direction))


def put_words(words: Sequence[Wording]) -> None:
    """Each difference in a sentence."""
    for one in words:
        breaks = f"; may break: {one.breaks}" if one.breaks else ""
        put_line(f"  {one.direction.ljust(_WIDEST)} {one.part}: {one.says}{breaks}")


def put_trial(trial: ContractTrial | None) -> None:
    """What the contract would make of real events, where it was tried."""
    if trial is None:
        return
    put_field("contract", trial.says)
    put_field("tried", trial.told)
    if trial.examples:
        put_field("refused then", ", ".join(trial.examples))


def put_places(differences: Sequence[Difference]) -> None:
    """The places of the file that differ."""
    rows = [
        (one.path, one.before or "not there", one.after or "taken away")
        for one in differences[:_MOST_SHOWN]
    ]
    put_table(("WHAT", "BEFORE", "AFTER"), rows)
    if (more := len(differences) - len(rows)) > 0:
        note(f"and {more} more: --json has all of them")
