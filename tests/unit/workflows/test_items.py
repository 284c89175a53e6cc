"""One delivery per item: which items there are, what each is sent, and what stops the event."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.domain.delivery.verdicts import Rejected, Routed
from orchestrator.domain.errors import InvalidFile
from orchestrator.domain.reasons import Reason
from orchestrator.domain.workflows.compiled import compile_workflow
from orchestrator.domain.workflows.file import parse_workflow
from orchestrator.domain.workflows.items import LONGEST_NAME, MOST_ITEMS, singular
from orchestrator.pipeline.route import route
from orchestrator.pipeline.trial import try_payload
from orchestrator.presenting.trials import shown_trial

TEXT = """
workflow: orders
client: acme
title: Orders reach the warehouse
trigger: {type: order.placed}
owners:
  {owner: a@acme.example, recovery_lead: b@acme.example, approver: c@acme.example,
   backstop: d@acme.example}
contract:
  type: object
  additionalProperties: false
  required: [number, lines]
  properties:
    number: {type: string}
    codes: {type: array, items: {type: string}}
    lines:
      type: array
      items:
        type: object
        additionalProperties: false
        required: [sku, quantity]
        properties:
          sku: {type: [string, integer]}
          quantity: {type: integer}
          note: {type: string}
facts: {number: data.number, codes: {value: data.codes, optional: true}}
routes: [{when: 'true', to: [crm, order-lines]}]
destinations:
  crm: {connector: fake, action: record, send: {number: number}, confirm: [number]}
  order-lines:
    connector: fake
    action: record
    each: data.lines
    key: line.sku
    send: {order: number, sku: line.sku, quantity: line.quantity, note: line.note}
    confirm: [order, quantity, note]
sla: {deliver_within: 15m, recover_within: 72h}
"""


def planned(lines: object, text: str = TEXT, **more: object) -> Routed | Rejected:
    workflow = compile_workflow(parse_workflow(text, name="orders.yaml"))
    return route({"number": "N-1", "lines": lines, **more}, workflow)


def faults(old: str, new: str) -> list[str]:
    assert old in TEXT
    with pytest.raises(InvalidFile) as refused:
        parse_workflow(TEXT.replace(old, new), name="orders.yaml")
    return [f"{one.path}: {one.problem}; {one.fix}" for one in refused.value.faults]


def line(sku: object, quantity: int = 1, **more: object) -> dict[str, Any]:
    return {"sku": sku, "quantity": quantity, **more}


def test_each_item_is_a_delivery_of_its_own() -> None:
    outcome = planned([line("A-1", 2), line(7, 3, note="soon")])

    assert isinstance(outcome, Routed)
    assert [(one.destination, one.item) for one in outcome.deliveries] == [
        ("crm", None), ("order-lines", "A-1"), ("order-lines", 7),
    ]  # fmt: skip
    assert outcome.deliveries[1].send == {"order": "N-1", "sku": "A-1", "quantity": 2}
    assert outcome.deliveries[2].send == {"order": "N-1", "sku": 7, "quantity": 3, "note": "soon"}


def test_what_an_item_lacks_is_neither_sent_nor_confirmed() -> None:
    outcome = planned([line("A-1"), line("A-2", note="soon")])

    assert isinstance(outcome, Routed)
    assert [one.confirm for one in outcome.deliveries[1:]] == [
        ("order", "quantity"), ("order", "quantity", "note"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "reason", "said"),
    [
        ([], Reason.MISSING_FACT, "`data.lines` has no item"),
        ([line("A"), line("B"), line("A")], Reason.DUPLICATE_ITEM, "items 1 and 3"),
        ([line("A"), line("")], Reason.RULE_ERROR, "the key of item 2 (`line.sku`) is empty"),
        ([line("A" * 201)], Reason.RULE_ERROR, "longer than 200 characters"),
        ([line(at) for at in range(MOST_ITEMS + 1)], Reason.RULE_ERROR, "501 items"),
    ],
)
def test_nothing_is_planned_where_items_cannot_be_told(
    lines: object, reason: Reason, said: str
) -> None:
    verdict = planned(lines)

    assert isinstance(verdict, Rejected)
    assert (verdict.reason, said in verdict.detail) == (reason, True), verdict.detail
    assert verdict.path and verdict.path.startswith("destinations.order-lines.")


def test_an_item_that_nothing_would_prove_stops_its_event() -> None:
    text = TEXT.replace("confirm: [order, quantity, note]", "confirm: [note]")

    verdict = planned([line("A", note="x"), line("B")], text)

    assert isinstance(verdict, Rejected)
    assert (verdict.reason, verdict.path) == (
        Reason.MISSING_FACT, "destinations.order-lines.confirm",
    )  # fmt: skip


def test_a_key_may_be_computed_and_a_list_may_be_a_fact() -> None:
    text = TEXT.replace("each: data.lines", "each: codes\n    as: code")
    text = text.replace("key: line.sku", "key: 'number + \"/\" + code'")
    text = text.replace("sku: line.sku, quantity: line.quantity, note: line.note", "sku: code")
    text = text.replace("[order, quantity, note]", "[order]")

    outcome = planned([line("A")], text, codes=["x", "y"])
    absent = planned([line("A")], text)

    assert isinstance(outcome, Routed)
    assert [one.item for one in outcome.deliveries[1:]] == ["N-1/x", "N-1/y"]
    assert isinstance(absent, Rejected) and absent.reason is Reason.MISSING_FACT


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("    key: line.sku\n", "", "destinations.order-lines: `each` needs a `key`"),
        ("    each: data.lines\n", "", "`key` and `as` are for a destination with `each`"),
        ("each: data.lines", "each: data.linse", "the contract does not declare `data.linse`"),
        ("each: data.lines", "each: data.number", "each: `data.number` is not a list"),
        ("each: data.lines", "each: data.codes", "the contract does not require `data.codes`"),
        ("each: data.lines", "each: 'data.lines + []'", "neither a path of the payload nor"),
        ("key: line.sku", "key: line.skuu", "write `line.sku`"),
        ("key: line.sku", "key: line", "`line` cannot be a key"),
        ("each: data.lines", "each: number\n    as: line", "each: `number` is not a list"),
        ("note: line.note", "note: {value: line.note, default: null}", "the default is empty"),
        ("key: line.sku", "key: number", "the key says nothing of the item"),
        ("note: line.note", "note: line.noet", "write `line.note`"),
        ("when: 'true'", "when: 'line.sku == \"A\"'", "routes.0.when"),
        ("facts: {number: data.number,", "facts: {number: data.number, line: data.number,",
         "an item would be called `line`, which is a fact"),
    ],
)  # fmt: skip
def test_check_says_what_is_wrong_with_items(old: str, new: str, said: str) -> None:
    found = faults(old, new)

    assert any(said in one for one in found), found


@pytest.mark.parametrize(
    ("old", "new", "at"),
    [
        ("each: data.lines", "each: data.linse", "order-lines.each"),
        ("each: data.lines", "each: data.number", "order-lines.each"),
        ("each: data.lines", "each: lines", "order-lines.each"),
        ("each: data.lines", "each: data.linse\n    as: line", "order-lines.each"),
        ("key: line.sku", "key: lin.sku", "order-lines.key"),
        ("key: line.sku", "key: number", "order-lines.key"),
    ],
)
def test_one_mistake_about_items_is_one_fault(old: str, new: str, at: str) -> None:
    (found,) = faults(old, new)

    assert found.startswith(f"destinations.{at}: ")


def test_a_mistake_in_each_hides_no_other() -> None:
    found = faults(
        "key: line.sku\n    send: {order: number", "key: lin.sku\n    send: {order: numbr"
    )

    assert [one.split(":")[0] for one in found] == [
        "destinations.order-lines.key",
        "destinations.order-lines.send.order",
    ]


def test_a_trial_names_the_part_of_the_item_that_is_absent() -> None:
    text = TEXT.replace(
        "note: line.note}", """note: 'line.note + " " + codes[0]', more: line.note}"""
    )
    workflow = compile_workflow(parse_workflow(text, name="orders.yaml"))

    def omitted(**payload: object) -> list[tuple[str, tuple[str, ...]]]:
        tried = try_payload({"number": "N-1", "lines": [line("A")], **payload}, workflow)
        shown = shown_trial(tried, workflow, lambda _: None)
        return [(one.field, one.absent) for one in shown.deliveries[1].omits]

    assert omitted() == [("note", ("codes",)), ("more", ("line.note",))]
    assert omitted(codes=["c"]) == [("note", ("line.note",)), ("more", ("line.note",))]


def test_the_name_of_a_destination_with_items_has_room_for_their_numbers() -> None:
    found = faults("order-lines", "o" * (LONGEST_NAME + 1))

    assert any("51 characters long" in one for one in found), found


def test_a_destination_without_items_is_defined_as_before() -> None:
    definition = parse_workflow(TEXT, name="orders.yaml").definition()

    assert definition["destinations"]["crm"].keys() == {  # type: ignore[index]
        "connector", "action", "send", "confirm", "required",
    }  # fmt: skip
    assert definition["destinations"]["order-lines"]["key"] == "line.sku"  # type: ignore[index]


@pytest.mark.parametrize(
    ("plural", "one"),
    [("lines", "line"), ("entries", "entry"), ("addresses", "address"), ("boxes", "box"),
     ("batches", "batch"), ("staff", "item"), ("address", "item"), ("s", "item"), ("a-bs", "item")],
)  # fmt: skip
def test_an_item_is_called_by_its_list(plural: str, one: str) -> None:
    assert singular(plural) == one
