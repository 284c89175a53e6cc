"""A change in words: what an approver reads instead of two files."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from orchestrator.domain.changes.words.covering import Covers, covers
from orchestrator.domain.changes.words.difference import difference_in_words
from orchestrator.domain.changes.words.wording import Affected, Direction
from orchestrator.domain.workflows.workflow import Workflow
from tests.unit.example import LEADS, changed


def workflow(edit: Callable[[dict[str, Any]], object] = lambda _: None) -> Workflow:
    document = copy.deepcopy(LEADS)
    edit(document)
    return Workflow.from_definition(document)


def told(edit: Callable[[dict[str, Any]], object]) -> list[tuple[Direction, str, bool]]:
    """Each sentence with its direction, and whether it may break something."""
    words = difference_in_words(workflow(), workflow(edit))
    return [(one.direction, one.says, one.breaks is not None) for one in words]


def properties(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["contract"]["properties"]
    return found


def _rename_tier(document: dict[str, Any]) -> None:
    properties(document)["plan"] = properties(document).pop("tier")
    document["contract"]["required"] = ["email", "plan"]


def _rename_message(document: dict[str, Any]) -> None:
    properties(document)["note"] = properties(document).pop("message")
    document["facts"]["message"]["value"] = "data.note"


STRICTER, LOOSER, ADDED = Direction.STRICTER, Direction.LOOSER, Direction.ADDED
REMOVED, CHANGED, RENAMED = Direction.REMOVED, Direction.CHANGED, Direction.RENAMED


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (
            lambda d: d["contract"]["required"].append("message"),
            [(STRICTER, "`message` is now required", True)],
        ),
        (
            lambda d: d["contract"]["required"].remove("tier"),
            [(LOOSER, "`tier` is no longer required", False)],
        ),
        (
            lambda d: properties(d)["tier"].update(enum=["enterprise", "pro", "trial"]),
            [
                (STRICTER, '`tier` may no longer be "starter"', True),
                (LOOSER, '`tier` may now also be "trial"', False),
            ],
        ),
        (
            lambda d: properties(d).update(plan={"type": "string"}),
            [(ADDED, "`plan` is new, and may be left out", False)],
        ),
        (
            lambda d: properties(d).pop("seats"),
            [(REMOVED, "`seats` is taken away; an event that has it is refused", True)],
        ),
        (
            lambda d: properties(d).update(seats={"type": "integer"}),
            [(STRICTER, "`seats` may no longer be of type number", True)],
        ),
        (
            lambda d: properties(d)["message"].update(maxLength=80),
            [(STRICTER, "`message` has to have at most 80 characters now", True)],
        ),
        (
            lambda d: d["contract"].pop("additionalProperties"),
            [
                (
                    LOOSER,
                    "other fields in the payload than the declared ones are taken now",
                    False,
                )
            ],
        ),
        (
            lambda d: properties(d)["email"].update({"x-pii": "email"}),
            [(CHANGED, "`email` is now marked as personal (`x-pii`)", False)],
        ),
        (
            _rename_tier,
            [
                (
                    RENAMED,
                    "`tier` looks renamed: it is taken away, and `plan` is new, and required",
                    True,
                )
            ],
        ),
        (
            _rename_message,
            [
                (RENAMED, "`message` looks renamed: it is taken away, and `note` is new", False),
                (CHANGED, "the fact `message` is `data.note`, before: `data.message`", False),
            ],
        ),
    ],
)
def test_a_contract_is_told_field_by_field(
    edit: Callable[[dict[str, Any]], object], expected: list[tuple[Direction, str, bool]]
) -> None:
    assert told(edit) == expected


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (
            lambda d: d["routes"][0].update(to=["senior-desk"]),
            [(REMOVED, '`crm` gets events where `tier == "enterprise"` no longer', True)],
        ),
        (
            lambda d: d["routes"][1].update(to=["crm", "senior-desk"]),
            [(ADDED, '`senior-desk` gets events where `tier == "pro"` now, too', False)],
        ),
        (
            lambda d: d["routes"][1].update(when='tier in ["pro", "starter"]'),
            [
                (
                    CHANGED,
                    (
                        'events go to crm where `tier in ["pro", "starter"]`,'
                        ' before: where `tier == "pro"`'
                    ),
                    False,
                )
            ],
        ),
        (
            lambda d: d["routes"].reverse(),
            [
                (
                    CHANGED,
                    "routes are tried in another order, and the first that holds is taken",
                    True,
                )
            ],
        ),
        (
            lambda d: d["destinations"]["crm"]["confirm"].remove("note"),
            [(LOOSER, "`note` of `crm` is no longer read back and compared", False)],
        ),
        (
            lambda d: d["destinations"]["senior-desk"]["send"].update(queue='"vip"'),
            [
                (
                    CHANGED,
                    '`senior-desk` is sent other values in `queue`: `"vip"`, before: `"senior"`',
                    True,
                )
            ],
        ),
        (
            lambda d: d["sla"].update(deliver_within="20m", recover_within="24h"),
            [
                (LOOSER, "an event has to be delivered within 20m, before: 15m", False),
                (STRICTER, "an event may be in quarantine for 24h, before: 72h", False),
            ],
        ),
        (
            lambda d: d["owners"].update(owner="sales@acme.example"),
            [
                (
                    CHANGED,
                    "the owner is sales@acme.example, before: support-ops@acme.example",
                    False,
                )
            ],
        ),
        (
            lambda d: d.update(retries={"limit": 3}),
            [(STRICTER, "what fails is tried again up to 3 times, before: 8", False)],
        ),
        (
            lambda d: d.update(amend=[{"rename": "customer_tier", "to": "tier"}]),
            [
                (
                    ADDED,
                    (
                        "events that break the contract are amended by"
                        " `rename customer_tier to tier` now"
                    ),
                    False,
                )
            ],
        ),
        (
            lambda d: d["trigger"].update(type="lead.made"),
            [(CHANGED, "it is started by `lead.made`, before: `lead.created`", True)],
        ),
        (
            lambda d: d.update(runbook="call the desk"),
            [(ADDED, "what to do when events are stopped (`runbook`): call the desk", False)],
        ),
    ],
)
def test_every_other_part_is_told(
    edit: Callable[[dict[str, Any]], object], expected: list[tuple[Direction, str, bool]]
) -> None:
    assert told(edit) == expected


def test_a_renamed_destination_is_not_one_that_is_new_and_one_that_is_gone() -> None:
    def rename(document: dict[str, Any]) -> None:
        document["destinations"]["vip"] = document["destinations"].pop("senior-desk")
        document["routes"][0]["to"] = ["crm", "vip"]

    says = [one[1] for one in told(rename)]

    assert "the destination `senior-desk` is called `vip` now" in says


def test_nested_fields_and_entries_of_lists_have_their_path() -> None:
    def nest(document: dict[str, Any], **more: object) -> None:
        line = {"type": "object", "properties": {"sku": {"type": "string", **more}}}
        properties(document)["lines"] = {"type": "array", "items": line}

    before, after = workflow(nest), workflow(lambda d: nest(d, minLength=3))
    (word,) = difference_in_words(before, after)
    assert word.says == "`lines[].sku` has to have at least 3 characters now"


def test_a_workflow_that_is_new_or_retired_is_one_sentence() -> None:
    (new,) = difference_in_words(None, workflow())
    (retired,) = difference_in_words(workflow(), None)

    assert new.direction is Direction.ADDED
    assert (retired.direction, retired.breaks) == (Direction.REMOVED, Affected.SENDERS)
    assert difference_in_words(workflow(), workflow()) == ()


def test_what_has_no_words_is_said_to_have_none() -> None:
    def describe(document: dict[str, Any]) -> None:
        properties(document)["tier"]["description"] = "what was sold"

    (one,) = told(describe)
    assert one[1] == "it differs in a way that has no words here: see the places that differ"


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (lambda d: None, Covers.YES),
        (lambda d: properties(d).update(plan={"type": "string"}), Covers.YES),
        (lambda d: d["contract"]["required"].append("message"), Covers.NO),
        (_rename_tier, Covers.NO),
        (lambda d: properties(d)["email"].pop("format"), Covers.YES),
    ],
)
def test_a_contract_that_takes_less_is_told_from_the_schemas_alone(
    edit: Callable[[dict[str, Any]], object], expected: Covers
) -> None:
    assert covers(workflow(edit), workflow()) is expected


def test_two_drafts_cannot_be_compared_and_nothing_is_claimed() -> None:
    draft = {**changed()["contract"], "$schema": "http://json-schema.org/draft-07/schema#"}

    assert covers(workflow(lambda d: d.update(contract=draft)), workflow()) is Covers.UNKNOWN
