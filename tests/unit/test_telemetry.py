"""The telemetry port: who reads what, and what a reader that fails may do."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import FrozenInstanceError, fields
from typing import get_args

import pytest

from orchestrator.telemetry import (
    AlertFailed,
    BreakerRecovered,
    BreakerTripped,
    ClaimMade,
    IncidentResolved,
    TelemetryEvent,
    add_reader,
    emit,
    read_kinds,
    reading,
    remove_reader,
)
from orchestrator.telemetry_log import LINES, LogReader
from tests.seen import Seen, seeing

CLOSED = BreakerRecovered(breaker="crm.upsert", failures=3)
OPENED = BreakerTripped(breaker="crm.upsert", reason="failing", failures=10)


class Failing:
    """A reader that cannot."""

    reads: Collection[type[TelemetryEvent]] = (BreakerRecovered,)

    def read(self, event: TelemetryEvent) -> None:
        raise ValueError(event)


def test_an_event_goes_to_those_who_read_its_kind() -> None:
    with seeing() as seen:
        emit(CLOSED)

    assert seen.events == [CLOSED]


def test_who_was_taken_away_reads_no_more() -> None:
    with seeing() as seen:
        pass
    emit(CLOSED)

    assert seen.events == []
    assert BreakerRecovered not in read_kinds


def test_who_is_added_twice_reads_once() -> None:
    seen = Seen()
    add_reader(seen)
    with reading(seen):
        emit(CLOSED)

    assert seen.events == [CLOSED]
    assert BreakerRecovered not in read_kinds


def test_a_reader_that_fails_is_logged_once_and_keeps_nobody_from_reading(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with reading(Failing()), seeing() as seen:
        emit(CLOSED)
        emit(CLOSED)

    assert seen.events == [CLOSED, CLOSED]
    assert caplog.messages == ["a reader of telemetry failed; what it counts is not complete"]


def test_a_reader_that_failed_may_be_taken_away() -> None:
    failing = Failing()
    with reading(failing):
        emit(CLOSED)
    remove_reader(failing)

    assert BreakerRecovered not in read_kinds


def test_an_event_is_a_value_that_nobody_changes() -> None:
    with pytest.raises(FrozenInstanceError):
        CLOSED.failures = 0  # type: ignore[misc]


def test_the_log_reads_what_its_level_takes() -> None:
    logger = logging.getLogger("orchestrator.telemetry_log")
    before = logger.level
    try:
        logger.setLevel(logging.WARNING)
        quiet = set(LogReader().reads)
        logger.setLevel(logging.DEBUG)
        loud = set(LogReader().reads)
    finally:
        logger.setLevel(before)

    assert quiet == {BreakerTripped, BreakerRecovered}
    assert loud == set(LINES)


def test_the_log_has_a_line_for_each_event_that_it_reads(
    caplog: pytest.LogCaptureFixture,
) -> None:
    healed = IncidentResolved(
        incident=7, client="acme", workflow="leads", outcome="healed", seconds=61.2
    )
    with caplog.at_level(logging.INFO), reading(LogReader()):
        emit(OPENED)
        emit(healed)
        emit(AlertFailed(alert=1, incident=7, kind="opened", tries=1, given_up=False))
        emit(ClaimMade(groups=1, events=3, waited_seconds=0.5))

    assert caplog.messages == [
        "circuit breaker crm.upsert opened after 10 failures: failing",
        "incident 7 is resolved after 61 s",
    ]


@pytest.mark.parametrize("kind", LINES, ids=lambda kind: kind.__name__)
def test_a_line_of_the_log_names_fields_that_are_there(kind: type[TelemetryEvent]) -> None:
    values = dict.fromkeys((field.name for field in fields(kind)), 1)

    assert LINES[kind][1].format_map(values)


@pytest.mark.parametrize("kind", get_args(TelemetryEvent), ids=lambda kind: kind.__name__)
def test_no_event_has_room_for_a_person_an_error_or_a_payload(kind: type[TelemetryEvent]) -> None:
    names = {field.name for field in fields(kind)}

    assert not names & {"actor", "owner", "recipient", "error", "detail", "payload", "title", "why"}
