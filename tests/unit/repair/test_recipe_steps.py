"""Each step of a recipe on what forms send every day, and on what nobody should send."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.domain.errors import InvalidFile, Refused
from orchestrator.domain.recipes.file import parse_recipe, recipe_of
from orchestrator.domain.recipes.options import steps_of_options
from orchestrator.domain.recipes.recipe import MOST_WRITTEN, apply_recipe
from orchestrator.domain.workflows.workflow import Workflow
from tests.unit.example import changed

BERLIN = {"to": "date-time", "zone": "Europe/Berlin"}
GERMAN = {**BERLIN, "format": "%d.%m.%Y %H:%M"}
DAY = {"to": "date", "format": "%d.%m.%Y"}
NAMED = {"to": "date-time", "zone": "UTC", "format": "%a %d %b %Y %H:%M"}
SECONDS = {"to": "date-time", "format": "seconds"}
UNCHANGED = object()


def mend(payload: Any, *steps: dict[str, Any]) -> Any:
    return apply_recipe(payload, recipe_of(steps)).payload


def at(value: Any, step: dict[str, Any]) -> Any:
    """What a step of the path `a` makes of a value there."""
    try:
        return mend({"a": value, "z": 1}, step).get("a")
    except Refused as refused:
        if refused.code == "nothing_to_change":
            return UNCHANGED
        raise


@pytest.mark.parametrize(
    ("step", "value", "becomes"),
    [
        ({"trim": "a"}, " ada@example.com", "ada@example.com"),
        ({"trim": "a"}, "\ufeff\u00a0Gold\u200b\r\n", "Gold"),
        ({"trim": "a"}, "a b", UNCHANGED),
        ({"trim": "a"}, "  ", ""),
        ({"trim": "a"}, 5, UNCHANGED),
        ({"trim": "a"}, None, UNCHANGED),
        ({"trim": "a"}, [" x"], UNCHANGED),
        ({"trim": "a.*"}, [" x", 5], ["x", 5]),
        ({"case": "a", "to": "lower"}, "Gold", "gold"),
        ({"case": "a", "to": "upper"}, "straße", "STRASSE"),
        ({"case": "a", "to": "upper"}, True, UNCHANGED),
        ({"wrap": "a"}, {"sku": "a"}, [{"sku": "a"}]),
        ({"wrap": "a"}, {"0": {"sku": "a"}, "1": {"sku": "b"}}, [{"sku": "a"}, {"sku": "b"}]),
        ({"wrap": "a"}, {"1": "y", "0": "x"}, ["x", "y"]),
        ({"wrap": "a"}, {str(n): n for n in range(11)}, list(range(11))),
        ({"wrap": "a"}, {"1": "x", "2": "y"}, ["x", "y"]),
        ({"wrap": "a", "gaps": "close"}, {"3": "x", "10": "y"}, ["x", "y"]),
        ({"wrap": "a"}, {}, []),
        ({"wrap": "a"}, "x", ["x"]),
        ({"wrap": "a"}, {"01": "x"}, [{"01": "x"}]),
        ({"wrap": "a"}, ["x"], UNCHANGED),
        ({"wrap": "a"}, None, UNCHANGED),
        ({"convert": "a", "to": "array"}, {"0": "x"}, ["x"]),
        ({"convert": "a", "to": "array"}, {}, []),
        ({"convert": "a", "to": "object"}, [], {}),
        ({"convert": "a", "to": "object"}, {"x": 1}, UNCHANGED),
        ({"split": "a", "by": ","}, "x, y,,z ", ["x", "y", "", "z"]),
        ({"split": "a", "by": ","}, " ", []),
        ({"split": "a", "by": " "}, "x  y", ["x", "y"]),
        ({"split": "a", "by": ","}, ["x"], UNCHANGED),
        ({"join": "a", "by": ", "}, ["x", " ", 5, 2.5], "x, 5, 2.5"),
        ({"join": "a", "by": ", "}, "x", UNCHANGED),
        ({"convert": "a", "to": "number", "decimal": ","}, "12,50", 12.5),
        ({"convert": "a", "to": "number", "decimal": ","}, "-3", -3),
        ({"convert": "a", "to": "number", "decimal": ",", "group": "."}, "1.234.567,5", 1234567.5),
        ({"convert": "a", "to": "integer", "group": " "}, "1\u202f234", 1234),
        ({"convert": "a", "to": "number", "group": "'"}, "1\u2019234.5", 1234.5),
        ({"convert": "a", **BERLIN}, "2026-03-01 10:22:33", "2026-03-01T10:22:33+01:00"),
        ({"convert": "a", **BERLIN}, "2026-07-01T10:22", "2026-07-01T10:22:00+02:00"),
        ({"convert": "a", **BERLIN}, "2026-03-01T10:22:33+00:00", "2026-03-01T10:22:33Z"),
        ({"convert": "a", **GERMAN}, "01.03.2026 10:22", "2026-03-01T10:22:00+01:00"),
        ({"convert": "a", **GERMAN}, "1.3.2026 9:05", "2026-03-01T09:05:00+01:00"),
        ({"convert": "a", **DAY}, "1.3.2026", "2026-03-01"),
        ({"convert": "a", "to": "date", "format": "%d %b %y"}, "1 SEP 26", "2026-09-01"),
        (
            {"convert": "a", "to": "date", "format": "%d.%m.%Y %I:%M %p"},
            "01.03.2026 11:30 PM",
            "2026-03-01",
        ),
        ({"convert": "a", **SECONDS}, "1772360553", "2026-03-01T10:22:33Z"),
        ({"convert": "a", **SECONDS}, 1772360553.25, "2026-03-01T10:22:33.250000Z"),
        ({"convert": "a", **SECONDS}, -1, "1969-12-31T23:59:59Z"),
        ({"drop": "a", "if": ""}, "", None),
        ({"drop": "a", "if": ""}, " ", UNCHANGED),
        ({"drop": "a", "if": ""}, 0, UNCHANGED),
        ({"drop": "a", "if": None}, "", UNCHANGED),
        ({"drop": "a", "if": 0}, False, UNCHANGED),
        ({"drop": "a", "if": 0}, 0.0, None),
        ({"drop": "a", "if": ["-", "n/a", None]}, "n/a", None),
        ({"drop": "a", "if": ["-", "n/a"]}, "x", UNCHANGED),
        ({"drop": "a", "if": []}, [], None),
        ({"drop": "a", "if": []}, "", UNCHANGED),
        ({"drop": "a", "if": {}}, {}, None),
    ],
)
def test_a_step_makes_exactly_this_of_a_value(
    step: dict[str, Any], value: Any, becomes: Any
) -> None:
    made = at(value, step)

    assert made is UNCHANGED if becomes is UNCHANGED else made == becomes
    assert type(made) is type(becomes)


def test_a_condition_of_null_takes_null_out_and_nothing_else() -> None:
    assert mend({"a": None, "b": ""}, {"drop": "a", "if": None}, {"drop": "b", "if": None}) == {
        "b": ""
    }


def test_of_a_list_only_the_entries_that_are_meant_are_dropped() -> None:
    assert mend({"a": ["x", "", None, ""]}, {"drop": "a.*", "if": ["", None]}) == {"a": ["x"]}


@pytest.mark.parametrize(
    ("step", "value", "said"),
    [
        (BERLIN, "2026-03-29 02:30:00", "never showed that time"),
        (BERLIN, "2026-10-25 02:30:00", "showed that time twice"),
        (BERLIN, "2026-03-01", "no time of day"),
        (BERLIN, "0001-01-01 00:00:00", "past the calendar"),
        ({"to": "date-time"}, "2026-03-01 10:22:33", "no offset from UTC"),
        (GERMAN, "29.03.2026 02:30", "never showed that time"),
        (GERMAN, "25.10.2026 02:30", "showed that time twice"),
        (GERMAN, "30.02.2026 10:22", "no such time"),
        (GERMAN, "01.03.2026 24:00", "no such time"),
        (GERMAN, "01.03.26 10:22", "not written"),
        (GERMAN, "01.03.2026 10:22 Uhr", "not written"),
        (GERMAN, "01.03.2026  10:22", "not written"),
        (GERMAN, "\u0660\u0661.03.2026 10:22", "not written"),
        (GERMAN, 1772360553, "not text written"),
        ({**BERLIN, "format": "%Y%m%d %H:%M"}, "2026111 10:22", "not written"),
        ({**BERLIN, "format": "%a %d.%m.%Y %H:%M"}, "Mon 01.03.2026 10:22", "day of the week"),
        (NAMED, "Tue 1 \u017fep 2026 10:22", "not written"),
        (NAMED, "\u017fun 1 Mar 2026 10:22", "not written"),
        (DAY, "01.03.26", "not a date written"),
        (DAY, "30.02.2026", "not a date written"),
        (DAY, "01.03.2026 10:22", "not a date written"),
        (DAY, 20260301, "not a date written"),
        ({**DAY, "format": "%d.%m.%Y %H:%M"}, "01.03.2026 25:00", "not a date written"),
        (SECONDS, "1e9", "not a count"),
        (SECONDS, "12 min", "not a count"),
        (SECONDS, 10**19, "past the calendar"),
        ({"to": "number", "decimal": ","}, "12.50", "not a number written so"),
        ({"to": "number", "decimal": ","}, "1.234,50", "not a number written so"),
        ({"to": "number", "decimal": ","}, "12,50 €", "not a number written so"),
        ({"to": "number", "decimal": ",", "group": "."}, "1.23", "not a number written so"),
        ({"to": "number", "decimal": ",", "group": "."}, "1234.567", "not a number written so"),
        ({"to": "integer", "decimal": ","}, "12,5", "not a whole number"),
        ({"to": "number"}, "0.10000000000000000001", "more digits"),
        ({"to": "object"}, ["x"], "neither an object"),
        ({"to": "array"}, {"sku": "a"}, "not the numbers of entries"),
        ({"to": "array"}, "x", "not a list"),
    ],
)
def test_what_would_have_to_be_guessed_is_refused(
    step: dict[str, Any], value: Any, said: str
) -> None:
    with pytest.raises(Refused, match=said) as refused:
        mend({"a": value}, {"convert": "a", **step})

    assert refused.value.field == "/a"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"0": 1, "2": 2}, "gaps between them"),
        ({"1001": 1}, "do not begin with 0 or 1"),
        ({"0": 1, "length": 1}, "some of its keys are numbers and some are not"),
    ],
)
def test_an_object_that_may_be_a_list_or_not_is_refused(value: Any, said: str) -> None:
    with pytest.raises(Refused, match=said):
        mend({"a": value}, {"wrap": "a"})


NAME = {"split": "name", "by": " ", "into": ["first", "last"]}
FULL = {"join": "name", "from": ["first", "last"], "by": " "}


@pytest.mark.parametrize(
    ("payload", "step", "becomes"),
    [
        ({"tel": "1"}, {"set": "phone", "from": "tel"}, {"tel": "1", "phone": "1"}),
        (
            {"cur": "EUR", "items": [{}, {"cur": "USD"}]},
            {"set": "items.*.cur", "from": "cur"},
            {"cur": "EUR", "items": [{"cur": "EUR"}, {"cur": "USD"}]},
        ),
        (
            {"a": 1, "b": 2},
            {"set": "b", "from": "a", "replace": True},
            {"a": 1, "b": 1},
        ),
        (
            {"a": 1},
            {"set": "a", "value": 2, "replace": True, "reason": "the desk says so"},
            {"a": 2},
        ),
        (
            {"a": [1, {"b": 0}]},
            {"set": "a", "value": [True, {"b": False}], "replace": True, "reason": "the desk"},
            {"a": [True, {"b": False}]},
        ),
        ({"name": "Ada Byron"}, NAME, {"name": "Ada Byron", "first": "Ada", "last": "Byron"}),
        (
            {"name": "Ada Byron", "first": "A."},
            NAME,
            {"name": "Ada Byron", "first": "A.", "last": "Byron"},
        ),
        (
            {"first": " Ada", "last": "Byron"},
            FULL,
            {"first": " Ada", "last": "Byron", "name": "Ada Byron"},
        ),
        ({"first": "Ada", "last": ""}, FULL, {"first": "Ada", "last": "", "name": "Ada"}),
    ],
)
def test_a_value_is_made_of_other_fields(
    payload: dict[str, Any], step: dict[str, Any], becomes: dict[str, Any]
) -> None:
    assert repr(mend(payload, step)) == repr(becomes)  # for True equals 1


@pytest.mark.parametrize(
    ("payload", "step"),
    [
        ({"tel": "1", "phone": "2"}, {"set": "phone", "from": "tel"}),
        ({"tel": "1", "phone": None}, {"set": "phone", "from": "tel"}),
        ({"tel": None}, {"set": "phone", "from": "tel"}),
        ({}, {"set": "phone", "from": "tel"}),
        ({"name": "Ada Byron", "first": "A", "last": "B"}, NAME),
        ({"name": " "}, NAME),
        ({"first": "Ada", "last": "Byron", "name": ""}, FULL),
        ({"first": "Ada"}, FULL),
    ],
)
def test_a_value_that_is_there_stays_and_what_is_absent_makes_nothing(
    payload: dict[str, Any], step: dict[str, Any]
) -> None:
    with pytest.raises(Refused, match="no step finds anything"):
        mend(payload, step)


@pytest.mark.parametrize(
    ("payload", "step", "said"),
    [
        ({"name": "Ada King Byron"}, NAME, "3 parts, and `into` names 2"),
        ({"name": 5}, NAME, "not text to split"),
        ({"first": "Ada", "last": {}}, FULL, "neither text nor a number"),
        ({"a": ["x", None]}, {"join": "a", "by": ","}, "neither text nor a number"),
    ],
)
def test_parts_that_do_not_fit_are_refused(
    payload: dict[str, Any], step: dict[str, Any], said: str
) -> None:
    with pytest.raises(Refused, match=said):
        mend(payload, step)


def test_blanks_and_unseen_marks_in_turn_are_trimmed_at_once() -> None:
    blanks = "".join(chr(code) for code in range(0x3001) if chr(code).isspace())

    assert at(f"{blanks}\u200b{blanks} x\ufeff{blanks}", {"trim": "a"}) == "x"
    assert at(" \u200b" * 1_000_000 + "x", {"trim": "a"}) == "x"


def test_copies_of_copies_do_not_fill_the_memory() -> None:
    copies = [
        {"join": to, "from": [of, f"{of}"[:1]], "by": "-", "replace": True}
        for to, of in [("a", "b"), ("b", "a")] * 25
    ]

    with pytest.raises(Refused, match=f"writes more than {MOST_WRITTEN:,} bytes"):
        mend({"a": "x" * 1000, "b": "x" * 1000}, *copies)


def test_a_recipe_leaves_nothing_that_nests_without_end() -> None:
    place, steps = "a", []
    for _ in range(4):
        deeper = ".".join(["b"] * 40)
        steps += [{"move": place, "to": deeper}, {"move": "b", "to": "a"}]

    with pytest.raises(Refused, match="deeper than 100 levels"):
        mend({"a": {}}, *steps)


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ({"case": "a"}, "`case` needs `to`"),
        ({"case": "a", "to": "title"}, "not a case"),
        ({"split": "a"}, "`split` needs `by`"),
        ({"split": "a", "by": ""}, "it is empty"),
        ({"split": "a", "by": ",", "into": ["b"]}, "too few"),
        ({"split": "a", "by": ",", "into": ["b", "b"]}, "names a field twice"),
        ({"split": "a", "by": ",", "into": ["b", "a.c"]}, "in each other"),
        ({"split": "a.*.n", "by": ",", "into": ["b", "c"]}, "as many places"),
        ({"join": "a"}, "`join` needs `by`"),
        ({"join": "a", "from": "b", "by": ","}, "`from` is one field"),
        ({"join": "a", "by": ",", "replace": True}, "`replace` is for"),
        ({"set": "a", "from": ["b", "c"]}, "`from` is a list"),
        ({"set": "a", "from": "a.b"}, "in each other"),
        ({"set": "a", "from": "b..c"}, "empty step"),
        ({"set": "a", "from": "b.*.c"}, "as many places"),
        ({"set": "a", "from": "b", "value": 1}, "`set` takes no `value`"),
        ({"trim": "a", "to": "b"}, "`trim` takes no `to`"),
        ({"wrap": "a", "gaps": "open"}, "not one of its values"),
        ({"wrap": "a", "if": ""}, "`wrap` takes no `if`"),
        ({"convert": "a", "to": "date", "zone": "UTC"}, "only a date-time has a `zone`"),
        ({"convert": "a", "to": "string", "decimal": ","}, "only a number or integer"),
        ({"convert": "a", "to": "number", "decimal": ",", "group": ","}, "are both"),
        ({"convert": "a", "to": "date-time", "zone": "Europe/Berlino"}, "not a time zone"),
        ({"convert": "a", "to": "date-time", "zone": "../UTC"}, "not a time zone"),
        ({"convert": "a", **SECONDS, "zone": "UTC"}, "same in every zone"),
        ({"convert": "a", "to": "date-time", "format": "%d.%m.%Y"}, "says no hour"),
        ({"convert": "a", "to": "date-time", "format": "%x %H:%M"}, "`%x` is not known"),
        ({"convert": "a", "to": "date-time", "format": "YYYY-MM-DD"}, "says no year"),
        ({"convert": "a", "to": "date", "format": "%Y"}, "says no month"),
        ({"convert": "a", "to": "date", "format": "%d.%m"}, "says no year"),
        ({"convert": "a", "to": "date", "format": "%d %d.%m.%Y"}, "there twice"),
        ({"convert": "a", "to": "date", "format": "%x"}, "`%x` is not known"),
        ({"convert": "a", "to": "date", "format": "seconds"}, "says no year"),
        ({"convert": "a", "to": "date", "format": "%d.%m.%Y %I:%M"}, "%I without %p"),
        ({"convert": "a", "to": "date-time", "format": "%d.%d.%m.%Y %H:%M"}, "there twice"),
    ],
)
def test_every_fault_of_a_new_step_is_named(step: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidFile) as refused:
        recipe_of([step])

    assert said in str(refused.value)


NEW_STEPS = """\
- {trim: email}
- {case: tier, to: lower}
- {wrap: items, gaps: close}
- {split: tags, by: ','}
- {split: name, by: ' ', into: [first, last]}
- {join: full, from: [first, last], by: ' '}
- {convert: when, to: date-time, format: '%d.%m.%Y %H:%M', zone: Europe/Berlin}
- {convert: price, to: number, decimal: ',', group: .}
- {set: phone, from: tel, replace: true}
- {drop: phone, if: ''}
- {drop: fax, if: null}
- {drop: fax, if: ['-', null]}
"""


def test_new_steps_are_kept_as_they_were_written() -> None:
    recipe = parse_recipe(NEW_STEPS, name="fix.yaml")
    described: Any = recipe.describe()["steps"]

    assert described[5] == {"join": "full", "from": ["first", "last"], "by": " "}
    assert described[9:] == [
        {"drop": "phone", "if": ""},
        {"drop": "fax", "if": None},
        {"drop": "fax", "if": ["-", None]},
    ]
    assert recipe_of(described).steps == recipe.steps


def test_a_version_with_new_steps_is_read_as_it_was_published() -> None:
    steps = parse_recipe(NEW_STEPS, name="fix.yaml").describe()["steps"]
    workflow = Workflow.from_definition(changed(amend=steps))

    assert workflow.definition()["amend"] == steps
    assert Workflow.from_published(workflow.definition()).amend == workflow.amend


def test_options_make_the_new_steps_in_their_order() -> None:
    assert steps_of_options(
        drop_ifs=["phone=", "fax=null"],
        copies=["phone=tel"],
        converts=["when=date-time:%d.%m.%Y %H:%M", "price=number:,.", "n=integer"],
        joins=["list=, "],
        splits=["tags=,"],
        wraps=["items"],
        cases=["tier=lower"],
        trims=["email"],
        zone="Europe/Berlin",
    ) == [
        {"trim": "email"},
        {"case": "tier", "to": "lower"},
        {"wrap": "items"},
        {"split": "tags", "by": ","},
        {"join": "list", "by": ", "},
        {
            "convert": "when",
            "to": "date-time",
            "format": "%d.%m.%Y %H:%M",
            "zone": "Europe/Berlin",
        },
        {"convert": "price", "to": "number", "decimal": ",", "group": "."},
        {"convert": "n", "to": "integer"},
        {"set": "phone", "from": "tel"},
        {"drop": "phone", "if": ""},
        {"drop": "fax", "if": None},
    ]


def test_a_zone_that_no_step_has_a_use_for_is_refused() -> None:
    with pytest.raises(Refused, match="no step has a use"):
        steps_of_options(trims=["a"], zone="UTC")
