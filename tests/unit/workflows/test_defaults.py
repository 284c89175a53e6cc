"""A stated default is sent in place of what is absent, is seen by no route, and is said."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.domain.delivery.verdicts import Rejected, Routed
from orchestrator.domain.errors import InvalidFile
from orchestrator.domain.reasons import Reason
from orchestrator.domain.workflows.workflow import Workflow
from orchestrator.pipeline.route import route
from tests.unit.example import changed, compiled

LEAD = {"email": "ann@example.com", "tier": "pro"}


def sending(note: object, **parts: Any) -> dict[str, Any]:
    """The workflow whose CRM is sent this note."""
    definition = changed(**parts)
    definition["destinations"]["crm"]["send"]["note"] = note
    return definition


def routed(payload: object, note: object, **parts: Any) -> Routed:
    verdict = route(payload, compiled(**sending(note, **parts)))
    assert isinstance(verdict, Routed), verdict
    return verdict


def refused(note: object) -> list[tuple[str, str]]:
    with pytest.raises(InvalidFile) as error:
        compiled(**sending(note))
    return [(fault.path, fault.problem) for fault in error.value.faults]


def test_a_default_is_sent_and_confirmed_where_the_fact_is_absent() -> None:
    verdict = routed(LEAD, {"value": "message", "default": '"no words"'})

    assert verdict.deliveries[0].send["note"] == "no words"
    assert verdict.deliveries[0].confirm == ("email", "tier", "note")
    assert verdict.deliveries[0].defaulted == ("note",)
    assert verdict.defaulted == ("crm.note",)


def test_what_is_there_is_sent_and_nothing_is_defaulted() -> None:
    verdict = routed({**LEAD, "message": "call"}, {"value": "message", "default": '"no words"'})

    assert verdict.deliveries[0].send["note"] == "call"
    assert verdict.defaulted == ()


def test_a_default_may_use_facts_that_are_always_there() -> None:
    verdict = routed(LEAD, {"value": '"Says " + message', "default": '"Write to " + email'})

    assert verdict.deliveries[0].send["note"] == "Write to ann@example.com"


def test_no_route_sees_a_default() -> None:
    routes = [{"when": 'message == "no words"', "to": ["crm", "senior-desk"]}]
    workflow = compiled(**sending({"value": "message", "default": '"no words"'}, routes=routes))

    verdict = route(LEAD, workflow)

    assert isinstance(verdict, Rejected)
    assert verdict.reason is Reason.MISSING_FACT


def test_a_default_does_not_stand_for_an_error() -> None:
    note = {"value": "string(int(message))", "default": '"0"'}

    verdict = route({**LEAD, "message": "many"}, compiled(**sending(note)))

    assert isinstance(verdict, Rejected)
    assert verdict.reason is Reason.RULE_ERROR


@pytest.mark.parametrize(
    ("note", "path", "problem"),
    [
        (
            {"value": "email", "default": '"x"'},
            "destinations.crm.send.note",
            "the default would never be sent: nothing in `email` is optional",
        ),
        (
            {"value": "message", "default": "string(seats)"},
            "destinations.crm.send.note.default",
            "its default uses `seats`, which may be absent too",
        ),
        (
            {"value": "message", "default": "support"},
            "destinations.crm.send.note.default",
            "undeclared reference to 'support' (column 1)",
        ),
    ],
)
def test_a_default_that_cannot_work_is_a_fault(note: object, path: str, problem: str) -> None:
    assert refused(note) == [(path, problem)]


def test_a_field_without_a_default_is_kept_as_it_was_before_there_were_any() -> None:
    definition = Workflow.from_definition(sending({"value": "message"})).definition()

    assert definition["destinations"]["crm"]["send"]["note"] == "message"  # type: ignore[index]


def test_a_field_with_a_default_is_kept_with_it() -> None:
    note = {"value": "message", "default": '"no words"'}
    workflow = Workflow.from_definition(sending(note))

    definition = workflow.definition()

    assert definition["destinations"]["crm"]["send"]["note"] == note  # type: ignore[index]
    assert Workflow.from_definition(definition) == workflow
