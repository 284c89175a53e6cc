"""A recipe as a person types it says the same as on the command line or in a file."""

from __future__ import annotations

import pytest
import typer

from orchestrator.cli.main import app
from orchestrator.domain.errors import Refused
from orchestrator.domain.recipes.options import OPTIONS
from orchestrator.domain.recipes.text import OPTION_NAMES, recipe_of_text


def test_every_step_of_the_command_line_can_be_typed() -> None:
    command = typer.main.get_command(app).commands["quarantine"].commands["recipe"]  # type: ignore[attr-defined]
    known = {name for one in command.params for name in one.opts}

    assert set(OPTION_NAMES.values()) == set(OPTIONS)
    assert set(OPTION_NAMES) <= known


@pytest.mark.parametrize(
    "text",
    [
        "--rename customer_tier=tier --map tier=gold:enterprise --map tier=silver:pro",
        "  --rename=customer_tier=tier\n\n--map 'tier=gold:enterprise'\n--map tier=silver:pro\n",
        """
        steps:
        - {rename: customer_tier, to: tier}
        - {map: tier, values: {gold: enterprise, silver: pro}}
        """,
        """
        [{"rename": "customer_tier", "to": "tier"},
         {"map": "tier", "values": {"gold": "enterprise", "silver": "pro"}}]
        """,
    ],
    ids=("options", "lines", "yaml", "json"),
)
def test_options_and_files_say_the_same(text: str) -> None:
    assert recipe_of_text(text).describe() == {
        "steps": [
            {"rename": "customer_tier", "to": "tier"},
            {"map": "tier", "values": {"gold": "enterprise", "silver": "pro"}},
        ]
    }


def test_a_default_has_the_reason_that_is_given_beside_it() -> None:
    made = recipe_of_text("--set tier=pro --set-from phone=mobile", note="agreed with sales")

    assert made.note == "agreed with sales"
    assert made.describe()["steps"][0]["reason"] == "agreed with sales"  # type: ignore[index]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "it has no step"),
        ("--renam a=b", "'--renam' is not a step; write `--rename`"),
        ("--trim a --rename", "--rename has no value"),
        ("--trim 'a", "close every quotation mark"),
        ("--trim a b", "'b' is not a step"),
        ("--rename ab", "is not of the form old=new"),
        ("--set tier=pro", "a default needs a reason"),
        ("--trim a --zone Europe/Berlin", "no step has a use for it"),
        ("rename a b", "it is not a recipe"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_to_write(text: str, told: str) -> None:
    with pytest.raises(Refused) as refused:
        recipe_of_text(text)

    assert told in str(refused.value)
