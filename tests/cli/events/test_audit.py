"""The audit, on the screen and as JSON."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orchestrator.domain.audit_words import KNOWN_ACTIONS
from tests.cli.desk import CommandLine

ROOT = Path(__file__).parents[3]


def test_the_audit_has_the_newest_first_with_who_and_why(meshline: CommandLine) -> None:
    (event_id,) = meshline.leads(1, tier="gold")

    rows = meshline("audit", "--json").document["audit"]
    page = meshline("audit").out

    assert [row["action"] for row in rows] == [
        *("open_incident", "quarantine", "accept"),
        *("publish", "go_live_change", "propose_change"),
    ]
    assert rows[1]["actor"] == "worker:validate"
    assert event_id in page
    assert "contract_violation" in page


def test_an_action_that_nobody_does_is_wrong_usage(meshline: CommandLine) -> None:
    meshline.leads(1, tier="gold")

    assert (
        "'nonsense' is none of abandon, accept, " in meshline("audit", "--action", "nonsense").usage
    )
    assert meshline("audit", "--action", "log_in").code == 0  # known, and nobody did
    assert meshline("audit", "--action", "break").code == 2  # an old word for `trip`


def test_every_action_that_is_written_is_known() -> None:
    written = re.compile(r'action="([a-z_]+)"|record_circuit\([^)]*?"([a-z_]+)"')
    told = {
        found[1] or found[2]
        for folder in ("operations", "store")
        for file in (ROOT / "orchestrator" / folder).rglob("*.py")
        for found in written.finditer(file.read_text())
    }
    of_amendments = {"rename", "set", "unset", "split", "ignore"}

    assert {"publish", "trip", "log_in"} <= told
    assert told - KNOWN_ACTIONS - of_amendments == set()


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (("--action", "accept"), 2),
        (("--actor", "cli:tester"), 6),
        (("--client", "globex"), 3),
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
