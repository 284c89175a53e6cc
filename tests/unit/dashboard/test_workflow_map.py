"""The map of a workflow, drawn and in words, says where its events are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orchestrator.dashboard.pages.workflows.drawing import MOST_DRAWN, Drawing, draw_map, fitted
from orchestrator.dashboard.pages.workflows.said import (
    MOST_PROPERTIES,
    SaidWorkflow,
    told_schema,
    told_workflow,
)
from orchestrator.dashboard.pages.workflows.words import tell_last_event, tell_map
from orchestrator.store.views.destinations.list import DestinationRow
from orchestrator.store.views.workflows.flow import Stalled, WorkflowFlow
from orchestrator.store.views.workflows.list import LastEvent
from tests.leads import TEXT, lead_workflow

NOW = 1_796_000_000_000


def said(**changes: Any) -> SaidWorkflow:
    """The workflow of the leads, as its page has it."""
    return replace(told_workflow(lead_workflow().definition()), **changes)


def row(destination: str, **more: Any) -> DestinationRow:
    nothing: dict[str, Any] = dict.fromkeys(
        ("block", "circuit", "reason", "error", "since", "by", "until", "next_probe")
    )
    nothing |= dict.fromkeys(("postponed_until", "pause_error", "held_since"))
    counts = dict.fromkeys(("pauses", "held", "waiting", "after_others", "failing", "at_fault"), 0)
    return DestinationRow(
        **nothing
        | counts
        | {
            "name": f"acme/leads/{destination}",
            "client": "acme",
            "workflow": "leads",
            "destination": destination,
            "connector": "fake",
            "action": "record",
            "breaker": "closed",
        }
        | more
    )


QUIET = WorkflowFlow(
    accepted=0, validated=0, routed=0, stalled=(), destinations=(row("crm"), row("desk"))
)
BUSY = WorkflowFlow(
    accepted=1_234,
    validated=1,
    routed=9,
    stalled=(
        Stalled(stage="validate", destination=None, events=5),
        Stalled(stage="route", destination=None, events=2),
        Stalled(stage="dispatch", destination="crm", events=3),
    ),
    destinations=(
        row("crm", waiting=4, after_others=1, held=7, block="pause", circuit="fake"),
        row("desk"),
    ),
)


def busy(drawing: Drawing) -> set[str]:
    return {label.text for label in drawing.labels if label.is_busy}


def test_live_counts_stand_on_the_edges() -> None:
    assert busy(draw_map(said(), QUIET)) == set()
    assert busy(draw_map(said(), BUSY)) == {
        *("1,234 accepted", "1 validated", "5 under way", "7 held"),
        *("5 broke it", "2 no route", "3 not delivered"),
    }


def test_exceptions_lead_into_quarantine_and_routes_to_their_destinations() -> None:
    drawing = draw_map(said(), BUSY)

    assert sum(arrow.is_exception for arrow in drawing.arrows) == 3
    # Trigger to contract, contract to route, "no", then two and one destinations.
    assert sum(not arrow.is_exception for arrow in drawing.arrows) == 6
    assert [box.title for box in drawing.boxes] == [
        *("Trigger", "Contract", "Route 1", "Route 2", "paused: crm", "desk", "Quarantine: 10"),
    ]


def test_no_box_covers_another_and_all_is_inside() -> None:
    workflow = said()
    many = replace(
        workflow,
        routes=workflow.routes * 30,
        destinations=tuple(
            replace(workflow.destinations[0], name=f"crm-{number}") for number in range(40)
        ),
    )
    for drawing in (draw_map(workflow, BUSY), draw_map(many, BUSY)):
        for one in drawing.boxes:
            assert one.x >= 0 and one.x + one.width <= drawing.width
            assert one.y >= 0 and one.y + one.height <= drawing.height
            for other in drawing.boxes:
                apart = (
                    one.x + one.width <= other.x
                    or other.x + other.width <= one.x
                    or one.y + one.height <= other.y
                    or other.y + other.height <= one.y
                )
                assert apart or one is other


def test_what_is_not_drawn_is_said_by_a_box_and_in_words() -> None:
    many = said(routes=said().routes * 10)

    drawing = draw_map(many, QUIET)

    assert f"and {20 - MOST_DRAWN} more routes" in [box.title for box in drawing.boxes]
    assert sum("Route " in sentence for sentence in tell_map(many, QUIET)) == 20


def test_the_words_say_all_that_the_drawing_says() -> None:
    words = tell_map(said(), BUSY)

    assert words == [
        "Trigger: events of the type lead.created are accepted. 1,234 events wait to be validated.",
        "Contract: an event must have email, tier. 1 event waits to be routed.",
        "What breaks the contract goes into quarantine: 5 now.",
        'Route 1: when tier == "enterprise", to crm, desk.',
        'Route 2: when tier == "pro", to crm.',
        "An event that no route takes goes into quarantine: 2 now.",
        (
            "Destination crm: calls fake.record. "
            "5 deliveries under way, 7 held: paused; 3 in quarantine."
        ),
        "Destination desk: calls fake.record. 0 deliveries under way, 0 held; 0 in quarantine.",
        "What cannot be delivered goes into quarantine: 3 now.",
        "In quarantine: 10, healed by triage@acme.example.",
    ]


@pytest.mark.parametrize("text", ["w" * 300, "客" * 300, "<script>" * 40, "\u202e" * 50, ""])
def test_a_text_is_cut_to_its_box(text: str) -> None:
    shown = fitted(text, 180)

    assert len(shown) <= 25
    assert "\u202e" not in shown


@pytest.mark.parametrize(
    ("last", "told"),
    [
        (LastEvent(at=None, before=None), "No event came yet."),
        (
            LastEvent(at="2026-11-30T00:50:20.000Z", before=None),
            "The last event came 3m ago, at 2026-11-30 00:50:20Z.",
        ),
        (
            LastEvent(at="2026-11-20T00:53:20.000Z", before=None),
            "Quiet: no event came for 10d, since 2026-11-20 00:53:20Z.",
        ),
        (
            LastEvent(at=None, before="2026-11-29T22:53:20.000Z"),
            "No event came since 2026-11-29 22:53:20Z, for more than 2h.",
        ),
    ],
)
def test_old_figures_are_said_in_words(last: LastEvent, told: str) -> None:
    assert tell_last_event(last, NOW) == told


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        (True, "anything"),
        ({}, "anything"),
        (False, "nothing"),
        ({"type": "string"}, "string"),
        ({"type": ["string", "null"], "format": "date"}, "string or null (date)"),
        ({"enum": [1, None, "a"]}, 'one of 1, null, "a"'),
        ({"$ref": "#/$defs/one"}, '{"$ref":"#/$defs/one"}'),
    ],
)
def test_a_field_of_a_contract_is_told_in_a_few_words(schema: object, told: str) -> None:
    assert told_schema(schema) == told


def test_a_contract_with_more_fields_than_a_page_shows_says_how_many() -> None:
    definition = lead_workflow().definition()
    properties = {f"field-{number}": {"type": "string"} for number in range(MOST_PROPERTIES + 3)}
    contract = {"type": "object", "properties": properties, "required": ["field-0", "else"]}

    found = told_workflow({**definition, "contract": contract})

    assert (len(found.properties), found.more_properties) == (MOST_PROPERTIES, 4)
    assert not found.is_closed


FULL = f"""{TEXT}ordering_key: data.email
on_stall: pass
amend:
  - {{rename: customer_tier, to: tier}}
""".replace(
    "recover_within: 72h}",
    "recover_within: 72h, calendar: "
    '{zone: Europe/Berlin, hours: {mon-fri: ["09:00-17:00"]}, holidays: ["2026-12-25"]}}',
)


def test_the_settings_of_a_version_are_told_in_words() -> None:
    definition = lead_workflow(FULL).definition() | {"on_failure": "undo"}

    assert told_workflow(definition).settings == {
        "Deliver within": "15m",
        "Recover within": "72h",
        "Hours": "mon-fri 09:00-17:00 in Europe/Berlin, less 1 holiday",
        "Retries": "at most 2: the first after 1s, each wait 2 times the last, up to 1m",
        "Where a delivery fails": "what others have is taken back",
        "In order of": "data.email",
        "Behind an event that stalls": "the others go on",
        "Amended by itself": "1 step",
    }
