"""Whether each event of a plan was replayed once: counted in the database, from outside."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.watching import Watch

_REPLAYS = "SELECT count(*) FROM audit WHERE action = 'replay' AND event_id IS NOT NULL"
_ONCE = (
    "SELECT count(*) FROM (SELECT event_id FROM audit WHERE action = 'replay'"
    " AND event_id IS NOT NULL GROUP BY event_id HAVING count(*) = 1) AS once"
)


@dataclass(frozen=True, kw_only=True)
class Count:
    """Something that was counted, and how many there should be."""

    title: str
    found: int
    expected: int

    @property
    def is_right(self) -> bool:
        """Whether there are as many as there should be."""
        return self.found == self.expected


def count_replays(watch: Watch, *, planned: int, standing: int) -> list[Count]:
    """What a plan of `planned` events left behind, of `standing` quarantined before it."""
    asked = (
        ("marked in the plan", "SELECT count(*) FROM plan_events WHERE done_at > 0", planned),
        ("replays = 1", "SELECT count(*) FROM events WHERE replays = 1", planned),
        ("replays > 1", "SELECT count(*) FROM events WHERE replays > 1", 0),
        ("with one replay in the audit", _ONCE, planned),
        ("replays in the audit", _REPLAYS, planned),
        (
            "still in quarantine",
            "SELECT count(*) FROM quarantine WHERE released_at IS NULL",
            standing - planned,
        ),
    )
    return [
        Count(title=title, found=int(watch.ask(question)), expected=expected)
        for title, question, expected in asked
    ]
