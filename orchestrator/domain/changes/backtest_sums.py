"""The sums of a backtest as JSON, so that one that was stopped goes on where it was."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import orjson

from orchestrator.domain.changes.backtest import Agreement, Counted, Counts, Late, Tally

_COUNTS = ("matrix", "recorded", "fields", "refused", "passing")
_NUMBERS = ("looked_at", "events", "unchanged")


def write_sums(tally: Tally) -> str:
    """The whole of a tally."""
    document: dict[str, Any] = {name: getattr(tally, name) for name in _NUMBERS}
    for name in _COUNTS:
        counts: Counts = getattr(tally, name)
        document[name] = [[key, one.events, one.examples] for key, one in counts.items()]
    document |= {"by_hand": asdict(tally.by_hand), "late": asdict(tally.late)}
    for name in ("minutes_before", "minutes_after"):
        minutes: dict[str, dict[int, float]] = getattr(tally, name)
        document[name] = {one: list(counts.items()) for one, counts in minutes.items()}
    return orjson.dumps(document).decode()


def read_sums(text: str) -> Tally:
    """The inverse."""
    document = orjson.loads(text)
    tally = Tally(by_hand=Agreement(**document["by_hand"]), late=Late(**document["late"]))
    for name in _NUMBERS:
        setattr(tally, name, document[name])
    for name in _COUNTS:
        counts = {tuple(key): Counted(events=n, examples=ids) for key, n, ids in document[name]}
        setattr(tally, name, counts)
    for name in ("minutes_before", "minutes_after"):
        setattr(tally, name, {one: dict(counts) for one, counts in document[name].items()})
    return tally
