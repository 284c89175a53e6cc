"""Mail addresses: one rule for people in files, for what a command is told, and for mail itself."""

from __future__ import annotations

import pytest

from orchestrator.domain.errors import Refused
from orchestrator.domain.text.addresses import is_address, is_mailable
from orchestrator.domain.workflows.workflow import Workflow
from tests.unit.example import changed

BROKEN = [
    "",
    "a",
    "a@",
    "@acme.example",
    "a b@acme.example",
    "a@b@acme.example",
    "A <a@acme.example>",
    "a@acme.example, b@acme.example",
    "a..b@acme.example",
    "a@-acme.example",
    "a@acme_desk.example",
    "a@acme.example\n",
    "a\r\nBcc: all@acme.example",
    "a\x00@acme.example",
    "a\x7f@acme.example",
    "a\x85@acme.example",
    "a\u2028@acme.example",
    "a\u202e@acme.example",
    "a@acme.example\u200b",
    "=?utf-8?q?a=0d=0a?=@acme .example",
    "x" * 250 + "@acme.example",
    "\ud800@acme.example",
]


@pytest.mark.parametrize("text", BROKEN)
def test_what_is_not_one_plain_address_is_none_anywhere(text: str) -> None:
    assert not is_address(text)
    assert not is_mailable(text)


@pytest.mark.parametrize(
    "text",
    [
        "support-ops@acme.example",
        "o'brien+leads=1@acme.example",
        "desk@intern.local",
        "desk@acme.test",
        "UPPER.case@Acme.Example",
    ],
)
def test_a_plain_address_is_one_also_at_a_company_s_own_domain(text: str) -> None:
    assert is_address(text)
    assert is_mailable(text)


def test_a_person_has_a_domain_with_a_dot_and_a_mail_server_needs_ascii() -> None:
    assert (is_address("root@localhost"), is_mailable("root@localhost")) == (False, True)
    assert (is_address("jörg@acme.example"), is_mailable("jörg@acme.example")) == (True, False)


def test_a_workflow_that_an_older_rule_took_can_still_be_read() -> None:
    definition = Workflow.model_validate(changed()).definition()
    owners = definition["owners"]
    assert isinstance(owners, dict)
    owners["owner"] = "a..b@acme.example"

    with pytest.raises(ValueError, match="not an e-mail address"):
        Workflow.model_validate(definition)
    assert Workflow.from_published(definition).owners.owner == "a..b@acme.example"


def test_a_command_says_what_to_write_instead() -> None:
    from orchestrator.domain.text.addresses import checked_address

    assert checked_address("  a@acme.example ", field="owner") == "a@acme.example"
    with pytest.raises(Refused, match="is not an e-mail address"):
        checked_address("a\x7f@acme.example", field="owner")
