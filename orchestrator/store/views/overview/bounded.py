"""Numbers that are counted up to a bound: what is behind it would take too long to count."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, FromClause, ScalarSelect, func, literal, select

MOST_COUNTED = 10_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounded:
    """A number of which it may be known only that it is not smaller."""

    count: int
    more: bool  # there are more than `count`

    def told(self) -> str:
        """The number for people.

        >>> Bounded(count=10_000, more=True).told()
        '10,000 or more'
        """
        return f"{self.count:,} or more" if self.more else f"{self.count:,}"


def bounded(counted: int, most: int = MOST_COUNTED) -> Bounded:
    """What was counted up to one more than `most`."""
    return Bounded(count=min(counted, most), more=counted > most)


def count_up_to(
    source: FromClause, *conditions: ColumnElement[bool], most: int = MOST_COUNTED
) -> ScalarSelect[int]:
    """Count the rows that fit, and stop after one more than `most`."""
    some = select(literal(1)).select_from(source).where(*conditions).limit(most + 1)
    return select(func.count()).select_from(some.subquery()).scalar_subquery()
