"""A runbook is an address that people may open, or text; nothing else becomes a link."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from orchestrator.domain.workflows.runbook import runbook_address
from orchestrator.domain.workflows.workflow import Workflow
from tests.unit.example import changed


def with_runbook(runbook: object) -> Workflow:
    return Workflow.from_definition(changed(runbook=runbook))


@pytest.mark.parametrize(
    "runbook",
    [
        "https://wiki.acme.example/leads?a=1#top",
        "http://[::1]:8080/x",
        "1. call the sender\n2. wait",
    ],
)
def test_an_address_and_a_text_are_kept(runbook: str) -> None:
    assert with_runbook(runbook).definition()["runbook"] == runbook


@pytest.mark.parametrize(
    ("runbook", "problem"),
    [
        ("javascript:alert(1)", "not an http or https address"),
        ("data:text/html,x", "not an http or https address"),
        ("https://", "not an http or https address"),
        ("https://[broken", "not an http or https address"),
        ("https://operator:secret@wiki.acme.example", "the address holds a login"),
        ("  ", "it is empty"),
        ("call \u202egnihton", "characters that cannot be printed"),
        ("x" * 2_001, "at most 2000 characters"),
        (7, "string"),
    ],
)
def test_what_is_neither_is_refused(runbook: object, problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        with_runbook(runbook)


def test_a_workflow_without_one_is_the_same_as_before_there_was_the_key() -> None:
    assert "runbook" not in with_runbook(None).definition()


@pytest.mark.parametrize("text", ["see https://wiki.acme.example", "javascript:alert(1)", "x:y"])
def test_only_a_whole_address_is_a_link(text: str) -> None:
    assert runbook_address(text) is None
