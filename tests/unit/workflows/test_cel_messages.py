"""What a person reads of an expression that is not CEL: what it is, and what CEL has instead."""

from __future__ import annotations

import re

import pytest
from cel_expr_python.cel import Type

from orchestrator.domain.workflows.cel.compile import Environment, Uncompilable

NAMES = {"seats": Type.INT, "tier": Type.STRING, "price": Type.DOUBLE, "lines": Type.List(Type.DYN)}
PARSERS_WORDS = re.compile(
    r"extraneous|mismatched|expecting|token recognition|viable|EOF|parsetree"
)


@pytest.mark.parametrize(
    ("text", "problem", "fix"),
    [
        ('tier = "pro"', "`=` is not CEL (column 6)", "`==`"),
        ('tier === "pro"', "`===`", "`==`"),
        ("seats <> 2", "`<>`", "`!=`"),
        ("seats => 2", "`=>`", "`>=`"),
        ("seats =< 2", "`=<`", "`<=`"),
        ('seats > 2 and tier == "pro"', "`and`", "`&&`"),
        ('seats > 2 AND tier == "pro"', "`AND`", "`&&`"),
        ("seats > 2 or true", "`or`", "`||`"),
        ("not (seats > 2)", "function `not`", "`!`"),
        ("not seats > 2", "`not`", "`!`"),
        ('tier not in ["pro"]', "`not in`", "`!(x in [...])`"),
        ("tier is null", "`is`", "`==`"),
        ("seats > 2 & seats < 5", "`&`", "`&&`"),
        ("tier | upper", "`|`", "`||`"),
        ("{{ tier }}", "`{{`", "without `{{`"),
        ("${tier}", "`${`", "without `${`"),
        ("$.tier", "`$`", "data.email"),
        ("@.tier", "`@.`", "data.email"),
        ("tier == \u201cpro\u201d", "\u201c", "straight quotes"),
        ('tier ?? "pro"', "`??`", "optional: true"),
        ("tier?.size()", "`?.`", "optional: true"),
        ("if seats > 2", "`if`", "`condition ? one : other`"),
        ('seats > 2 then "a" else "b"', "`then`", "`condition ? one : other`"),
        ('tier in ("pro", "free")', "`in (`", "square brackets"),
        ("seats > 1,5", "`,`", "decimal point"),
        ("seats between 1 and 2", "`between`", "x >= 1"),
        ('tier =~ "p.*"', "`=~`", "matches"),
        ('tier like "p%"', "`like`", "contains"),
        ("lines[0:2]", "`[0:`", "one number"),
        ("seats;", "`;`", "without `;`"),
        ("lines.map(l => l.sku)", "`=>`", "list.map(x, ...)"),
        ('tier == "pro', 'lacks its closing "', 'write "'),
        ("tier == 'it's'", "lacks its closing '", "the other quotes"),
        ("(seats > 2", "a `)` is missing", "as many"),
        ("seats > 2)", "a `(` is missing", "as many"),
        ("seats > 2 &&", "it ends after `&&`", "the rest"),
        ("Onboard new client", "`new` is not expected there (column 9)", "'\"text\"'"),
        ("len(tier)", "no function `len`", "`size(...)`"),
        ('tier.startswith("p")', "no function `startswith`", "`startsWith`"),
        ("now() > seats", "no function `now`", "no clock"),
        ("seats * 1.5", "a whole number and a decimal number", "double(...)"),
        ('"a" + seats', "text and a whole number", "string(...)"),
        ('tier || "x"', "`||` does not take text and text", "`+` joins texts"),
        ("tier.domain", "text has no fields", "before the dot"),
    ],
)
def test_a_sign_of_another_language_is_named_with_what_cel_has(
    text: str, problem: str, fix: str
) -> None:
    with pytest.raises(Uncompilable) as refused:
        Environment(NAMES).compile(text)

    assert problem in refused.value.problem
    assert fix in refused.value.fix


@pytest.mark.parametrize("text", ['tier == "a and b"', 'tier == "a = b" // = and $', "lines == []"])
def test_texts_and_comments_may_hold_every_sign(text: str) -> None:
    Environment(NAMES).compile(text)


def test_the_parsers_own_words_reach_nobody() -> None:
    whole = 'seats > 2 && tier.startsWith("p") ? [1, {"a": 2}] : lines.map(l, l.x)[0]'
    cuts = [
        text
        for cut in range(len(whole))
        for text in (whole[:cut], whole[cut:], f"{whole[:cut]}@{whole[cut:]}")
    ]

    refused = [said for text in cuts if (said := _refused(text))]

    assert len(refused) > 100
    assert [said for said in refused if PARSERS_WORDS.search(said)] == []


def _refused(text: str) -> str | None:
    try:
        Environment(NAMES).compile(text)
    except Uncompilable as error:
        return f"{error.problem}; {error.fix}"
    return None
