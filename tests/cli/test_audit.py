"""The audit, on the screen and as JSON."""

from __future__ import annotations

import pytest

from tests.cli.desk import CommandLine


def test_the_audit_has_the_newest_first_with_who_and_why(meshline: CommandLine) -> None:
    (event_id,) = meshline.leads(1, tier="gold")

    rows = meshline("audit", "--json").document["audit"]
    page = meshline("audit").out

    assert [row["action"] for row in rows] == ["open_incident", "quarantine", "accept", "publish"]
    assert rows[1]["actor"] == "worker:validate"
    assert event_id in page
    assert "contract_violation" in page


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (("--action", "accept"), 2),
        (("--actor", "cli:tester"), 2),
        (("--client", "globex"), 1),
        (("--limit", "2"), 2),
    ],
)
def test_filters_narrow_the_audit(
    meshline: CommandLine, filters: tuple[str, ...], expected: int
) -> None:
    meshline.leads(2)
    meshline.publish_other()

    assert len(meshline("audit", *filters, "--json").document["audit"]) == expected


def test_the_audit_of_one_event(meshline: CommandLine) -> None:
    first, _ = meshline.leads(2)

    rows = meshline("audit", "--event", first, "--json").document["audit"]

    assert {row["event_id"] for row in rows} == {first}
    assert len(rows) == 2


def test_an_audit_that_is_cut_says_so(meshline: CommandLine) -> None:
    meshline.leads(2)

    assert meshline("audit", "--limit", "2").err == "the newest 2; --limit shows more\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("audit", "--event", "abcdef12"), "there is no event 'abcdef12'"),
        (("audit", "--incident", "99"), "there is no incident 99"),
        (("events", "list", "--before", "nope"), "there is no event 'nope'"),
    ],
)
def test_what_does_not_exist_is_no_empty_answer(
    meshline: CommandLine, words: tuple[str, ...], said: str
) -> None:
    meshline.leads(1, tier="gold")

    assert said in meshline(*words).error
