"""On a terminal an event is named by the last digits of its id, and every command takes them."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from orchestrator.store.database.schema import events, payloads, quarantine
from tests.cli.desk import CommandLine


@pytest.fixture
def event_id(meshline: CommandLine) -> str:
    """One event in quarantine."""
    (event_id,) = meshline.leads(1, tier="gold")
    return event_id


def test_a_listing_on_a_terminal_shows_the_last_digits_and_a_pipe_gets_all(
    meshline: CommandLine, event_id: str
) -> None:
    for words in (("quarantine", "list"), ("events", "list"), ("incidents", "show", "1")):
        seen = meshline.on_screen(*words)
        assert event_id[-8:] in seen, words
        assert event_id not in seen, words
        assert event_id in meshline(*words).out, words


def test_every_command_takes_a_short_id(meshline: CommandLine, event_id: str) -> None:
    short = event_id[-6:]

    assert meshline("events", "show", short, "--json").document["id"] == event_id
    assert meshline("quarantine", "show", short.upper(), "--json").document["id"] == event_id
    for act in (
        ("fix", "--set", "tier=pro"),
        ("discard", "--why", "a test"),
        ("restore", "--why", "a test"),
        ("replay",),
    ):
        done = meshline("quarantine", act[0], short, *act[1:], "--json").document
        found = done["ids"] if "ids" in done else [one["id"] for one in done["events"]]
        assert found == [event_id], act


def test_digits_that_several_events_end_with_are_refused(meshline: CommandLine) -> None:
    one, other = meshline.leads(2, tier="gold")
    twin = other[:-8] + one[-8:]
    with meshline.store() as store, store.write() as tx:
        for table, column in (
            (payloads, "event_id"),
            (quarantine, "event_id"),
            (events, "id"),
        ):
            tx.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
            tx.execute(update(table).where(table.c[column] == other).values({column: twin}))

    error = meshline("quarantine", "discard", one[-8:], "--why", "a test").error

    assert "several events end with" in error and one in error and twin in error
    assert one[-9:] in meshline.on_screen("quarantine", "list")
    assert meshline("events", "show", one[-9:], "--json").document["id"] == one


def test_too_few_digits_are_refused_with_what_to_give(meshline: CommandLine, event_id: str) -> None:
    error = meshline("events", "show", "abc").error

    assert "too short" in error and "last 6 digits" in error
    assert "there is no event 'abcdef'" in meshline("events", "show", "abcdef").error


def test_an_erasure_takes_whole_ids_only(meshline: CommandLine, event_id: str) -> None:
    error = meshline("erase", event_id[-8:], "--why", "a request", "--discard", "--yes").error

    assert "needs whole ids" in error and event_id in error
    assert meshline("events", "show", event_id, "--payload", "--json").document["payload"]


def test_an_audit_and_the_next_page_take_a_short_id(meshline: CommandLine) -> None:
    first, second = meshline.leads(2, tier="gold")
    short = second[-8:]

    rows = meshline("audit", "--event", short, "--json").document["audit"]
    page = meshline("events", "list", "--before", short, "--json").document["events"]

    assert {row["event_id"] for row in rows} == {second}
    assert [one["id"] for one in page] == [first]
