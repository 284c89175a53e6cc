from __future__ import annotations

import pytest

from orchestrator.domain.documents import strict_yaml
from orchestrator.domain.text.hints import did_you_mean, in_yaml, nearest, renames


@pytest.mark.parametrize(
    ("unknown", "missing"),
    [
        ("customer_tier", "tier"),
        ("teir", "tier"),
        ("Tier", "tier"),
        ("e_mail", "email"),
        ("e-mail", "email"),
        ("emailAddress", "email"),
        ("firstName", "first_name"),
        ("tennant", "tenant"),
    ],
)
def test_a_renamed_field_is_known_by_its_old_name(unknown: str, missing: str) -> None:
    assert renames([unknown], [missing]) == {unknown: missing}
    assert renames([missing], [unknown]) == {missing: unknown}


@pytest.mark.parametrize(
    ("unknown", "missing"),
    [("mail", "tier"), ("x", "y"), ("priority", "customer_tier"), ("$", "@"), ("user_id", "tier")],
)
def test_names_that_have_nothing_in_common_are_not_taken_for_each_other(
    unknown: str, missing: str
) -> None:
    assert renames([unknown], [missing]) == {}


def test_each_missing_name_is_hinted_at_once_and_by_the_likeliest() -> None:
    unknown, missing = ["old_customer_tier", "customer_tier", "mail"], ["email", "tier"]

    assert renames(unknown, missing) == {"customer_tier": "tier", "mail": "email"}


def test_an_unknown_name_is_answered_with_what_to_write() -> None:
    assert nearest("confrm", ["send", "confirm"]) == "confirm"
    assert did_you_mean("confrm", ["send", "confirm"]) == "write `confirm`"
    assert did_you_mean("zzz", ["send", "confirm"]) == "use one of `send`, `confirm`"
    assert did_you_mean("zzz", []) == "take it out"


@pytest.mark.parametrize(
    "text", ["data.tier", "data['it''s']", 'data.a == "it\'s"', "it's", "a: b"]
)
def test_a_text_in_yaml_is_read_as_that_text(text: str) -> None:
    assert strict_yaml.parse(f"{{value: {in_yaml(text)}, optional: true}}").value == {
        "value": text,
        "optional": True,
    }
