"""The examples of docs/reference/expressions.md give what the page says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from orchestrator.domain.contracts.contract import compile_contract
from orchestrator.domain.workflows.compile_facts import compile_facts
from orchestrator.domain.workflows.workflow import Fact

PAGE = (Path(__file__).parents[3] / "docs/reference/expressions.md").read_text()
_ROW = re.compile(
    r"^\| (?P<what>[^|]+) \| `(?P<text>.+)`(?P<optional> \(optional\))? \| "
    r"(`(?P<value>.+)`|absent) \|$"
)
_HEAD = "| what | expression | value |\n|---|---|---|\n"


def _rows() -> list[str]:
    """The rows of the page's tables of examples."""
    _, *tables = PAGE.split(_HEAD)
    return [line for table in tables for line in table.partition("\n\n")[0].splitlines()]


ROWS = _rows()
EXAMPLES = [found for row in ROWS if (found := _ROW.match(row))]


def _block(language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert found
    return found[1]


CONTRACT: dict[str, Any] = YAML(typ="safe").load(_block("yaml"))
PAYLOAD: dict[str, Any] = json.loads(_block("json"))


def test_the_payload_satisfies_the_contract() -> None:
    faults: list[Any] = []
    contract = compile_contract(CONTRACT, "assert", faults)

    assert faults == []
    assert contract is not None
    assert list(contract.violations(PAYLOAD)) == []


def test_the_page_has_its_examples() -> None:
    assert len(EXAMPLES) > 30
    assert [row for row in ROWS if not _ROW.match(row)] == []
    assert PAGE.count("| what | expression | value |") == PAGE.count(_HEAD)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["what"])
def test_an_example_gives_its_value(example: re.Match[str]) -> None:
    faults: list[Any] = []
    fact = Fact(value=example["text"], optional=bool(example["optional"]))
    facts = compile_facts({"it": fact}, CONTRACT, faults)

    assert faults == []
    expected = {"it": json.loads(example["value"])} if example["value"] else {}
    assert facts.read(PAYLOAD) == expected


def test_the_facts_from_facts_give_what_they_say() -> None:
    section = PAGE.partition("## Facts from facts")[2]
    block = re.search(r"^```yaml\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    assert block
    written = YAML(typ="safe").load(block[1])["facts"]
    faults: list[Any] = []

    facts = compile_facts(
        {name: Fact(value=one) for name, one in written.items()}, CONTRACT, faults
    )

    assert faults == []
    assert facts.read(PAYLOAD) == {
        "local_hour": 0,
        "in_hours": False,
        "full_name": "Ada King Lovelace",
        "greeting": "Dear Ada King Lovelace",
    }
