"""Words of older audit rows: such a row is never changed, so its reader knows both words."""

from __future__ import annotations

from orchestrator.domain.commitments import Detail

_ACTIONS = {"break": "trip", "close": "recover"}
_KEYS = {"gate": "circuit"}
_RESUMED = {"paused": "pause", "broken": "breaker", "flowing": "rate"}
"""What a circuit was resumed `from`."""


def every_word_of(action: str) -> list[str]:
    """The actions by which rows, old and new, may tell of this one."""
    return [action, *(old for old, new in _ACTIONS.items() if new == action)]


def in_new_words(action: str, detail: Detail | None) -> tuple[str, Detail | None]:
    """Action and detail of a row as one that is written today would have them."""
    if detail is None or "gate" not in detail:
        return action, detail
    said = {_KEYS.get(name, name): value for name, value in detail.items()}
    if isinstance(before := said.get("from"), str):
        said["from"] = _RESUMED.get(before, before)
    return _ACTIONS.get(action, action), said
