"""A moment as RFC 3339 has it, from what senders write: texts, local times, counts since 1970."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from orchestrator.domain.recipes.time_formats import read_time

COUNTS = {"seconds": 1_000_000, "milliseconds": 1_000, "microseconds": 1}
"""Formats of counts since 1970, with the microseconds of one."""

_START = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECONDS = 100_000_000_000  # from here on: as seconds it would be past the year 5000
_COUNT = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?")
_LOCAL = re.compile(r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}[T ][0-9]{2}:?[0-9]{2}.*")


def as_moment(value: object, form: str | None = None, zone: str | None = None) -> str:
    """A value as a date-time with its offset from UTC.

    `form` is how a text is written, or one of COUNTS; `zone` is where its clock is, if the text
    itself does not say. Raises ValueError with a sentence where anything would have to be guessed.
    """
    if form is None and isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        form = "milliseconds" if value >= _MILLISECONDS else "seconds"
    if form in COUNTS:
        return _written(_counted(value, COUNTS[form]))
    if not isinstance(value, str):
        wanted = f"text written {form}" if form else "a time, or seconds since 1970"
        raise ValueError(f"it is not {wanted}")  # noqa: TRY004 - data
    text = value.strip()
    moment = _iso(text, zone) if form is None else read_time(text, form)
    return _written(moment if moment.tzinfo is not None else _in_zone(moment, zone))


def _iso(text: str, zone: str | None) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("it is not a time written as ISO 8601") from None
    if moment.tzinfo is None and zone is not None and not _LOCAL.fullmatch(text):
        raise ValueError("it says no time of day")  # which Python takes for midnight
    return moment


def _in_zone(wall: datetime, zone: str | None) -> datetime:
    """The one moment at which a clock of the zone shows this. Raises ValueError."""
    if zone is None:
        raise ValueError("it has no offset from UTC, and no `zone` says where its clock is")
    place = ZoneInfo(zone)
    try:
        first, second = (wall.replace(tzinfo=place, fold=fold) for fold in (0, 1))
        if first.utcoffset() == second.utcoffset():
            return first
        shown = first.astimezone(UTC).astimezone(place).replace(tzinfo=None)
    except OverflowError:
        raise ValueError("it is past the calendar") from None
    if shown != wall:
        raise ValueError(f"clocks in {zone} never showed that time: they were put forward")
    raise ValueError(f"clocks in {zone} showed that time twice: they were put back")


def _counted(value: object, microseconds: int) -> datetime:
    text = value.strip() if isinstance(value, str) else value
    if (
        isinstance(text, bool)
        or not isinstance(text, str | int | float)
        or (not _COUNT.fullmatch(str(text)))
    ):
        raise ValueError("it is not a count since 1970")
    try:
        return _START + timedelta(microseconds=int(Decimal(str(text)) * microseconds))
    except OverflowError:
        raise ValueError("it is past the calendar") from None


def _written(moment: datetime) -> str:
    offset = moment.utcoffset() or timedelta()
    try:
        if offset.seconds % 60:  # before there were zones; RFC 3339 cannot say seconds
            moment = moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("it is past the calendar") from None
    return moment.isoformat().replace("+00:00", "Z")
