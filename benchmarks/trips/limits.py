"""The longest that a trip may be: what it is, and room for one file and two moves in each part.

A change that needs more says so here, and why in its commit.
"""

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
    # Where a request begins and ends is held against RFC 9112 in a file of its own: the connection
    # goes there and back twice. No other header that a door reads costs an event without it a file.
    "door": Limit(files=15, moves=38),
    "claim": Limit(files=6, moves=12),
    "validate": Limit(files=9, moves=18),
    "route": Limit(files=13, moves=23),
    # Two of its files ask whether what is sent, and by which definition, is what was approved.
    "dispatch": Limit(files=23, moves=52),
    WHOLE: Limit(files=43, moves=140),
    BAD: Limit(files=27, moves=75),  # JSON Pointers have one home, which it goes through five times
    # Each of its transactions asks who acts: the table of acts, the actor, the rows of people.
    # A plan may go with a change, whose approval it then waits for; and each chunk asks whether it
    # is about what a version made that was rolled back.
    PLAN: Limit(files=56, moves=266),
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
