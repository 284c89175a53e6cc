"""The longest that a trip may be. A change that needs more says so here, and why in its commit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.trips.playing import BAD, PLAN, WHOLE, Trips
from benchmarks.trips.recording import Trip


@dataclass(frozen=True, kw_only=True)
class Limit:
    """The most files that a part may enter, and moves between them."""

    files: int
    moves: int


LIMITS: Mapping[str, Limit] = {
    "door": Limit(files=23, moves=52),
    "claim": Limit(files=7, moves=13),
    "validate": Limit(files=11, moves=22),
    "route": Limit(files=14, moves=26),
    "dispatch": Limit(files=29, moves=79),
    WHOLE: Limit(files=58, moves=192),
    BAD: Limit(files=26, moves=70),
    PLAN: Limit(files=40, moves=224),
}


def excesses(trips: Trips) -> list[str]:
    """A sentence for each trip that is longer than it may be."""
    return [found for part, trip in trips.items() if (found := _excess(part, trip))]


def _excess(part: str, trip: Trip) -> str:
    files, moves, limit = len(trip.files), trip.moves, LIMITS[part]
    if files <= limit.files and moves <= limit.moves:
        return ""
    at_most = f"at most {limit.files} and {limit.moves} are allowed"
    return f"{part}: {files} files and {moves} moves; {at_most} (benchmarks/trips/limits.py)"
