from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orchestrator.domain.delivery.pauses import end_of_pause
from orchestrator.domain.errors import Refused

NOW = datetime(2026, 11, 29, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("2h", datetime(2026, 11, 29, 8, tzinfo=UTC)),
        ("3d", datetime(2026, 12, 2, 6, tzinfo=UTC)),
        ("2026-11-30T08:00+01:00", datetime(2026, 11, 30, 7, tzinfo=UTC)),
        (" 2026-11-30T08:00Z ", datetime(2026, 11, 30, 8, tzinfo=UTC)),
        ("resumed", None),
    ],
)
def test_an_end_is_a_duration_or_a_time_with_its_zone(text: str, end: datetime | None) -> None:
    assert end_of_pause(text, NOW) == end


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "neither a duration nor a time"),
        ("tomorrow", "neither a duration nor a time"),
        ("2026-11-30T08:00", "no time zone"),
        ("2026-11-30", "no time zone"),
        ("2026-11-29T06:00Z", "in the past"),
        ("0s", "in the past"),
        ("999999999d", "more than a year"),
        ("2099-01-01T00:00Z", "more than a year"),
        ("0001-01-01T00:00+10:00", "out of range"),
    ],
)
def test_what_is_no_end_is_refused_with_the_field_and_what_to_write(
    text: str, problem: str
) -> None:
    with pytest.raises(Refused, match=problem) as refused:
        end_of_pause(text, NOW)

    assert refused.value.field == "until" and refused.value.fix
