"""Moments and days, however they are written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

from orchestrator.domain.text.zones import is_zone

_DATE = re.compile(r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}|[0-9]{4}-?W[0-9]{2}-?[1-7]")
_TIME = re.compile(
    r"(?P<day>[0-9]{4}-?[0-9]{2}-?[0-9]{2}|[0-9]{4}-?W[0-9]{2}-?[1-7])"
    r"(?:[Tt_ ]| at )\s*(?P<clock>[0-9]{2}:[0-9]{2}(?::[0-9]{2})?|[0-9]{4}(?:[0-9]{2})?)"
    r"(?:[.,](?P<fraction>[0-9]{1,12}))?"
    r"\s*(?P<zone>[Zz]|UTC|GMT|[+\-\u2212][0-9]{2}(?::?[0-9]{2})?)?(?:\[(?P<place>[A-Za-z0-9_+\-/]+)\])?"
)
_EPOCH = re.compile(r"-?[0-9]{1,17}(\.[0-9]{1,9})?")
_DOTNET = re.compile(r"/Date\((-?[0-9]{1,16})(?:[+-][0-9]{4})?\)/")  # milliseconds
_LONGEST = 100  # characters of a text that could be a moment
_BEGINNING = datetime(1970, 1, 1)  # noqa: DTZ001 -- what is counted from it has its offset taken off
_MILLION = Decimal(1_000_000)
_UNITS = ((0, 10**11), (3, 10**14))  # places of a count's unit, and what it stays below till 5000


class _Moment:
    """Seconds since 1970, and whether a zone says where; exact, whatever its fraction.

    A count is `likely` in one unit only. In another it may be the same moment, and nothing near it:
    what it has behind the point there is most often minutes or days.
    """

    def __init__(self, seconds: Decimal, *, zoned: bool = True, likely: bool = True) -> None:
        self.seconds = seconds
        self.zoned = zoned
        self.likely = likely

    def keeps(self, sent: _Moment) -> bool:
        """Whether this is what was sent, perhaps without the last digits of its second."""
        if self.zoned is not sent.zoned:
            return False
        if self.seconds == sent.seconds or not sent.likely:
            return self.seconds == sent.seconds
        digits = _digits(self.seconds)
        if digits > _digits(sent.seconds):
            return False
        step = Decimal(1).scaleb(-digits)
        return self.seconds in (
            sent.seconds.quantize(step, ROUND_DOWN),
            sent.seconds.quantize(step, ROUND_HALF_UP),
        )


def same_moment(sent: object, stored: object, zone: str | None = None) -> bool:
    """Whether both name one moment. A time without an offset is read in `zone`.

    Where no zone is stated it names a moment of its own, which none with an offset equals.
    """
    readings = list(_moments(stored, zone))
    return any(have.keeps(want) for want in _moments(sent, zone) for have in readings)


def same_day(sent: object, stored: object, zone: str | None = None) -> bool:
    """Whether both name one day, as it is written there, or one moment."""
    day = _day(sent)
    return (day is not None and day == _day(stored)) or same_moment(sent, stored, zone)


def seconds_later(sent: object, stored: object, zone: str | None = None) -> Decimal | None:
    """How much later what is stored is, in seconds; None where that cannot be said."""
    pairs = [
        (want, have)
        for want in _moments(sent, zone)
        for have in _moments(stored, zone)
        if want.zoned is have.zoned and want.likely and have.likely
    ]
    if not pairs:
        return None
    return min((have.seconds - want.seconds for want, have in pairs), key=abs)


def is_moment(value: object, zone: str | None = None) -> bool:
    """Whether a value can be read as a moment."""
    return any(True for _ in _moments(value, zone))


def counted_moment(text: str) -> Decimal | None:
    """The seconds since 1970 of a text that writes one moment with its zone, None of any other."""
    found = [] if _EPOCH.fullmatch(text.strip()) else list(_moments(text, None))
    return found[0].seconds if len(found) == 1 and found[0].zoned else None


def lacks_zone(value: object, zone: str | None = None) -> bool:
    """Whether a value is a time that says no zone, where none is stated."""
    return any(not moment.zoned for moment in _moments(value, zone))


def _moments(value: object, zone: str | None) -> Iterator[_Moment]:
    """Every moment that a value may name: a number counts seconds, or thousandths of them."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return
    text = str(value).strip()
    if len(text) > _LONGEST:
        return
    if _EPOCH.fullmatch(text):
        yield from _of_count(Decimal(text))
    if not isinstance(value, str):
        return
    if match := _DOTNET.fullmatch(text):
        yield _Moment(Decimal(match[1]).scaleb(-3))
    elif match := _TIME.fullmatch(text):
        yield from _written(match, zone)
    elif text[:1].isalpha():
        yield from _of_mail(text)


def _of_count(count: Decimal) -> Iterator[_Moment]:
    unit = next((places for places, end in _UNITS if abs(count) < end), 6)
    for places in (0, 3, 6):
        yield _Moment(count.scaleb(-places), likely=places == unit)


def _written(match: re.Match[str], zone: str | None) -> Iterator[_Moment]:
    place = match["place"]
    if place is not None and match["zone"] is None:  # the text says itself where its clock is
        if not is_zone(place):
            return
        zone = place
    offset = (match["zone"] or "").replace("\u2212", "-").upper()
    offset = "+00:00" if offset in ("Z", "UTC", "GMT") else offset
    clock = match["clock"]
    leap = clock.replace(":", "")[4:] == "60"  # a leap second is the second after :59
    clock = clock[:-2] + "59" if leap else clock
    day, separator = match["day"], "T"
    if (":" in clock) != ("-" in day):  # Python reads both parts extended, or both basic
        day, clock = day.replace("-", ""), clock.replace(":", "")
        offset = offset.replace(":", "")
    try:
        found = datetime.fromisoformat(f"{day}{separator}{clock}{offset}")
    except ValueError:
        return
    fraction = Decimal(f"0.{match['fraction'] or 0}") + int(leap)
    if found.tzinfo is None and zone is not None:
        yield from (_Moment(each + fraction) for each in _in_zone(found, zone))
        return
    yield _Moment(_counted(found) + fraction, zoned=found.tzinfo is not None)


def _in_zone(wall: datetime, zone: str) -> set[Decimal]:
    """The moments at which a clock of the zone shows this: two, in the hour that comes twice."""
    from zoneinfo import ZoneInfo  # most times say their offset

    return {_counted(wall.replace(tzinfo=ZoneInfo(zone), fold=fold)) for fold in (0, 1)}


def _of_mail(text: str) -> Iterator[_Moment]:
    """A moment as mail and HTTP write it: Sun, 01 Mar 2026 09:00:00 GMT."""
    from email.utils import parsedate_to_datetime  # few tools answer so

    try:
        found = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return
    if found.tzinfo is not None:
        yield _Moment(_counted(found))


def _counted(moment: datetime) -> Decimal:
    # Subtracted from what is counted: at the calendar's edge the moment itself has no date in UTC.
    wall = moment.replace(tzinfo=None, fold=0)
    since = wall - _BEGINNING - (moment.utcoffset() or timedelta())
    return since.days * 86_400 + since.seconds + Decimal(since.microseconds) / _MILLION


def _digits(seconds: Decimal) -> int:
    """How many digits of a second's fraction say something."""
    exponent = seconds.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _day(value: object) -> date | None:
    """The day that a value writes; of a count since 1970, only where it is a midnight of UTC."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = str(value).strip()
    written = _DATE.fullmatch(text) or _TIME.fullmatch(text)
    if isinstance(value, str) and written:
        try:
            return date.fromisoformat(written.groupdict().get("day") or written[0])
        except ValueError:
            return None
    if not _EPOCH.fullmatch(text):
        return None
    thousandths = abs(Decimal(text)) >= 100_000_000_000  # as seconds beyond the year 5000
    seconds = Decimal(text).scaleb(-3 if thousandths else 0)
    if seconds % 86_400:
        return None
    try:
        return datetime.fromtimestamp(int(seconds), UTC).date()
    except (ValueError, OverflowError, OSError):
        return None
