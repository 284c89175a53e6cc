"""The hours in which a workflow's clocks run, as its file says them."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictStr,
    model_validator,
)

from orchestrator.domain.documents.model_faults import wrong as _wrong
from orchestrator.domain.text.zones import NAME_A_ZONE, is_zone
from orchestrator.domain.workflows.hours.calendar import (
    DAYS,
    Calendar,
    parse_days,
    parse_span,
    read_calendar,
)
from orchestrator.domain.workflows.hours.public_holidays import (
    UnknownPlace,
    is_place,
    public_holidays,
)

_MOST_PLACES = 3  # whose public holidays one calendar has
_MOST_HOLIDAYS = 2_000  # those of places too, each year's
_DATE_LENGTH = 10  # 2026-12-25; Python reads other spellings too


def _zone(text: str) -> str:
    if not is_zone(text):
        raise _wrong("zone", f"{text!r} is not a time zone", NAME_A_ZONE)
    return text


def _date(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        known = False
    else:
        known = len(text) == _DATE_LENGTH
    if not known:
        fix = 'write one in quotes, such as "2026-12-25", or a country or its part: DE, DE-BY'
        raise _wrong("date", f"{text!r} is not a date", fix)
    return text


def _span_text(text: str) -> str:
    try:
        parse_span(text)
    except ValueError as error:
        raise _wrong(
            "span", str(error), "write one such as 09:00-17:00; 24:00 is midnight"
        ) from None
    return text


def _day_names(text: str) -> str:
    try:
        parse_days(text)
    except ValueError as error:
        fix = f"write one of {', '.join(DAYS)}, or days in a row such as mon-fri"
        raise _wrong("days", str(error), fix) from None
    return text


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _dated(value: object) -> object:
    """The list with the dates of public holidays in place of the country that has them."""
    given = _listed(value)
    if not isinstance(given, list | tuple):
        return given
    places = {one for one in given if isinstance(one, str) and is_place(one)}
    if len(places) > _MOST_PLACES:
        raise _wrong("holidays", f"it names {len(places)} places", f"name {_MOST_PLACES} at most")
    dates = [one for one in given if not isinstance(one, str) or one not in places]
    try:
        dates += [day for place in sorted(places) for day in public_holidays(place)]
    except UnknownPlace as error:
        raise _wrong("place", str(error), error.fix) from None
    return list(dict.fromkeys(dates)) if places else dates


Zone = Annotated[StrictStr, AfterValidator(_zone)]
DayName = Annotated[StrictStr, AfterValidator(_day_names)]
OneOrMore = Annotated[
    tuple[Annotated[StrictStr, AfterValidator(_span_text)], ...],
    BeforeValidator(_listed),
    Field(min_length=1, max_length=10),
]
Dates = tuple[Annotated[StrictStr, AfterValidator(_date)], ...]


class Hours(BaseModel):
    """The hours in which the clocks of a workflow run."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    zone: Zone
    hours: Annotated[dict[DayName, OneOrMore], Field(min_length=1)]
    holidays: Annotated[Dates, BeforeValidator(_dated), Field(max_length=_MOST_HOLIDAYS)] = ()

    @model_validator(mode="after")
    def _can_be_kept(self) -> Self:
        named = [day for days in self.hours for day in parse_days(days)]
        if twice := [DAYS[day] for day in sorted(set(named)) if named.count(day) > 1]:
            raise _wrong("hours", f"{twice[0]} is named twice", "name each day once")
        calendar = self.calendar
        for day, spans in calendar.hours.items():
            if any(late <= early for early, late in spans) or any(
                one[1] > other[0] for one, other in pairwise(spans)
            ):
                problem = f"the hours of {DAYS[day]} are not in order, or overlap"
                raise _wrong("hours", problem, 'write spans such as ["09:00-12:00", "13:00-17:00"]')
        if calendar.weekly_seconds < 3_600:
            raise _wrong("hours", "the week has less than an hour", "write at least an hour a week")
        return self

    @property
    def calendar(self) -> Calendar:
        """The hours by weekday, as clocks use them."""
        return read_calendar(zone=self.zone, hours=self.hours, holidays=self.holidays)
