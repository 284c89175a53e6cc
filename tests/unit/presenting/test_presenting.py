"""Times, spans and rows of the audit, as the command line, the pages and the alerts word them."""

from __future__ import annotations

import pytest

from orchestrator.domain.event import MOST_COUNTED
from orchestrator.presenting.audit_lines import details, what, why
from orchestrator.presenting.lines import told_followers
from orchestrator.presenting.moments import age, away, left, local_moment, moment, span
from orchestrator.store.views.audit import AuditRow

NOW = 1_763_917_200_000  # 2025-11-23T17:00:00Z


def test_a_count_that_ended_at_its_bound_says_so() -> None:
    assert told_followers(MOST_COUNTED - 1) == "9,999 events wait for it"
    assert told_followers(MOST_COUNTED) == "10,000 or more events wait for it"


def test_a_moment_is_read_to_the_second_or_finer() -> None:
    assert moment("2026-11-23T17:30:29.123Z") == "2026-11-23 17:30:29Z"
    assert moment("2026-11-23T17:30:29.023Z", milliseconds=True) == "2026-11-23 17:30:29.023Z"
    assert moment(None) == "-"


def test_a_local_moment_names_its_zone() -> None:
    at = "2026-11-30T09:15:00+00:00"

    assert local_moment(at, "America/New_York") == "Mon 2026-11-30 04:15 EST (America/New_York)"
    assert local_moment(at, None) == "Mon 2026-11-30 09:15 UTC"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        *((0, "0s"), (59.9, "59s"), (60, "1m"), (7_199, "119m"), (7_200, "2h")),
        *((259_199, "71h"), (259_200, "3d"), (-5, "0s")),
    ],
)
def test_a_span_is_said_in_one_unit(seconds: float, shown: str) -> None:
    assert span(seconds) == shown


def test_a_time_is_told_from_now_on_and_back() -> None:
    assert age("2025-11-23T16:57:00.000Z", NOW) == "3m"
    assert away("2025-11-23T16:57:00.000Z", NOW) == "3m ago"
    assert away("2025-11-23T19:00:00.000Z", NOW) == "in 2h"
    assert left("2025-11-23T20:00:00.000Z", NOW) == "in 3h"
    assert left("2025-11-23T16:00:00.000Z", NOW) == "overdue 60m"
    assert age(None, NOW) == left(None, NOW) == "-"


def test_details_are_one_line() -> None:
    detail = {"route": 0, "when": 'tier == "pro"', "to": ["crm", "desk"]}

    assert details(detail) == 'route: 0; when: tier == "pro"; to: crm, desk'
    assert details({"detail": "crm: HTTP 500", "why": "a\nb"}) == r"crm: HTTP 500; a\nb"
    assert details(None) == details({}) == ""


def test_a_row_of_the_audit_is_one_line() -> None:
    row = AuditRow(
        id=7,
        at="2026-11-29T05:40:00.000Z",
        client="acme",
        workflow="lead-routing",
        event_id=None,
        incident=7,
        destination="desk",
        actor="cli:ana",
        action="pause_clock",
        source="open",
        target="acknowledged",
        reason="paused",
        detail={"until": "9:00"},
    )

    assert (what(row), why(row)) == ("pause clock 7 (desk)", "paused; until: 9:00")


def test_a_long_detail_is_cut_and_shows_it() -> None:
    told = details({"detail": "x" * 5_000})

    assert told.endswith("...") and len(told) == 1_000


def test_an_amendment_is_told_without_the_value_that_it_set() -> None:
    amendments = [
        {"action": "rename", "path": "customer_tier", "to": "tier"},
        {"action": "set", "path": "email", "value": "grace@example.com"},
    ]

    assert details({"amendments": amendments}) == "rename customer_tier to tier, set email"
