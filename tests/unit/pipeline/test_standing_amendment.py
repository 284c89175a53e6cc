"""An amendment's step acts where its own place breaks the contract, and nowhere else."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from orchestrator.domain.delivery.verdicts import Amended, Rejected
from orchestrator.domain.errors import Refused
from orchestrator.domain.recipes.file import recipe_of
from orchestrator.domain.recipes.recipe import mend_broken
from orchestrator.pipeline.validate import judge_of, validate_or_amend
from tests.unit.example import compiled

PHONE = {"type": "string", "minLength": 5}
CONTRACT: dict[str, Any] = {
    "type": "object",
    "required": ["email"],
    "properties": {
        "email": {"type": "string", "pattern": "^[^ ]+$"},
        "phone": PHONE,
        "tier": {"enum": ["gold", "silver"]},
        "seats": {"type": "integer"},
        "items": {
            "type": "array",
            "items": {"type": "object", "properties": {"phone": PHONE}},
        },
    },
}
CLOSED = {**CONTRACT, "additionalProperties": False}
EMAIL = {"email": "ada@example.com"}


FACTS = {"email": '"x"', "tier": '"pro"', "message": '"x"'}
WORKFLOW = compiled(contract=CONTRACT, facts=FACTS)


def amend(
    payload: Any, *steps: dict[str, Any], contract: dict[str, Any] = CONTRACT
) -> Amended | Rejected | None:
    verdict = validate_or_amend(payload, compiled(contract=contract, amend=steps, facts=FACTS))
    return verdict if isinstance(verdict, Amended | Rejected) else None


def amended(payload: Any, *steps: dict[str, Any], contract: dict[str, Any] = CONTRACT) -> Any:
    verdict = amend(payload, *steps, contract=contract)
    assert isinstance(verdict, Amended), verdict
    return verdict.payload


def test_a_good_phone_number_stays_in_an_event_that_broke_for_another_field() -> None:
    payload = {**EMAIL, "tier": "Gold ", "phone": "+4930123456"}

    verdict = amend(payload, {"drop": "phone"}, {"map": "tier", "values": {"Gold ": "gold"}})

    assert verdict == Amended(payload={**EMAIL, "tier": "gold", "phone": "+4930123456"}, steps=(1,))


def test_of_a_list_only_the_items_that_break_are_changed() -> None:
    payload = {**EMAIL, "items": [{"phone": "+4930123456"}, {"phone": ""}, {"phone": "+4930000"}]}

    assert amended(payload, {"drop": "items.*.phone"})["items"] == [
        {"phone": "+4930123456"},
        {},
        {"phone": "+4930000"},
    ]


@pytest.mark.parametrize(
    ("payload", "step", "becomes"),
    [
        ({"mail": "a@b.c"}, {"rename": "mail", "to": "email"}, {"email": "a@b.c"}),
        (
            {"contact": {"mail": "a@b.c", "town": "Oslo"}},
            {"move": "contact.mail", "to": "email"},
            {"contact": {"town": "Oslo"}, "email": "a@b.c"},
        ),
        (
            {},
            {"set": "email", "value": "a@b.c", "reason": "the desk's own"},
            {"email": "a@b.c"},
        ),
    ],
)
def test_a_missing_required_field_is_the_place_of_a_step_that_fills_it(
    payload: dict[str, Any], step: dict[str, Any], becomes: object
) -> None:
    assert amended(payload, step) == becomes


@pytest.mark.parametrize(
    ("step", "becomes"),
    [
        ({"drop": "utm"}, {}),
        ({"rename": "utm", "to": "tier"}, {"tier": "gold"}),
    ],
)
def test_a_field_that_is_not_declared_is_a_broken_place(
    step: dict[str, Any], becomes: dict[str, Any]
) -> None:
    assert amended({**EMAIL, "utm": "gold"}, step, contract=CLOSED) == {**EMAIL, **becomes}


def test_what_is_in_an_undeclared_object_is_broken_with_it() -> None:
    payload = {"contact": {"mail": "a@b.c", "town": "Oslo"}}
    steps = ({"move": "contact.mail", "to": "email"}, {"drop": "contact"})

    assert amended(payload, *steps, contract=CLOSED) == {"email": "a@b.c"}


def test_a_step_sees_what_the_steps_before_it_made() -> None:
    payload = {**EMAIL, "level": "Gold"}
    contract = {**CONTRACT, "required": ["email", "tier"]}
    steps = ({"rename": "level", "to": "tier"}, {"map": "tier", "values": {"Gold": "gold"}})

    assert amended(payload, *steps, contract=contract) == {**EMAIL, "tier": "gold"}


def test_a_place_that_an_earlier_step_mended_is_left_alone_by_the_next() -> None:
    payload = {**EMAIL, "tier": "Gold"}
    steps = ({"map": "tier", "values": {"Gold": "gold"}}, {"drop": "tier"})

    assert amended(payload, *steps) == {**EMAIL, "tier": "gold"}


def test_an_object_that_only_holds_what_breaks_is_not_taken_out() -> None:
    contract = {
        "type": "object",
        "properties": {"contact": {"type": "object", "properties": {"phone": PHONE}}},
    }
    payload = {"contact": {"phone": "", "name": "Ada"}}

    assert isinstance(amend(payload, {"drop": "contact"}, contract=contract), Rejected)


def test_more_places_than_a_quarantine_lists_are_mended() -> None:
    payload = {**EMAIL, "items": [{"phone": one} for one in ["", "+4930123456"] * 1_500]}

    assert (
        amended(payload, {"drop": "items.*.phone"})["items"]
        == [
            {},
            {"phone": "+4930123456"},
        ]
        * 1_500
    )


FORM = {
    "type": "object",
    "properties": {
        "items": {"type": "array", "items": {"type": "object"}},
        "meta": {"type": "object"},
        "email": {"type": "string", "format": "email"},
        "phone": PHONE,
        "when": {"type": "string", "format": "date-time"},
        "tier": {"enum": ["gold", "silver"]},
        "price": {"type": "number"},
        "tags": {"type": "array", "items": {"type": "string"}},
    },
}
MENDS = (
    {"wrap": "items"},
    {"convert": "meta", "to": "object"},
    {"trim": "email"},
    {"trim": "tier"},
    {"case": "tier", "to": "lower"},
    {"trim": "phone"},
    {"drop": "phone", "if": ""},
    {"convert": "when", "to": "date-time", "zone": "Europe/Berlin"},
    {"convert": "price", "to": "number", "decimal": ","},
    {"split": "tags", "by": ","},
)


@pytest.mark.parametrize(
    ("broken", "mended"),
    [
        (
            {"items": {"0": {"sku": "a"}, "1": {"sku": "b"}}, "meta": {}},
            {"items": [{"sku": "a"}, {"sku": "b"}], "meta": {}},
        ),
        ({"items": {"sku": "a"}, "meta": {}}, {"items": [{"sku": "a"}], "meta": {}}),
        ({"items": [], "meta": []}, {"items": [], "meta": {}}),
        ({"email": " ada@example.com"}, {"email": "ada@example.com"}),
        ({"when": "2026-03-01 10:22:33"}, {"when": "2026-03-01T10:22:33+01:00"}),
        ({"phone": ""}, {}),
        ({"phone": "  "}, {}),
        ({"tier": "Gold ", "phone": "+4930123456"}, {"tier": "gold", "phone": "+4930123456"}),
        ({"price": "12,50", "phone": " +4930123456"}, {"price": 12.5, "phone": " +4930123456"}),
        ({"tags": "a, b"}, {"tags": ["a", "b"]}),
    ],
)
def test_what_forms_send_every_day_is_mended_by_one_standing_amendment(
    broken: dict[str, Any], mended: dict[str, Any]
) -> None:
    assert amended(broken, *MENDS, contract=FORM) == mended


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (
            {"when": "2026-03-29 02:30:00"},
            "/when: it cannot become date-time: clocks in Europe/Ber",
        ),
        ({"when": "2026-10-25 02:30:00"}, "showed that time twice"),
        ({"items": {"0": {}, "2": {}}}, "/items: it cannot become a list"),
        ({"phone": "123"}, "is shorter than 5 characters"),
    ],
)
def test_what_would_have_to_be_guessed_stays_in_quarantine_as_it_came_and_is_told(
    payload: dict[str, Any], said: str
) -> None:
    verdict = amend(payload, *MENDS, contract=FORM)

    assert isinstance(verdict, Rejected)
    assert said in verdict.detail


def test_a_copy_is_made_before_what_is_not_declared_is_taken_out() -> None:
    steps = (
        {"split": "name", "by": " ", "into": ["first", "last"]},
        {"set": "phone", "from": "tel"},
        {"drop": "name"},
        {"drop": "tel"},
    )
    declared = {"first": {"type": "string"}, "last": {"type": "string"}, "phone": PHONE}
    contract = {"type": "object", "additionalProperties": False, "properties": declared}

    assert amended({"name": "Ada Byron", "tel": "+4930123456"}, *steps, contract=contract) == {
        "first": "Ada",
        "last": "Byron",
        "phone": "+4930123456",
    }


NULL_OR_CONTACT = {
    "anyOf": [
        {"type": "null"},
        {"type": "object", "properties": {"phone": PHONE, "name": {"type": "string"}}},
    ]
}
CARD_OR_BANK = {
    "oneOf": [
        {
            "required": ["kind", "number"],
            "properties": {"kind": {"const": "card"}, "note": {"maxLength": 3}},
        },
        {
            "required": ["kind", "iban"],
            "properties": {"kind": {"enum": ["bank"]}, "note": {"minLength": 5}},
        },
    ]
}
MAIL_OR_PHONE = {"anyOf": [{"required": ["email"]}, {"required": ["phone"]}]}


@pytest.mark.parametrize(
    ("schema", "value", "step", "becomes"),
    [
        (NULL_OR_CONTACT, {"phone": "", "name": "A"}, {"drop": "a.phone"}, {"name": "A"}),
        (NULL_OR_CONTACT, {"phone": "", "name": "A"}, {"drop": "a.name"}, None),
        (NULL_OR_CONTACT, {"phone": "", "name": "A"}, {"drop": "a"}, None),
        (NULL_OR_CONTACT, "", {"map": "a", "values": {"": None}}, None.__class__),
        (
            CARD_OR_BANK,
            {"kind": "card ", "number": "1", "note": "none"},
            {"drop": "a.note"},
            None,
        ),
        (
            CARD_OR_BANK,
            {"kind": "card", "number": "1", "note": "none"},
            {"drop": "a.note"},
            {"kind": "card", "number": "1"},
        ),
        (
            CARD_OR_BANK,
            {"kind": "card ", "number": "1"},
            {"map": "a.kind", "values": {"card ": "card"}},
            {"kind": "card", "number": "1"},
        ),
        (MAIL_OR_PHONE, {"tel": "1"}, {"rename": "a.tel", "to": "a.phone"}, {"phone": "1"}),
    ],
)
def test_of_alternatives_a_place_breaks_that_is_good_in_none_that_may_be_meant(
    schema: dict[str, Any], value: Any, step: dict[str, Any], becomes: Any
) -> None:
    contract = {"type": "object", "required": ["a"], "properties": {"a": schema}}
    verdict = amend({"a": value}, step, contract=contract)

    if becomes is None:
        assert isinstance(verdict, Rejected)
    else:
        assert isinstance(verdict, Amended)
        assert verdict.payload == {"a": None if becomes is type(None) else becomes}


VALUES: dict[str, list[Any]] = {
    "email": ["ada@example.com", "a b", 5],
    "phone": ["+4930123456", "", None, "12"],
    "tier": ["gold", "silver", "Gold ", "", None],
    "seats": [3, "3", "x", 2.5],
}
_STEPS: list[dict[str, Any]] = [
    *({"drop": name} for name in (*VALUES, "items.*.phone", "items.*", "items", "items.0")),
    {"map": "tier", "values": {"Gold ": "gold", "gold": "silver", "": "silver"}},
    {"map": "phone", "values": {"": "+49300000", "+4930123456": "+49301111"}},
    {"map": "email", "values": {"a b": "a@b", "ada@example.com": "b@b"}},
    {"convert": "seats", "to": "integer"},
    {"convert": "phone", "to": "string"},
    {"trim": "phone"},
    {"case": "tier", "to": "upper"},
    {"wrap": "phone"},
    {"wrap": "items"},
    {"split": "email", "by": "@"},
    {"set": "phone", "from": "email", "replace": True},
    {"set": "tier", "value": "silver", "replace": True, "reason": "the desk says so"},
    {"drop": "phone", "if": ["", "+4930123456"]},
    {"convert": "seats", "to": "string"},
    {"convert": "items.*.phone", "to": "string"},
    {"map": "items.*.phone", "values": {"": "+49300000", "+4930123456": "+49301111"}},
]
_PAYLOADS = st.fixed_dictionaries(
    {},
    optional={
        **{name: st.sampled_from(values) for name, values in VALUES.items()},
        "items": st.lists(
            st.fixed_dictionaries({}, optional={"phone": st.sampled_from(VALUES["phone"])}),
            max_size=3,
        ),
    },
)


def good(name: str, value: Any) -> bool:
    """What the contract says of each field, said once more."""
    match name:
        case "email":
            return isinstance(value, str) and " " not in value
        case "phone":
            return isinstance(value, str) and len(value) >= 5
        case "tier":
            return value in ("gold", "silver")
    return isinstance(value, int | float) and float(value).is_integer()


def fits(payload: dict[str, Any], steps: list[dict[str, Any]]) -> bool:
    """Whether the steps find something to change, and none of them refuses what it finds."""
    try:
        mend_broken(payload, recipe_of(steps), judge_of(WORKFLOW))
    except Refused:
        return False
    return True


@st.composite
def amendments(draw: st.DrawFn) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A payload, and steps of which the first changes it and none refuses it."""
    payload, steps = draw(_PAYLOADS), list[dict[str, Any]]()
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, len(_STEPS) - 1))
        turned = (*_STEPS[start:], *_STEPS[:start])
        fitting = (step for step in turned if fits(payload, [*steps, step]))
        step = next(fitting, None)
        assume(step is not None)
        steps += [step] if step else []
    return payload, steps


@settings(max_examples=400, deadline=None)
@given(amendments())
def test_an_amendment_never_changes_a_place_that_does_not_break(
    amendment: tuple[dict[str, Any], list[dict[str, Any]]],
) -> None:
    payload, steps = amendment
    before = copy.deepcopy(payload)

    after: Any = mend_broken(payload, recipe_of(steps), judge_of(WORKFLOW)).payload

    assert payload == before
    for name in VALUES:
        if name in before and good(name, before[name]):
            assert after[name] == before[name], name
    for old, new in zip(before.get("items", []), after.get("items", []), strict=True):
        if good("phone", old.get("phone")):
            assert new["phone"] == old["phone"]


def test_a_copy_never_writes_over_a_good_value_because_its_source_is_bad() -> None:
    payload = {"email": "a b", "phone": "+4930123456", "items": []}
    steps = [{"set": "phone", "from": "email", "replace": True}]

    with pytest.raises(Refused):
        mend_broken(payload, recipe_of(steps), judge_of(WORKFLOW))
