from __future__ import annotations

import logging

import pytest

from orchestrator.api.seldom import PERIOD_SECONDS, seldom


def test_lines_of_one_kind_are_written_once_in_a_period_with_a_count(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = [0.0]
    log = seldom("tests.seldom.once", clock=lambda: now[0])

    for _ in range(500):
        log.warning("turned away: %d", 1)
    log.warning("of another kind")
    now[0] = PERIOD_SECONDS
    log.warning("turned away: %d", 2)

    assert caplog.messages == [
        "turned away: 1",
        "of another kind",
        "turned away: 2 (499 more since the last line)",
    ]


def test_a_traceback_is_written_once_too(caplog: pytest.LogCaptureFixture) -> None:
    log = seldom("tests.seldom.traceback", clock=lambda: 0.0)

    for number in range(50):
        log.error("it failed", exc_info=OSError(number))

    assert caplog.text.count("OSError") == 1


def test_kinds_without_end_take_no_memory_without_end() -> None:
    log = seldom("tests.seldom.many", clock=lambda: 0.0)
    log.propagate = False

    for number in range(5_000):
        log.warning("kind %s" % number)  # noqa: G002, UP031 - a kind of its own each time

    kept = log.filters[0]
    assert len(kept._due) <= 100  # type: ignore[union-attr]
    assert logging.getLogger("tests.seldom.many").filters == [kept]
