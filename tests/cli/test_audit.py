"""The audit and the dead letters, on the screen and as JSON."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from tests.cli.desk import CommandLine


def test_the_audit_has_the_newest_first_with_who_and_why(meshline: CommandLine) -> None:
    (event_id,) = meshline.leads(1, tier="gold")

    rows = meshline("audit", "--json").document["audit"]
    page = meshline("audit").out

    assert [row["action"] for row in rows] == ["quarantine", "accept", "publish"]
    assert rows[0]["actor"] == "worker:validate"
    assert event_id in page
    assert "contract_violation" in page


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (("--action", "accept"), 2),
        (("--actor", "cli:tester"), 1),
        (("--client", "globex"), 0),
        (("--limit", "2"), 2),
    ],
)
def test_filters_narrow_the_audit(
    meshline: CommandLine, filters: tuple[str, ...], expected: int
) -> None:
    meshline.leads(2)

    assert len(meshline("audit", *filters, "--json").document["audit"]) == expected


def test_the_audit_of_one_event(meshline: CommandLine) -> None:
    first, _ = meshline.leads(2)

    rows = meshline("audit", "--event", first, "--json").document["audit"]

    assert {row["event_id"] for row in rows} == {first}
    assert len(rows) == 2


def test_an_audit_that_is_cut_says_so(meshline: CommandLine) -> None:
    meshline.leads(2)

    assert meshline("audit", "--limit", "2").err == "the newest 2; --limit shows more\n"


def bury(meshline: CommandLine, body: bytes) -> None:
    """A message that no worker could read."""
    meshline.publish()
    database = meshline.folder / ".meshline" / "meshline.db"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(
            "INSERT INTO dead_letters (at, queue, task, error, headers, body)"
            " VALUES (1700000000000, 'meshline', 'ghost', 'no such task', '{\"id\": 1}', ?)",
            [body],
        )


def test_dead_letters_are_listed_without_their_bodies(meshline: CommandLine) -> None:
    bury(meshline, b"[[], {}, {}]")

    (letter,) = meshline("dead-letters", "list", "--json").document["dead_letters"]

    assert (letter["task"], letter["bytes"], letter["at"]) == (
        *("ghost", 12, "2023-11-14T22:13:20.000Z"),
    )
    assert "body" not in letter
    assert "no such task" in meshline("dead-letters", "list").out


def test_a_dead_letter_is_shown_as_it_was(meshline: CommandLine) -> None:
    bury(meshline, b"[[], {}]")

    shown = meshline("dead-letters", "show", "1", "--json").document

    assert (shown["body"], shown["headers"]) == ("[[], {}]", {"id": 1})
    assert "[[], {}]" in meshline("dead-letters", "show", "1").out


def test_a_body_that_is_not_text_is_shown_in_base64(meshline: CommandLine) -> None:
    bury(meshline, b"\xff\x00")

    assert meshline("dead-letters", "show", "1", "--json").document["body_base64"] == "/wA="


def test_a_dead_letter_that_does_not_exist_is_one_line(meshline: CommandLine) -> None:
    meshline.publish()

    assert "there is no dead letter 7" in meshline("dead-letters", "show", "7").error
