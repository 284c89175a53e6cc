"""What only resembles is not named: nulls, generic names and absent objects say nothing."""

from __future__ import annotations

from typing import Any

from orchestrator.domain.drift.compare import Broken, diagnose_drift
from orchestrator.domain.drift.finding import Finding

COMMON = ("id", "url", "created_at", "description")


def part(kind: str, number: int, **fields: Any) -> dict[str, Any]:
    """An object with the names that most objects have."""
    return {
        "id": number,
        "url": f"https://api.example/{kind}/{number}",
        "created_at": f"2026-03-{number % 28 + 1:02}T10:00:00Z",
        "description": None,
        **fields,
    }


def event(number: int, **fields: Any) -> dict[str, Any]:
    """An event as it was; a field that is None is left out."""
    whole = {
        "action": "opened",
        "repository": part("repos", number + 100, full_name=f"octo/repo-{number}"),
        "sender": part("users", number + 300, login=f"user-{number}"),
        "milestone": part("milestones", number + 500, due_on=None),
        **fields,
    }
    return {name: value for name, value in whole.items() if value is not None}


def closed(properties: dict[str, Any], *optional: str) -> dict[str, Any]:
    """An object with these properties and no others."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [name for name in properties if name not in optional],
        "properties": properties,
    }


COMMON_PARTS = dict.fromkeys(COMMON, True)
CONTRACT = closed(
    {
        "action": True,
        "repository": closed(COMMON_PARTS | {"full_name": True}),
        "sender": closed(COMMON_PARTS | {"login": True}),
        "milestone": closed(COMMON_PARTS | {"due_on": True}),
    },
    "milestone",
)
ACCEPTED = [event(number) for number in range(9)]


def diagnosed(
    broken: list[Any], accepted: list[Any] = ACCEPTED, contract: dict[str, Any] = CONTRACT
) -> list[Finding]:
    return list(diagnose_drift(accepted, [Broken(payload=one) for one in broken], contract))


def told(*args: Any) -> list[str]:
    return [one.told() for one in diagnosed(*args)]


def test_fields_of_an_absent_optional_object_are_not_moved_to_a_new_one() -> None:
    broken = [event(n, milestone=None, enterprise=part("e", n + 700, slug="x")) for n in range(3)]

    assert told(broken) == ["added: enterprise, in 3 of 3 events"]


def test_a_field_that_is_only_ever_null_resembles_nothing() -> None:
    contract = closed({"id": True, "closed_by": True})
    accepted = [{"id": n, "closed_by": None} for n in range(9)]
    broken = [{"id": n, "weight": 1.5} for n in range(3)]

    assert told(broken, accepted, contract) == [
        "removed: closed_by, in 3 of 3 events",
        "added: weight, in 3 of 3 events",
    ]


def test_of_a_field_that_is_only_ever_null_the_name_still_speaks() -> None:
    contract = closed({"id": True, "closed_by": True})
    accepted = [{"id": n, "closed_by": None} for n in range(9)]

    assert told([{"id": 1, "closedBy": None}], accepted, contract) == [
        "renamed: closed_by → closedBy, in 1 of 1 event"
    ]


def test_an_object_of_the_same_common_names_is_not_the_missing_one() -> None:
    broken = [event(n, sender=None, enterprise=part("e", n + 700, slug="x")) for n in range(3)]

    assert {one.kind for one in diagnosed(broken)} <= {"removed", "added", "unclear"}


def test_an_object_that_went_elsewhere_whole_is_one_finding() -> None:
    broken = [
        event(n, sender=None, context={"sender": event(n)["sender"], "trace": f"t{n}"})
        for n in range(3)
    ]

    assert told(broken) == [
        "moved: sender → context.sender, in 3 of 3 events",
        "added: context, in 3 of 3 events",
    ]


def test_fields_that_came_out_of_an_object_together_are_found_though_their_names_are_common() -> (
    None
):
    contract = closed({"items": {"type": "array", "items": closed(
        {"line": closed(COMMON_PARTS | {"sku": True})})}})  # fmt: skip
    accepted = [{"items": [{"line": part("l", n, sku=f"A{n}")}]} for n in range(6)]
    broken = [{"items": [part("l", n + 40, sku=f"B{n}")]} for n in range(6)]

    assert set(told(broken, accepted, contract)) == {
        f"moved: items.*.line.{name} → items.*.{name}, in 6 of 6 events"
        for name in (*COMMON, "sku")
    }


def test_a_name_that_was_cut_in_two_is_the_same_name() -> None:
    contract = closed({"state": {"type": "string"}, "state_internal_label": {"type": "string"}})
    accepted = [{"state": "open", "state_internal_label": f"Open {n}"} for n in range(6)]
    broken = [{"state": {"internal_label": f"Shut {n}"}} for n in range(6)]

    assert told(broken, accepted, contract) == [
        "moved: state_internal_label → state.internal_label, in 6 of 6 events",
        "retyped: state, in 6 of 6 events",
    ]


def test_a_value_that_many_fields_have_says_nothing() -> None:
    names = ("street", "region", "carrier", "contact", "remark")
    contract = closed(dict.fromkeys(names, True))
    accepted = [dict.fromkeys(names, "unknown") for _ in range(9)]
    broken = [dict.fromkeys(names[1:], "unknown") | {"quota": "unknown"} for _ in range(3)]

    assert "renamed" not in {one.kind for one in diagnosed(broken, accepted, contract)}


def test_an_object_that_became_a_list_of_objects_is_said_so() -> None:
    broken = [event(n, sender=[event(n)["sender"]]) for n in range(3)]
    contract = CONTRACT | {"properties": CONTRACT["properties"] | {"sender": {"type": "object"}}}

    (finding,) = diagnosed(broken, ACCEPTED, contract)

    assert finding.told() == "retyped: sender, in 3 of 3 events"
    assert finding.evidence[0] == "it was an object and is a list of objects"


def test_a_removed_field_whose_name_is_new_elsewhere_is_not_said_to_resemble_nothing() -> None:
    contract = closed({"title": True, "meta": closed({"id": True})})
    accepted = [{"title": f"T{n}", "meta": {"id": n}} for n in range(6)]
    broken = [{"meta": {"id": n, "title": {"rank": n}}} for n in range(6)]

    (removed,) = [one for one in diagnosed(broken, accepted, contract) if one.kind == "removed"]

    assert removed.evidence == (
        "`title` was in 6 of 6 accepted events",
        "`meta.title` is new and has its name; nothing else says that it is the same",
    )


def test_a_change_in_a_renamed_object_is_added_where_it_stands_now() -> None:
    broken = [event(n, sender=None, actor=event(n)["sender"] | {"bot": "no"}) for n in range(3)]

    assert told(broken) == [
        "renamed: sender → actor, in 3 of 3 events",
        "added: actor.bot, in 3 of 3 events",
    ]


def test_wide_payloads_are_diagnosed_field_by_field() -> None:
    old = {f"column_{n:03}_{n * 7919 % 997}": f"v-{n}" for n in range(200)}
    contract = closed(dict.fromkeys(old, True))
    new = {f"attribute-{n * 104_729 % 9973}": True for n in range(200)}

    kinds = {one.kind for one in diagnosed([new], [old] * 3, contract)}

    assert kinds == {"removed", "added"}
