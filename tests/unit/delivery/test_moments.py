"""One moment, however it is written."""

from __future__ import annotations

import pytest

from orchestrator.domain.delivery.comparing import Comparison, differences

SENT = "2026-03-01T10:00:00+01:00"


def told(
    sent: object, stored: object, how: Comparison = Comparison.MOMENT, zone: str | None = None
) -> str | None:
    zones = {} if zone is None else {"f": zone}
    found = differences({"f": sent}, {"f": stored}, ("f",), {"f": how}, zones)
    return found[0].told if found else None


@pytest.mark.parametrize(
    "stored",
    [
        "2026-03-01T09:00:00.000+0000",
        "2026-03-01T09:00:00Z",
        "2026-03-01t09:00:00z",
        "2026-03-01 09:00:00 UTC",
        "2026-03-01 09:00:00 +0000",
        "2026-03-01T09:00:00,0+00",
        "2026-03-01T09:00:00.0000000Z",
        "2026-03-01T09:00:00.000000000-00:00",
        "2026-03-01T04:00:00-05:00",
        "2026-03-01T10:00:00+01:00[Europe/Berlin]",
        "2026-03-01T09:00Z",
        "20260301T090000Z",
        "2026-W09-7T09:00:00Z",
        "1772355600000",
        "1772355600.000000",
        1772355600,
        1772355600.0,
        1772355600000,
        1772355600000000,
        "/Date(1772355600000)/",
        "Sun, 01 Mar 2026 09:00:00 GMT",
    ],
)
def test_each_spelling_of_a_moment_is_that_moment(stored: object) -> None:
    assert told(SENT, stored) is None
    assert told(stored, SENT) is None


@pytest.mark.parametrize(
    ("stored", "says"),
    [
        ("2026-03-01T09:01:00Z", "stored 60 s later"),
        ("2026-03-01T10:00:00Z", "stored 3600 s later"),
        ("2026-03-01T08:59:59.999Z", "stored 0.001 s earlier"),
        (1772355660, "stored 60 s later"),
        ("2026-03-01T10:00:00", "stored says no zone: name it with zone: Europe/Berlin"),
        ("2026-03-01 09:00:00", "stored says no zone: name it with zone: Europe/Berlin"),
        ("soon", "stored is not a moment"),
        ("2026-02-30T09:00:00Z", "stored is not a moment"),
        (True, "sent a text, stored true or false"),
        (None, "sent a text, stored null"),
    ],
)
def test_another_moment_is_told_with_how_far_it_is_off(stored: object, says: str) -> None:
    assert told(SENT, stored) == says


def test_a_time_without_an_offset_is_read_in_the_stated_zone_only() -> None:
    assert told(SENT, "2026-03-01 10:00:00", zone="Europe/Berlin") is None
    assert told("2026-03-01T10:00", "2026-03-01T09:00:00Z", zone="Europe/Berlin") is None
    assert told(SENT, "2026-03-01 10:00:00", zone="UTC") == "stored 3600 s later"
    assert told("2026-03-01T10:00", "2026-03-01 10:00:00") is None  # neither says where
    assert told("2026-03-01T10:00", "2026-03-01T10:00:00Z") is not None


def test_an_hour_that_comes_twice_may_be_either() -> None:
    for moment in ("2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"):
        assert told(moment, "2026-10-25 02:30:00", zone="Europe/Berlin") is None
    assert told("2026-10-25T02:30:00Z", "2026-10-25 02:30:00", zone="Europe/Berlin") is not None


@pytest.mark.parametrize(
    ("sent", "stored", "kept"),
    [
        ("2026-03-01T09:00:00.123456Z", "2026-03-01T09:00:00.123456+00:00", True),
        ("2026-03-01T09:00:00.123456Z", "2026-03-01T09:00:00.123Z", True),
        ("2026-03-01T09:00:00.123456Z", "2026-03-01T09:00:00Z", True),
        ("2026-03-01T09:00:00.987Z", "2026-03-01T09:00:01Z", True),
        ("2026-03-01T09:00:00.123456Z", "2026-03-01T09:00:00.124Z", False),
        ("2026-03-01T09:00:00Z", "2026-03-01T09:00:00.5Z", False),
        (1767225600123, 1767225600, True),
        (1767225600123456, "2026-01-01T00:00:00Z", True),
        (1767225600123, 1767225600124, False),
    ],
)
def test_a_tool_may_keep_fewer_digits_of_a_second_and_not_others(
    sent: object, stored: object, kept: bool
) -> None:
    assert (told(sent, stored) is None) is kept


@pytest.mark.parametrize(
    ("sent", "stored", "says"),
    [
        (1767225600, 1767225000, "stored 600 s earlier"),
        (1767225600, 1767000000, "stored 225600 s earlier"),
        (1767225600, 1767, "stored decades earlier"),
        (1767225600, 1767226, "stored decades earlier"),
        (1767225600123, 1767225000000, "stored 600.123 s earlier"),
    ],
)
def test_a_count_in_another_unit_is_that_moment_or_another_never_one_near_it(
    sent: object, stored: object, says: str
) -> None:
    assert told(sent, stored) == says
    assert told(str(sent), str(stored)) == says


def test_a_name_of_a_zone_beside_a_time_says_where_its_clock_is() -> None:
    named = "2026-03-01T10:00:00[Europe/Berlin]"

    assert told(named, SENT) is told(SENT, named) is None
    assert told(named, SENT, zone="UTC") is None
    assert told("2026-03-01T10:00:00[Europe/Berlino]", SENT) == "sent is not a moment"
    assert told("2026-03-01T10:00:00[../UTC]", SENT) == "sent is not a moment"


@pytest.mark.parametrize(
    ("edge", "zone"),
    [
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("0001-01-01T00:00:00", "Asia/Tokyo"),
        ("9999-12-31T23:59:59", "America/New_York"),
        ("9999-12-31T23:59:60-01:00", None),
        ("Mon, 01 Jan 0001 00:00:00 +1400", None),
    ],
)
def test_the_first_and_the_last_day_of_the_calendar_are_moments_in_every_zone(
    edge: str, zone: str | None
) -> None:
    assert told(edge, edge, zone=zone) is None
    assert told(edge, SENT, zone=zone) is not None


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("2026-03-01", "2026-03-01T00:00:00Z"),
        ("2026-03-01", "20260301"),
        ("2026-03-01", 1772323200000),
        ("2026-03-01", "1772323200"),
        ("2026-03-01", "2026-03-01 00:00:00"),
        ("2026-03-01T10:00:00+01:00", "2026-03-01"),
        ("2026-03-01T23:30:00-05:00", "2026-03-02T04:30:00Z"),
    ],
)
def test_a_day_is_the_day_that_is_written(sent: object, stored: object) -> None:
    assert told(sent, stored, Comparison.DATE) is None


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("2026-03-01", "2026-03-02"),
        ("2026-03-01", "2026-02-28T23:00:00Z"),
        ("2026-03-01", 1772323260),
        ("2026-03-01", "01.03.2026"),
        ("2026-02-30", "2026-03-02"),
    ],
)
def test_another_day_is_another(sent: object, stored: object) -> None:
    assert told(sent, stored, Comparison.DATE) is not None
