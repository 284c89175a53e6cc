"""Every shipped definition has its page, and no page claims more than a test shows."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.vendors.every import CASES

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "reference" / "connectors"
SHIPPED = sorted(path.stem for path in (ROOT / "connectors" / "definitions").glob("*.yaml"))

REAL = "against the real system"
DOCUMENT = "against the vendor's own published document"
STAND_IN = "from documentation only, against a stand-in"
PROTOCOL = "against a server of its protocol, made for the test"
OURS = "against our own tests; there is no other system"

shipped = pytest.mark.parametrize("name", SHIPPED)


@cache
def definition(name: str) -> dict[str, Any]:
    text = (ROOT / "connectors" / "definitions" / f"{name}.yaml").read_text("utf-8")
    found: dict[str, Any] = YAML(typ="safe").load(text)
    return found


def page(name: str) -> str:
    return (PAGES / f"{name}.md").read_text("utf-8")


def proof_of(name: str) -> str:
    match = re.search(r"(?m)^Proof: ([^.]+)\.", page(name))
    assert match, f"{name}.md does not say `Proof: ….`"
    return match[1]


def test_every_shipped_definition_has_its_page_and_every_page_its_definition() -> None:
    assert sorted(path.stem for path in PAGES.glob("*.md") if path.stem != "README") == SHIPPED


@shipped
def test_a_proof_is_no_better_than_the_tests_that_there_are(name: str) -> None:
    proof = proof_of(name)
    tested = {case.connector for case in CASES}
    if proof == REAL:
        systems = (ROOT / "tests" / "systems").glob("*.py")
        assert any(re.search(rf"\b{name}\b", file.read_text("utf-8")) for file in systems)
    elif proof == DOCUMENT:
        assert name in tested
        assert (ROOT / "tests" / "vendors" / f"test_{name}_document.py").exists()
    elif proof == STAND_IN:
        assert name in tested
    elif proof == PROTOCOL:
        assert (ROOT / "tests" / "systems" / f"test_{name}.py").exists()
    else:
        assert (proof, definition(name)["kind"]) == (OURS, "fake")


@shipped
def test_a_page_tells_each_action_with_its_fields(name: str) -> None:
    actions = definition(name).get("actions", {})
    sections = dict(re.findall(r"(?ms)^## (\w+)\n(.*?)(?=^## |\Z)", page(name)))

    assert list(actions) == [title for title in sections if title in actions]
    for action, said in actions.items():
        for field in (*said.get("required", ()), *said.get("optional", ())):
            assert f"`{field}`" in sections[action], f"{name}.{action}: {field}"
        for word in ("Once", "Confirm", "Undo"):
            assert f"**{word}**" in sections[action], f"{name}.{action}: {word}"
        promised = "not promised" not in sections[action]
        assert promised == (said["idempotency"] != "none"), f"{name}.{action}: idempotency"


@shipped
def test_a_page_says_by_which_document_each_action_over_http_was_checked(name: str) -> None:
    sections = dict(re.findall(r"(?ms)^## (\w+)\n(.*?)(?=^## |\Z)", page(name)))

    for action in definition(name).get("actions", {}):
        checked = "**Document**" in sections[action]
        assert checked == (definition(name)["kind"] == "http"), f"{name}.{action}"


@shipped
def test_a_page_names_every_setting_that_its_definition_reads(name: str) -> None:
    text = (ROOT / "connectors" / "definitions" / f"{name}.yaml").read_text("utf-8")

    assert set(re.findall(r"env:(\w+)", text)) == set(re.findall(r"\bMESHLINE_[A-Z_]+", page(name)))


def test_the_table_says_what_the_pages_say() -> None:
    rows = re.findall(r"(?m)^\| \[([\w-]+)\]\(([\w-]+)\.md\) \|.*\| ([^|]+) \|$", page("README"))

    assert [name for name, _, _ in rows] == SHIPPED
    for name, link, proof in rows:
        assert link == name
        assert proof == proof_of(name), name
