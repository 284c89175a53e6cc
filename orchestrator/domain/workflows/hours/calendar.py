"""Business hours: when a clock that runs in them is over, and when it must have begun.

Days are days of a time zone, with its changes of the clock; moments are UTC. Without a calendar a
clock runs all the time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEK_MINUTES = 7 * 24 * 60

_SPAN = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-4]):([0-5][0-9])")
_ONE_DAY = timedelta(days=1)

Span = tuple[int, int]
"""Minutes of a day: from, until."""


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """The hours in which a clock runs, day by day in one time zone."""

    zone: str  # such as Europe/Berlin
    hours: Mapping[int, tuple[Span, ...]]  # by weekday, 0 is Monday; in order, none overlaps
    holidays: frozenset[date] = field(default_factory=frozenset)

    @property
    def weekly_seconds(self) -> int:
        """How long a week without holidays is open."""
        return 60 * sum(until - since for spans in self.hours.values() for since, until in spans)


def read_calendar(
    *, zone: str, hours: Mapping[str, Iterable[str]], holidays: Iterable[str] = ()
) -> Calendar:
    """The calendar of such hours as a workflow's file says them.

    `hours` are spans by day or days, such as `{"mon-fri": ["09:00-17:00"]}`, `holidays` dates such
    as 2026-12-25. Raises ValueError where one of them is not.
    """
    return Calendar(
        zone=zone,
        hours={
            day: tuple(parse_span(span) for span in spans)
            for days, spans in hours.items()
            for day in parse_days(days)
        },
        holidays=frozenset(date.fromisoformat(one) for one in holidays),
    )


def deadline(start: datetime, duration: float, calendar: Calendar | None) -> datetime:
    """When a clock of `duration` seconds is over that began at `start`.

    Raises OverflowError where the calendar never leaves room for it.
    """
    left = timedelta(seconds=duration)
    if calendar is None:
        return start + left
    for since, until in _openings(calendar, start, step=_ONE_DAY):
        begin = max(since, start)
        if begin >= until:
            continue
        if until - begin >= left:
            return begin + left
        left -= until - begin
    raise OverflowError("no end is in sight")


def latest_start(end: datetime, duration: float, calendar: Calendar | None) -> datetime:
    """The inverse: what began then or earlier is over at `end`, and what began later is not.

    Raises OverflowError where the calendar never leaves room for it.
    """
    left = timedelta(seconds=duration)
    if calendar is None:
        return end - left
    for since, until in _openings(calendar, end, step=-_ONE_DAY):
        finish = min(until, end)
        if finish <= since:
            continue
        if finish - since >= left:
            return finish - left
        left -= finish - since
    raise OverflowError("no beginning is in sight")


def elapsed(start: datetime, end: datetime, calendar: Calendar | None) -> float:
    """How many seconds a clock runs from `start` until `end`; none where `end` is not later."""
    if end <= start:
        return 0.0
    if calendar is None:
        return (end - start).total_seconds()
    run = timedelta()
    for since, until in _openings(calendar, start, step=_ONE_DAY):
        if since >= end:
            break
        run += max(timedelta(), min(until, end) - max(since, start))
    return run.total_seconds()


def open_until(moment: datetime, calendar: Calendar) -> datetime | None:
    """When the hours that `moment` is in are over; None outside of them."""
    end = moment
    for since, until in _openings(calendar, moment, step=_ONE_DAY):
        if since > end:
            break
        end = max(end, until)
    return end if end > moment else None


def parse_span(text: str) -> Span:
    """The minutes of `09:00-17:30`. Raises ValueError where it is not one."""
    match = _SPAN.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a span of hours")
    since, until = int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])
    if until > 24 * 60:
        raise ValueError(f"{text!r} goes on after 24:00")
    return since, until


def parse_days(text: str) -> range:
    """The weekdays of `mon` or `mon-fri`. Raises ValueError where it names none."""
    first, to, last = text.partition("-")
    last = last if to else first
    if first not in DAYS or last not in DAYS:
        raise ValueError(f"{text!r} is not a day of the week")
    days = range(DAYS.index(first), DAYS.index(last) + 1)
    if not days:
        raise ValueError(f"{text!r} goes backwards")
    return days


def _openings(
    calendar: Calendar, moment: datetime, *, step: timedelta
) -> Iterator[tuple[datetime, datetime]]:
    """The open spans from the day before or after `moment` on, as UTC, in the step's direction."""
    from zoneinfo import ZoneInfo  # a clock without a calendar needs none

    zone = ZoneInfo(calendar.zone)
    turned: Callable[[tuple[Span, ...]], Iterator[Span]] = reversed if step < timedelta() else iter
    day = moment.astimezone(zone).date() - step  # a span until 24:00 may end within `moment`'s day
    while True:
        if day not in calendar.holidays:
            for since, until in turned(calendar.hours.get(day.weekday(), ())):
                yield _at(day, since, zone), _at(day, until, zone)
        day += step


def _at(day: date, minutes: int, zone: tzinfo) -> datetime:
    if minutes == 24 * 60:
        day, minutes = day + _ONE_DAY, 0
    local = datetime(day.year, day.month, day.day, minutes // 60, minutes % 60, tzinfo=zone)
    return local.astimezone(UTC)
