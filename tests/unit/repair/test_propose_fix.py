"""A fix is proposed only where a finding says by itself what to do."""

from __future__ import annotations

import pytest

from orchestrator.domain.drift.finding import ChangeKind, Finding
from orchestrator.operations.repair.propose_fix import propose_fix

INCIDENT = 7


def finding(kind: ChangeKind, path: str, to: str | None = None) -> Finding:
    return Finding(kind=kind, path=path, to=to, events=20, of=20, since=None, evidence=())


def test_names_and_places_are_brought_back_in_one_recipe_and_one_plan() -> None:
    found = [
        finding(ChangeKind.RENAMED, "tier", "customer_tier"),
        finding(ChangeKind.MOVED, "email", "contact.e mail"),
        finding(ChangeKind.ADDED, "utm"),
    ]

    recipe = (
        "meshline quarantine recipe --incident 7 --rename customer_tier=tier"
        " --move 'contact.e mail=email'"
    )
    assert propose_fix(INCIDENT, found) == [
        f"{recipe} --preview",
        f"{recipe} --apply",
        f"{recipe} --publish",
        "meshline quarantine replay --incident 7 --plan",
    ]


def test_a_name_that_a_command_line_cannot_say_is_not_proposed() -> None:
    assert propose_fix(INCIDENT, [finding(ChangeKind.RENAMED, "tier", "customer=tier")]) == []


@pytest.mark.parametrize("kind", sorted(set(ChangeKind) - {ChangeKind.RENAMED, ChangeKind.MOVED}))
def test_what_only_a_person_knows_is_not_proposed(kind: ChangeKind) -> None:
    assert propose_fix(INCIDENT, [finding(kind, "tier")]) == []


def test_what_was_amended_already_is_only_to_be_replayed() -> None:
    found = [finding(ChangeKind.RENAMED, "tier", "customer_tier")]

    assert propose_fix(INCIDENT, found, only_replay=True) == [
        "meshline quarantine replay --incident 7 --plan"
    ]
