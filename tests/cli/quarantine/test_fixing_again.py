"""A fix made twice, taken back, and made on what a colleague fixed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from orchestrator.domain.access.actor import login
from orchestrator.domain.recipes.amendment import parse_amendments
from orchestrator.operations.repair.amend import fix_events
from orchestrator.store.views.quarantine.selection import Selection
from tests.cli.desk import CommandLine
from tests.leads import renamed_lead

FIX = ("quarantine", "fix", "--workflow", "leads")
RENAME = ("--rename", "customer_tier=tier")


@pytest.fixture
def stopped(meshline: CommandLine) -> Callable[[int], list[str]]:
    """Leads of a form that calls `tier` otherwise."""

    def emit(count: int) -> list[str]:
        from orchestrator.operations.accept_triggers import accept_batch

        meshline.publish()
        with meshline.store() as store:
            leads = [renamed_lead(n) for n in range(count)]
            ids = [one.id for one in accept_batch(store, leads, actor="key:test")]
        meshline.validate()
        return ids

    return emit


def fixed_by_ana(meshline: CommandLine, *ids: str) -> None:
    with meshline.store() as store:
        changes = parse_amendments(["customer_tier=tier"], ["tier=pro"], [])
        assert fix_events(store, Selection(ids=ids), changes, actor=login("cli:ana")).ids == list(
            ids
        )


def amended(meshline: CommandLine, event_id: str) -> Any:
    return meshline("quarantine", "show", event_id, "--json").document["amended"]


RECIPE = ("quarantine", "recipe", "--workflow", "leads")
RIGHT = ("--rename", "customer_tier=tier", "--map", "tier=enterprise:pro")


def acts(meshline: CommandLine, event_id: str) -> list[str]:
    history = meshline("events", "show", event_id, "--json").document["history"]
    return [one["action"] for one in history]


@pytest.mark.parametrize("change", [RENAME, (*RENAME, "--set", "tier=pro")], ids=str)
def test_the_same_fix_twice_is_unchanged_and_not_audited_again(
    meshline: CommandLine, stopped: Callable[[int], list[str]], change: tuple[str, ...]
) -> None:
    (event_id,) = stopped(1)
    meshline(*FIX, *change)

    again = meshline(*FIX, *change)

    assert (again.code, again.out, again.err) == (0, "fixed 0\nunchanged 1\n", "")
    assert acts(meshline, event_id).count("amend") == 1


def test_a_reset_goes_back_to_what_came_and_twice_is_unchanged(
    meshline: CommandLine, stopped: Callable[[int], list[str]]
) -> None:
    (event_id,) = stopped(1)
    meshline(*FIX, *RENAME)

    tried = meshline(*FIX, "--reset", "--dry-run")
    assert (tried.code, tried.out) == (0, "would reset 1\n")
    assert amended(meshline, event_id)["tier"] == "enterprise"
    assert meshline(*FIX, "--reset", "--json").document["ids"] == [event_id]
    assert amended(meshline, event_id) is None
    again = meshline(*FIX, "--reset")

    assert (again.code, again.out) == (0, "reset 0\nunchanged 1\n")
    history = meshline("events", "show", event_id, "--json").document["history"]
    assert history[-1]["detail"] == {"reset": True}
    assert acts(meshline, event_id) == ["accept", "quarantine", "amend", "amend"]


def test_a_reset_takes_no_changes(meshline: CommandLine) -> None:
    meshline.publish()

    assert meshline(*FIX, "--reset", *RENAME).code == 2


@pytest.mark.parametrize("change", [("--set", "tier=enterprise"), ("--reset",)], ids=str)
def test_what_a_colleague_fixed_is_passed_over_and_said(
    meshline: CommandLine, stopped: Callable[[int], list[str]], change: tuple[str, ...]
) -> None:
    first, second, third = stopped(3)
    fixed_by_ana(meshline, first, second)

    tried = meshline(*FIX, *change, "--dry-run", "--json").document
    ran = meshline(*FIX, "--rename", "customer_tier=tier", "--set", "tier=enterprise")
    alone = meshline("quarantine", "fix", first, *change)

    assert [one["id"] for one in tried["passed_over"]] == [first, second]
    assert {one["by"] for one in tried["passed_over"]} == {"cli:ana"}
    assert ran.out == "fixed 1\n"
    assert ran.err.startswith("passed over 2: amended by cli:ana last at 20")
    assert "--again amends them too" in ran.err
    assert alone.code == 1
    assert amended(meshline, first)["tier"] == "pro"
    assert amended(meshline, third)["tier"] == "enterprise"


def test_with_again_a_colleagues_fix_is_amended_and_then_it_is_ours(
    meshline: CommandLine, stopped: Callable[[int], list[str]]
) -> None:
    (event_id,) = stopped(1)
    fixed_by_ana(meshline, event_id)

    assert meshline(*FIX, "--set", "tier=enterprise", "--again").out == "fixed 1\n"
    assert meshline(*FIX, "--reset").out == "reset 1\n"
    assert amended(meshline, event_id) is None


def test_what_a_colleague_reset_is_nobodys(
    meshline: CommandLine, stopped: Callable[[int], list[str]]
) -> None:
    from orchestrator.operations.repair.amend import reset_events

    (event_id,) = stopped(1)
    fixed_by_ana(meshline, event_id)
    with meshline.store() as store:
        reset_events(store, Selection(ids=(event_id,)), actor=login("cli:ana"))

    assert meshline(*FIX, *RENAME).out == "fixed 1\n"


def test_the_right_recipe_after_a_wrong_one_is_not_said_to_be_done(
    meshline: CommandLine, stopped: Callable[[int], list[str]]
) -> None:
    (event_id,) = stopped(1)
    meshline(*RECIPE, *RENAME, "--apply")

    on_amended = meshline(*RECIPE, *RENAME, "--json")
    right = meshline(*RECIPE, *RIGHT, "--from-original", "--apply", "--json")
    again = meshline(*RECIPE, *RIGHT, "--from-original", "--apply")

    assert (on_amended.code, on_amended.document["already"]) == (0, 1)
    assert right.document["applied"] == [event_id]
    assert amended(meshline, event_id)["tier"] == "pro"
    assert (again.code, "unchanged 1\namended 0\n" in again.out) == (0, True)
    assert acts(meshline, event_id).count("amend") == 2


def test_a_recipe_that_another_amendment_hides_says_how_to_make_it(
    meshline: CommandLine, stopped: Callable[[int], list[str]]
) -> None:
    stopped(1)
    wrong = ("--rename", "customer_tier=tier", "--map", "tier=enterprise:pro")
    meshline(*RECIPE, *wrong, "--apply")

    ran = meshline(*RECIPE, *RENAME, "--json")

    assert (ran.code, ran.document["already"], ran.document["refused"]) == (1, 0, 1)
    assert "--from-original works on what came" in ran.document["events"][0]["detail"]


def test_a_recipe_passes_over_a_colleagues_events_in_preview_and_apply(
    meshline: CommandLine, stopped: Callable[[int], list[str]]
) -> None:
    first, second = stopped(2)
    fixed_by_ana(meshline, first)

    tried = meshline(*RECIPE, *RENAME)
    done = meshline(*RECIPE, *RENAME, "--apply", "--json").document
    over = meshline(*RECIPE, *RENAME, "--from-original", "--again", "--apply", "--json").document

    assert "passed over 1: amended by cli:ana at 20" in tried.err
    assert [one["id"] for one in done["passed_over"]] == [first]
    assert done["applied"] == [second]
    assert over["applied"] == [first]
    assert amended(meshline, first)["tier"] == "enterprise"
