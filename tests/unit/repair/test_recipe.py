"""A recipe mends what fits it, exactly, and every fault in one is named."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.domain.errors import InvalidFile, Refused
from orchestrator.domain.recipes.file import parse_recipe, recipe_of
from orchestrator.domain.recipes.options import steps_of_options
from orchestrator.domain.recipes.recipe import Mended, apply_recipe

LEAD: dict[str, Any] = {
    "email": "ada@example.com",
    "customer_tier": "Pro",
    "seats": "12",
    "contact": {"town": "Oslo"},
    "items": [{"sku": "x", "n": "1"}, {"sku": "y", "n": "2"}, {}],
    "since": "24.11.2026",
    "utm": {"campaign": "autumn"},
}


def mend(*steps: dict[str, Any], payload: object = LEAD) -> Mended:
    return apply_recipe(payload, recipe_of(steps))


def test_each_step_does_its_work_in_the_order_written() -> None:
    mended: Any = mend(
        {"rename": "customer_tier", "to": "tier"},
        {"map": "tier", "values": {"Pro": "pro", "Gold": "enterprise"}},
        {"move": "contact.town", "to": "address.city.name"},
        {"convert": "seats", "to": "integer"},
        {"convert": "since", "to": "date", "format": "%d.%m.%Y"},
        {"set": "country", "value": "NO", "reason": "the form is only used there"},
        {"drop": "utm"},
    ).payload

    assert mended == {
        "email": "ada@example.com",
        "tier": "pro",
        "seats": 12,
        "contact": {},
        "address": {"city": {"name": "Oslo"}},
        "items": LEAD["items"],
        "since": "2026-11-24",
        "country": "NO",
    }
    assert LEAD["customer_tier"] == "Pro"


def test_a_star_stands_for_every_entry_that_has_the_field() -> None:
    mended: Any = mend(
        {"rename": "items.*.sku", "to": "items.*.code"},
        {"convert": "items.*.n", "to": "number"},
        {"set": "items.*.n", "value": 0, "reason": "none was ordered"},
    ).payload

    assert mended["items"] == [{"code": "x", "n": 1}, {"code": "y", "n": 2}, {"n": 0}]


def test_entries_are_dropped_without_moving_those_still_to_come() -> None:
    mended: Any = mend({"drop": "items.*"}).payload

    assert mended["items"] == []


def test_what_was_changed_is_told_place_by_place() -> None:
    first, second = mend(
        {"rename": "customer_tier", "to": "tier"}, {"convert": "items.0.n", "to": "integer"}
    ).changes

    assert (first.step, first.path, first.to, first.after) == (0, "/customer_tier", "/tier", "Pro")
    assert (second.step, second.path, second.before, second.after) == (1, "/items/0/n", "1", 1)


def test_a_step_that_finds_nothing_is_passed_over() -> None:
    mended = mend({"drop": "fax"}, {"map": "seats", "values": {"1": 1}}, {"drop": "utm"})

    assert [one.step for one in mended.changes] == [2]


def test_a_default_leaves_alone_what_is_there() -> None:
    with pytest.raises(Refused, match="no step finds anything"):
        mend({"set": "email", "value": "x@example.com", "reason": "unknown"})


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ({"rename": "customer_tier", "to": "email"}, "there already"),
        ({"move": "customer_tier", "to": "email.domain"}, "holds no fields"),
        ({"convert": "email", "to": "number"}, "cannot become number: it is not a number"),
        ({"convert": "contact", "to": "string"}, "not a single value"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_guessed(
    step: dict[str, Any], said: str
) -> None:
    with pytest.raises(Refused, match=said):
        mend(step)


@pytest.mark.parametrize(
    ("value", "to", "becomes"),
    [
        (" 7 ", "integer", 7),
        (7.0, "integer", 7),
        ("7.50", "number", 7.5),
        (True, "string", "true"),
        (7, "string", "7"),
        ("Yes", "boolean", True),
        (0, "boolean", False),
        ("2026-11-24T10:00:00Z", "date", "2026-11-24"),
        (1_700_000_000, "date-time", "2023-11-14T22:13:20Z"),
        (1_700_000_000_000, "date-time", "2023-11-14T22:13:20Z"),
        ("2023-11-14T22:13:20+00:00", "date-time", "2023-11-14T22:13:20Z"),
    ],
)
def test_a_conversion_is_exact(value: object, to: str, becomes: object) -> None:
    mended: Any = mend({"convert": "a", "to": to}, payload={"a": value}).payload

    assert mended["a"] == becomes
    assert type(mended["a"]) is type(becomes)


@pytest.mark.parametrize(
    ("value", "to"),
    [
        ("7.5", "integer"),
        (7.5, "integer"),
        (True, "integer"),
        ("1e999", "number"),
        ("99999999999999999999", "integer"),
        ("NaN", "number"),
        ("maybe", "boolean"),
        (2, "boolean"),
        ([], "string"),
        ("24/11/2026", "date"),
        ("2026-11-24T10:00", "date-time"),
        (-1, "date-time"),
    ],
)
def test_a_conversion_that_would_guess_is_refused(value: object, to: str) -> None:
    with pytest.raises(Refused, match="cannot become"):
        mend({"convert": "a", "to": to}, payload={"a": value})


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ({}, "says no step"),
        ({"drop": "a", "rename": "b", "to": "c"}, "rename and drop at once"),
        ({"rename": "a"}, "`rename` needs `to`"),
        ({"rename": "a", "to": "b.c"}, "in another object"),
        ({"move": "a", "to": "a.b"}, "cannot go into itself"),
        ({"move": "a.*.b", "to": "b"}, "as many places"),
        ({"rename": "a", "to": "b..c"}, "empty step"),
        ({"drop": "a..b"}, "empty step"),
        ({"set": "a", "value": 1}, "`set` needs `reason`"),
        ({"set": "a", "value": 1, "reason": " "}, "needs a reason"),
        ({"set": "a", "reason": "x"}, "`set` needs `value`"),
        ({"convert": "a", "to": "money"}, "is not a type"),
        ({"convert": "a", "to": "number", "format": "%d"}, "only a date"),
        ({"map": "a"}, "`map` needs `values`"),
        ({"drop": "a", "to": "b"}, "`drop` takes no `to`"),
        ({"rename": "a", "too": "b"}, "write `to`"),
        ("rename", "not a mapping"),
    ],
)
def test_every_fault_of_a_step_is_named(step: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidFile) as refused:
        recipe_of([step])

    assert said in str(refused.value)
    assert refused.value.faults[0].path.startswith("steps.0")


def test_a_file_names_all_its_faults_with_their_lines() -> None:
    text = "note: a new form\nsteps:\n  - {rename: a, to: b}\n  - {drop: c, to: d}\n  - {move: e}\n"

    with pytest.raises(InvalidFile) as refused:
        parse_recipe(text + "nota: x\n", name="fix.yaml")

    assert [(one.path, one.line) for one in refused.value.faults] == [
        ("nota", 6),
        ("steps.1", 4),
        ("steps.2", 5),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "- {rename: a, to: b}\n- {set: c, value: null, reason: unknown}\n",
        '[{"rename": "a", "to": "b"}, {"set": "c", "value": null, "reason": "unknown"}]',
        "steps:\n- {rename: a, to: b}\n- {set: c, value: null, reason: unknown}\nnote: n\n",
    ],
)
def test_a_recipe_is_kept_as_it_was_written(text: str) -> None:
    assert parse_recipe(text, name="fix.yaml").describe()["steps"] == [
        {"rename": "a", "to": "b"},
        {"set": "c", "value": None, "reason": "unknown"},
    ]


def test_options_make_the_same_steps() -> None:
    assert steps_of_options(
        renames=["a=b"],
        moves=["c=d.e"],
        converts=["f=number"],
        maps=["g=x:y", "g=z:1"],
        sets=["h=5"],
        drops=["i"],
        reason="why",
    ) == [
        {"rename": "a", "to": "b"},
        {"move": "c", "to": "d.e"},
        {"convert": "f", "to": "number"},
        {"map": "g", "values": {"x": "y", "z": 1}},
        {"set": "h", "value": 5, "reason": "why"},
        {"drop": "i"},
    ]


@pytest.mark.parametrize(("option", "text"), [("renames", "a"), ("maps", "a=b"), ("sets", "=1")])
def test_an_option_that_says_nothing_is_refused(option: str, text: str) -> None:
    with pytest.raises(Refused, match="is not of the form"):
        steps_of_options(**{option: [text]})  # type: ignore[arg-type]
