"""A clock that runs in business hours is over when they say, across nights, holidays and zones."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.domain.errors import InvalidFile
from orchestrator.domain.workflows.hours.calendar import (
    Calendar,
    deadline,
    elapsed,
    latest_start,
    open_until,
    parse_days,
    parse_span,
)
from orchestrator.domain.workflows.hours.public_holidays import YEARS
from orchestrator.domain.workflows.workflow import Workflow
from tests.leads import TEXT, lead_workflow

DAY = (9 * 60, 17 * 60)
BERLIN = Calendar(
    zone="Europe/Berlin",
    hours=dict.fromkeys(range(5), (DAY,)),
    holidays=frozenset({date(2026, 12, 25)}),
)
LUNCH = Calendar(zone="UTC", hours={0: ((540, 720), (780, 1020)), 5: ((600, 1440),)})
NIGHT = Calendar(zone="UTC", hours=dict.fromkeys(range(7), ((0, 420), (1320, 1440))))


def at(text: str) -> datetime:
    """A moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2026-07-01 08:00", 2, "2026-07-01 10:00"),  # in the day: 10:00 in Berlin
        ("2026-07-01 03:00", 1, "2026-07-01 08:00"),  # before it opens
        ("2026-07-01 14:00", 2, "2026-07-02 08:00"),  # over the night
        ("2026-07-03 14:00", 2, "2026-07-06 08:00"),  # over the weekend
        ("2026-12-24 15:00", 2, "2026-12-28 09:00"),  # over Christmas and a weekend
        ("2026-10-23 14:00", 2, "2026-10-26 09:00"),  # summer time ends on the Sunday between
        ("2026-07-01 07:00", 40, "2026-07-07 15:00"),  # a week's worth
    ],
)
def test_the_clock_runs_in_the_hours_only(start: str, hours: int, end: str) -> None:
    assert deadline(at(start), hours * 3_600, BERLIN) == at(end)


def test_without_a_calendar_it_runs_all_the_time() -> None:
    assert deadline(at("2026-12-24 15:00"), 3_600, None) == at("2026-12-24 16:00")
    assert latest_start(at("2026-12-24 16:00"), 3_600, None) == at("2026-12-24 15:00")


def test_a_night_in_which_the_clock_is_put_back_has_an_hour_more() -> None:
    nights = Calendar(zone="Europe/Berlin", hours={6: ((0, 360),)})

    end = deadline(at("2026-10-24 00:00"), 7 * 3_600, nights)

    assert end == at("2026-10-25 05:00")  # from 22:00 UTC, as 00:00 was, until 06:00 of winter


calendars = st.sampled_from([BERLIN, LUNCH, NIGHT])
moments = st.integers(0, 400 * 24 * 60).map(lambda one: at("2026-01-01") + timedelta(minutes=one))
minutes = st.integers(1, 5_000)


@settings(deadline=None)
@given(calendars, moments, minutes)
def test_what_began_by_the_latest_start_is_over_and_what_began_after_is_not(
    calendar: Calendar, now: datetime, length: int
) -> None:
    start = latest_start(now, length * 60, calendar)

    assert deadline(start, length * 60, calendar) <= now
    assert deadline(start + timedelta(seconds=1), length * 60, calendar) > now


@settings(deadline=None)
@given(calendars, moments, minutes)
def test_until_its_deadline_a_clock_runs_for_as_long_as_it_has(
    calendar: Calendar, start: datetime, length: int
) -> None:
    assert elapsed(start, deadline(start, length * 60, calendar), calendar) == length * 60


def test_before_it_began_a_clock_did_not_run() -> None:
    assert elapsed(at("2026-07-01 10:00"), at("2026-07-01 08:00"), BERLIN) == 0
    assert elapsed(at("2026-07-01 08:00"), at("2026-07-01 10:00"), None) == 7_200


@settings(deadline=None)
@given(calendars, moments, minutes, minutes)
def test_who_begins_later_is_never_over_sooner(
    calendar: Calendar, start: datetime, later: int, length: int
) -> None:
    begun_later = start + timedelta(minutes=later)

    assert deadline(start, length * 60, calendar) <= deadline(begun_later, length * 60, calendar)


@pytest.mark.parametrize(
    ("moment", "end"),
    [
        ("2026-07-01 23:00", "2026-07-02 07:00"),  # on over midnight
        ("2026-07-01 03:00", "2026-07-01 07:00"),
        ("2026-07-01 07:00", None),
        ("2026-07-01 12:00", None),
    ],
)
def test_hours_are_open_until_the_last_of_them_that_join(moment: str, end: str | None) -> None:
    assert open_until(at(moment), NIGHT) == (at(end) if end else None)


@pytest.mark.parametrize("text", ["9-17", "09:00", "25:00-26:00", "09:00-24:30", "09:00 - 17:00"])
def test_what_is_no_span_is_told(text: str) -> None:
    with pytest.raises(ValueError, match=r"24:00|span"):
        parse_span(text)


@pytest.mark.parametrize("text", ["monday", "mon-", "fri-mon", "-fri", ""])
def test_what_is_no_day_is_told(text: str) -> None:
    with pytest.raises(ValueError, match=r"day|backwards"):
        list(parse_days(text))


def with_sla(sla: str) -> Workflow:
    """The workflow of leads with another promise."""
    return lead_workflow(TEXT.replace("sla: {deliver_within: 15m, recover_within: 72h}", sla))


def test_a_workflow_file_says_its_hours() -> None:
    workflow = with_sla("""\
sla:
  deliver_within: 2h
  recover_within: 16h
  calendar:
    zone: Europe/Berlin
    hours: {mon-thu: ["09:00-12:00", 13:00-17:00], fri: 09:00-15:00}
    holidays: ["2026-12-25"]
  escalate: [0m, 1h]
""")

    calendar = workflow.calendar
    assert calendar
    assert calendar.hours == dict.fromkeys(range(4), ((540, 720), (780, 1020))) | {4: ((540, 900),)}
    assert calendar.holidays == {date(2026, 12, 25)}
    assert workflow.sla.escalate == ("0m", "1h")
    assert Workflow.from_definition(workflow.definition()) == workflow


def with_holidays(holidays: str) -> Workflow:
    """The workflow of leads on weekdays in Berlin, but for these days."""
    hours = "zone: Europe/Berlin, hours: {mon-fri: 09:00-17:00}"
    return with_sla(
        f"sla: {{deliver_within: 2h, recover_within: 16h, calendar: {{{hours}, {holidays}}}}}\n"
    )


def test_a_calendar_has_the_public_holidays_of_the_places_that_it_names() -> None:
    bavaria = with_holidays('holidays: [DE-BY, "2026-12-24"]').calendar
    berlin = with_holidays("holidays: DE-BE").calendar

    assert bavaria and berlin
    assert {date(2026, 1, 6), date(2026, 12, 24), date(2026, 12, 25)} <= bavaria.holidays
    assert date(2026, 1, 6) not in berlin.holidays  # Epiphany
    assert {date(2026, 3, 8), date(2035, 12, 26)} <= berlin.holidays
    assert {day.year for day in berlin.holidays} == set(YEARS)
    assert deadline(at("2026-01-05 15:00"), 2 * 3_600, bavaria) == at("2026-01-07 09:00")
    assert deadline(at("2026-01-05 15:00"), 2 * 3_600, berlin) == at("2026-01-06 09:00")


def test_a_version_holds_the_dates_and_not_the_place() -> None:
    workflow = with_holidays('holidays: [DE-BY, DE, "2026-12-25"]')

    said = json.dumps(workflow.definition())
    assert "DE-BY" not in said
    assert said.count('"2026-12-25"') == 1
    assert Workflow.from_definition(workflow.definition()) == workflow


def test_the_library_of_holidays_is_loaded_only_where_a_calendar_names_a_place() -> None:
    program = """
import sys
from orchestrator.domain.workflows.hours.definition import Hours
Hours(zone="UTC", hours={"mon": "09:00-17:00"}, holidays=["2026-12-25"])
print("holidays" in sys.modules)
Hours(zone="UTC", hours={"mon": "09:00-17:00"}, holidays="DE")
print("holidays" in sys.modules)
"""

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == ["False", "True"]


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("escalate: [1h, 30m]", "sla: its steps do not rise"),
        ("escalate: [0m, 1h, 2h, 3h]", "sla.escalate: it has too many entries"),
        ("calendar: {zone: Mars/Base, hours: {mon: 09:00-17:00}}", "'Mars/Base' is not a time"),
        ("calendar: {zone: UTC, hours: {moon: 09:00-17:00}}", "'moon' is not a day of the week"),
        ("calendar: {zone: UTC, hours: {mon: 9-17}}", "'9-17' is not a span of hours"),
        ("calendar: {zone: UTC, hours: {mon: 17:00-09:00}}", "the hours of mon are not in order"),
        ("calendar: {zone: UTC, hours: {mon: 09:00-09:10}}", "less than an hour"),
        ("calendar: {zone: UTC}", "add `hours: {mon-fri: 09:00-17:00}`"),
        (
            'calendar: {zone: UTC, hours: {mon: 09:00-17:00}, holidays: ["12/25"]}',
            "'12/25' is not a date",
        ),
        (
            "calendar: {zone: UTC, hours: {mon: 09:00-17:00}, holidays: DE-BAY}",
            "'DE-BAY' is not a part of DE whose holidays are known; write `DE-BY`",
        ),
        (
            "calendar: {zone: UTC, hours: {mon: 09:00-17:00}, holidays: [de]}",
            "'de' is not a country whose holidays are known; write `DE`",
        ),
        (
            "calendar: {zone: UTC, hours: {mon: 09:00-17:00}, holidays: [LK]}",
            "the holidays of LK are known until",
        ),
        (
            "calendar: {zone: UTC, hours: {mon: 09:00-17:00}, holidays: [DE, FR, GB, US]}",
            "it names 4 places; name 3 at most",
        ),
        (
            "calendar: {zone: UTC, hours: {mon-fri: 09:00-17:00, fri: 09:00-12:00}}",
            "fri is named twice",
        ),
    ],
)
def test_what_is_wrong_with_the_clocks_is_told(key: str, said: str) -> None:
    with pytest.raises(InvalidFile) as caught:
        with_sla(f"sla: {{deliver_within: 15m, recover_within: 72h, {key}}}\n")

    assert said in str(caught.value)


def test_a_clock_that_would_run_for_a_lifetime_is_refused() -> None:
    hours: Any = "{zone: UTC, hours: {mon: 09:00-10:00}}"

    with pytest.raises(InvalidFile, match="more than ten years"):
        with_sla(f"sla: {{deliver_within: 15m, recover_within: 300d, calendar: {hours}}}\n")
