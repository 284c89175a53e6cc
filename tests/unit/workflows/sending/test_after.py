"""A destination after another: what it may use of the record before it, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from orchestrator.domain.delivery.effects import Stands
from orchestrator.domain.delivery.handoff import Proof
from orchestrator.domain.delivery.verdicts import Rejected, Routed
from orchestrator.domain.errors import InvalidFile
from orchestrator.domain.event import Item, MadeRecord, PlannedDelivery
from orchestrator.domain.lifecycle import DeliveryState
from orchestrator.domain.reasons import Reason
from orchestrator.domain.workflows.catalog import destination_faults
from orchestrator.domain.workflows.effects import effects_of
from orchestrator.domain.workflows.file import parse_workflow
from orchestrator.domain.workflows.tests import WorkflowTest
from orchestrator.domain.workflows.workflow import Destination, Workflow
from orchestrator.pipeline.expectations import run_test
from orchestrator.pipeline.route import plan_after, route
from orchestrator.pipeline.trial import try_payload
from orchestrator.presenting.trials import shown_trial
from tests.unit.example import CATALOG, changed, compiled

LEAD = {"email": "ann@example.com", "tier": "enterprise"}
CHAT: dict[str, Any] = {
    "connector": "mail",
    "action": "send",
    "send": {"to": '"team@acme.example"', "text": '"Contact " + crm.record_id'},
    "after": ["crm"],
}
ROUTES = [{"when": 'tier == "enterprise"', "to": ["crm", "chat"]}]


def with_chat(chat: dict[str, Any] | None = None, /, **parts: Any) -> dict[str, Any]:
    """The workflow with a chat message after the CRM."""
    definition = changed(**{"routes": ROUTES, **parts})
    del definition["destinations"]["senior-desk"]
    definition["destinations"]["chat"] = {**CHAT, **(chat or {})}
    return definition


def sending(**fields: object) -> dict[str, Any]:
    return with_chat({"send": {"to": '"team@acme.example"', **fields}})


def refused(definition: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(InvalidFile) as error:
        compiled(**definition)
    return [(fault.path, fault.problem) for fault in error.value.faults]


def planned(definition: dict[str, Any], record: MadeRecord) -> PlannedDelivery | Rejected:
    found = plan_after(LEAD, compiled(**definition), "chat", {"crm": record})
    return found if isinstance(found, Rejected) else found[None]


def test_what_needs_a_record_is_left_open_until_it_is_confirmed() -> None:
    verdict = route(LEAD, compiled(**with_chat()))

    assert isinstance(verdict, Routed)
    crm, chat = verdict.deliveries
    assert crm.waits_for == ()
    assert chat.waits_for == ("crm",)
    assert chat.send == {"to": "team@acme.example"}


def test_a_field_that_waits_is_confirmed_all_the_same() -> None:
    chat = {"confirm": ["to", "text"]}

    verdict = route(LEAD, compiled(**with_chat(chat)))

    assert isinstance(verdict, Routed)
    assert verdict.deliveries[1].confirm == ("to", "text")


def test_the_record_of_the_one_before_is_sent() -> None:
    made = planned(with_chat(), MadeRecord(record_id="c-7"))

    assert isinstance(made, PlannedDelivery)
    assert made.send == {"to": "team@acme.example", "text": "Contact c-7"}
    assert made.waits_for == ()


def test_a_record_is_used_together_with_facts() -> None:
    text = 'email.upperAscii() + ": " + crm.url'

    made = planned(sending(text=text), MadeRecord(record_id="c-7", url="https://crm.example/7"))

    assert isinstance(made, PlannedDelivery)
    assert made.send["text"] == "ANN@EXAMPLE.COM: https://crm.example/7"


def test_a_hyphen_in_a_destinations_name_is_written_as_an_underscore() -> None:
    definition = changed(routes=[{"when": "true", "to": ["senior-desk", "crm"]}])
    definition["destinations"]["crm"] |= {"after": ["senior-desk"]}
    definition["destinations"]["crm"]["send"]["note"] = "senior_desk.record_id"

    records = {"senior-desk": MadeRecord(record_id="T-1")}
    made = plan_after(LEAD, compiled(**definition), "crm", records)

    assert not isinstance(made, Rejected)
    assert made[None].send["note"] == "T-1"


def test_a_part_that_is_not_known_gives_way_to_a_stated_default() -> None:
    text = {"value": "crm.url", "default": '"contact " + crm.record_id'}

    made = planned(sending(text=text), MadeRecord(record_id="c-7"))

    assert isinstance(made, PlannedDelivery)
    assert made.send["text"] == "contact c-7"
    assert made.defaulted == ("text",)


def test_without_a_default_a_part_that_is_not_known_is_never_left_out() -> None:
    made = planned(sending(text="crm.url"), MadeRecord(record_id="c-7"))

    assert isinstance(made, Rejected)
    assert made.reason is Reason.MISSING_FACT
    assert made.detail == (
        "`crm.url` of the confirmed record is not known, and `text` of chat needs it"
    )
    assert made.path == "destinations.chat.send.text"


def test_an_expression_that_fails_on_the_record_is_a_rule_error() -> None:
    made = planned(sending(text="string(int(crm.record_id))"), MadeRecord(record_id="c-7"))

    assert isinstance(made, Rejected)
    assert made.reason is Reason.RULE_ERROR


@pytest.mark.parametrize(
    ("definition", "path", "problem"),
    [
        (
            with_chat({"after": ["crn"]}),
            "destinations.chat.after.0",
            "there is no destination `crn`",
        ),
        (
            with_chat({"after": ["crm", "crm"]}),
            "destinations.chat.after.1",
            "`crm` comes twice",
        ),
        (
            with_chat({"after": ["chat"], "send": {"to": '"x"'}}),
            "destinations.chat.after",
            "`chat`, after `chat`: none of them would ever be sent",
        ),
        (
            with_chat(routes=[{"when": "false", "to": ["crm"]}, {"when": "true", "to": ["chat"]}]),
            "routes.1.to.0",
            "route 2 leads to `chat`, which is after `crm`, and `crm` is not in it",
        ),
        (
            with_chat(facts={"email": "data.email", "tier": "data.tier", "crm": "data.tier"}),
            "destinations.chat.after.0",
            "`crm` would be a fact and the record of `crm`",
        ),
        (
            sending(text={"value": "crm.url", "default": "crm.url"}),
            "destinations.chat.send.text.default",
            "its default uses `crm.url`, which may be absent too",
        ),
    ],
)
def test_what_cannot_work_is_a_fault(definition: dict[str, Any], path: str, problem: str) -> None:
    assert (path, problem) in refused(definition)


def test_a_circle_is_told_once_with_the_way_round() -> None:
    definition = with_chat({"send": {"to": '"x"'}})
    definition["destinations"]["crm"]["after"] = ["chat"]

    assert refused(definition) == [
        (
            "destinations.crm.after",
            "`crm`, after `chat`, after `crm`: none of them would ever be sent",
        )
    ]


def test_a_part_that_records_do_not_have_is_a_fault() -> None:
    assert [path for path, _ in refused(sending(text="crm.title"))] == [
        "destinations.chat.send.text"
    ]


def test_a_workflow_without_it_is_kept_as_it_was_before_there_was_any() -> None:
    definition = Workflow.from_definition(changed()).definition()

    assert "after" not in definition["destinations"]["crm"]  # type: ignore[index]


def test_a_workflow_with_it_is_kept_with_it() -> None:
    workflow = Workflow.from_definition(with_chat())

    assert Workflow.from_definition(workflow.definition()) == workflow


def catalogued(**action: Any) -> list[tuple[str, str, bool]]:
    """Faults and notes beside an action of the CRM that is as said."""
    crm = replace(CATALOG["crm"]["upsert_contact"], **action)
    destinations = {
        "crm": Destination(connector="crm", action="upsert_contact", send={}, confirm=()),
        "chat": Destination.model_validate(
            {**CHAT, "send": {"to": "email", "text": "crm.url", "id": "crm.record_id"}}
        ),
    }
    found = destination_faults(destinations, {}, {**CATALOG, "crm": {"upsert_contact": crm}})
    return [
        (one.path, one.problem, one.is_note)
        for one in found
        if one.path.startswith("destinations.chat")
    ]


def test_an_address_that_the_action_does_not_say_is_a_fault() -> None:
    assert catalogued(gives_url=True) == []
    assert catalogued() == [
        (
            "destinations.chat.send.text",
            "`upsert_contact`, which makes the record of `crm`, says no address of it",
            False,
        )
    ]


def test_the_id_of_a_receipt_is_a_note() -> None:
    assert catalogued(gives_url=True, proof=Proof.RECEIPT) == [
        (
            "destinations.chat.send.id",
            "`upsert_contact` gives a receipt: `crm.record_id` may be no record's id",
            True,
        )
    ]


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("crm.title", "write `crm.record_id` or `crm.url`"),
        ('has(crm.url) ? crm.url : ""', "write {value: crm.url, default: ...}"),
        ("chat.record_id", "take it out"),
        ("desk.record_id", "add `after: [desk]` to `chat`"),
    ],
)
def test_a_name_that_is_not_there_says_what_to_write(text: str, fix: str) -> None:
    definition = sending(text=text)
    definition["destinations"]["desk"] = {**CHAT, "send": {"to": "email"}, "after": []}
    definition["routes"] = [{"when": 'tier == "pro"', "to": ["desk", "crm", "chat"]}]

    with pytest.raises(InvalidFile) as error:
        parse_workflow(json.dumps(definition), name="leads.yaml", catalog=CATALOG)

    assert fix in [one.fix for one in error.value.faults]


def test_a_route_sees_no_record() -> None:
    definition = with_chat(routes=[{"when": 'crm.record_id == "7"', "to": ["crm", "chat"]}])

    with pytest.raises(InvalidFile) as error:
        parse_workflow(json.dumps(definition), name="leads.yaml", catalog=CATALOG)

    assert [one.problem for one in error.value.faults] == [
        "`crm.record_id`: a route is chosen before anything is sent"
    ]


def test_a_trial_shows_what_waits_and_for_what() -> None:
    workflow = compiled(**with_chat())

    shown = shown_trial(try_payload(LEAD, workflow), workflow, lambda _: None)

    chat = shown.deliveries[1]
    assert chat.after == ("crm",)
    assert [(one.field, one.awaits, one.expression) for one in chat.awaits] == [
        ("text", ("crm.record_id",), '"Contact " + crm.record_id')
    ]
    assert chat.omits == ()


def untold(**test: Any) -> list[str]:
    """What differs of a test that expects this of the chat message."""
    expect = {"sends": {"chat": {"text": "Contact c-7"}}}
    one = WorkflowTest.model_validate({"name": "it", "payload": LEAD, "expect": expect, **test})
    return [f"{unmet.path}: {unmet.problem}" for unmet in run_test(one, compiled(**with_chat()))]


def test_a_test_gives_the_records_that_it_counts_on() -> None:
    assert untold(records={"crm": {"record_id": "c-7"}}) == []
    assert untold(records={"crm": {"record_id": "c-8"}}) == [
        'expect.sends.chat.text: "Contact c-8" would be sent, not "Contact c-7"'
    ]
    (told,) = untold()
    assert told.endswith("from records; give the test `records: {crm: {record_id: ...}}`")


def test_a_test_with_a_record_of_nobody_is_a_fault() -> None:
    test = {"name": "it", "payload": LEAD, "expect": {"route": 1}, "records": {"crn": {}}}

    with pytest.raises(InvalidFile) as error:
        parse_workflow(json.dumps(with_chat(tests=[test])), name="leads.yaml", catalog=CATALOG)

    assert [one.path for one in error.value.faults] == ["tests.0.records.crn"]


def effects(**states: DeliveryState) -> list[tuple[str, str, tuple[str, ...]]]:
    """What a replay does with each delivery, where they stand like this."""
    verdict = route(LEAD, compiled(**with_chat()))
    assert isinstance(verdict, Routed)
    standing: dict[tuple[str, Item], Stands] = {
        (name, None): Stands(
            destination=name, connector="crm", action="upsert_contact", state=state,
            unknown=False, reason=None, record_id=None,
        )
        for name, state in states.items()
    }  # fmt: skip
    return [
        (one.destination, one.effect, one.after)
        for one in effects_of(verdict.deliveries, standing, CATALOG)
    ]


def test_a_plan_says_after_what_a_delivery_is_sent() -> None:
    assert effects(crm=DeliveryState.FAILED, chat=DeliveryState.WAITING) == [
        ("crm", "send", ()),
        ("chat", "send", ("crm",)),
    ]
    assert effects(crm=DeliveryState.CONFIRMED, chat=DeliveryState.FAILED) == [
        ("crm", "done", ()),
        ("chat", "send", ()),
    ]


LINES = {
    "contract": {
        "type": "object",
        "required": ["email", "lines"],
        "properties": {
            "email": {"type": "string"},
            "lines": {
                "type": "array",
                "minItems": 1,
                "items": {"type": "object", "properties": {"sku": {"type": "string"}}},
            },
        },
    },
    "facts": {"email": "data.email"},
    "routes": [{"when": "true", "to": ["crm", "chat"]}],
}
ORDER = {"email": "ann@example.com", "lines": [{"sku": "a"}, {"sku": "b"}]}


def lines(crm: dict[str, Any], chat: dict[str, Any]) -> dict[str, Any]:
    """An order whose CRM and chat message are changed."""
    definition = with_chat(chat, **LINES)
    definition["destinations"]["crm"] |= {"send": {"email": "email"}, "confirm": ["email"], **crm}
    return definition


def test_every_item_of_a_destination_waits_and_is_sent_the_record() -> None:
    send = {"to": "email", "text": 'line.sku + " of " + crm.record_id'}
    workflow = compiled(**lines({}, {"each": "data.lines", "key": "line.sku", "send": send}))

    verdict = route(ORDER, workflow)
    made = plan_after(ORDER, workflow, "chat", {"crm": MadeRecord(record_id="c-7")})

    assert isinstance(verdict, Routed)
    assert [(one.item, one.waits_for) for one in verdict.deliveries] == [
        (None, ()),
        ("a", ("crm",)),
        ("b", ("crm",)),
    ]
    assert not isinstance(made, Rejected)
    assert {item: one.send["text"] for item, one in made.items()} == {
        "a": "a of c-7",
        "b": "b of c-7",
    }


def test_the_records_of_items_are_not_one_record() -> None:
    crm = {"each": "data.lines", "key": "line.sku"}

    assert ("destinations.chat.send.text") in [path for path, _ in refused(lines(crm, {}))]
    assert compiled(**lines(crm, {"send": {"to": "email"}})).predecessors == {
        "chat": frozenset({"crm"})
    }
