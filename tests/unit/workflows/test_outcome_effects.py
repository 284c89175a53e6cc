"""What becomes of what a rolled-back version made, delivery by delivery."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from orchestrator.domain.delivery.effects import MadeDelivery
from orchestrator.domain.delivery.handoff import Action, Idempotency, Proof
from orchestrator.domain.event import Item, PlannedDelivery
from orchestrator.domain.lifecycle import DeliveryState
from orchestrator.domain.workflows.effects import outcome_effects

DESK = Action(name="ticket", idempotency=Idempotency.LOOKUP, proof=Proof.READ_BACK, can_undo=True)
CRM = Action(name="contact", idempotency=Idempotency.LOOKUP, proof=Proof.READ_BACK)
CATALOG = {"helpdesk": {"ticket": DESK}, "crm": {"contact": CRM}}

TICKET = MadeDelivery(
    name="desk",
    connector="helpdesk",
    action="ticket",
    state=DeliveryState.CONFIRMED,
    record_id="7",
    updated=False,
    send={"queue": "desk", "count": 1},
)
PLANNED = PlannedDelivery(
    destination="desk",
    connector="helpdesk",
    action="ticket",
    send={"queue": "desk", "count": 1},
    confirm=("queue",),
)
HERE = ("desk", None)


Made = Mapping[tuple[str, Item], MadeDelivery]


def effects(planned: list[PlannedDelivery], made: Made) -> dict[str, str]:
    return {one.destination: one.effect for one in outcome_effects(planned, made, CATALOG)}


def test_the_same_stays_and_what_differs_is_made_again() -> None:
    assert effects([PLANNED], {HERE: TICKET}) == {"desk": "same"}
    others: list[dict[str, object]] = [
        {"queue": "senior", "count": 1},
        {"queue": "desk"},
        {"queue": "desk", "count": True},
    ]
    for send in others:
        assert effects([replace(PLANNED, send=send)], {HERE: TICKET}) == {"desk": "remake"}
    elsewhere = replace(PLANNED, action="note")
    assert effects([elsewhere], {HERE: TICKET}) == {"desk": "remake"}


def test_what_is_not_wanted_is_undone_and_what_is_missing_is_sent() -> None:
    assert effects([], {HERE: TICKET}) == {"desk": "undo"}
    assert effects([PLANNED], {}) == {"desk": "send"}


def test_what_is_not_ours_or_has_no_undo_stays() -> None:
    for made in (
        replace(TICKET, state=DeliveryState.RECEIPTED),
        replace(TICKET, record_id=None),
        replace(TICKET, updated=True),
        replace(TICKET, connector="crm", action="contact"),
        replace(TICKET, connector="gone"),
    ):
        assert effects([], {HERE: made}) == {"desk": "cannot_undo"}


def test_what_rests_on_a_record_that_is_made_again_is_made_again_too() -> None:
    chat = replace(
        PLANNED, destination="chat", send={"text": "x"}, after=("desk",), left_open=("link",)
    )
    said = replace(TICKET, name="chat", send={"text": "x", "link": "/7"})
    made: Made = {HERE: TICKET, ("chat", None): said}
    assert effects([PLANNED, chat], made) == {"desk": "same", "chat": "same"}
    other = replace(PLANNED, send={"queue": "senior"})
    assert effects([other, chat], made) == {"desk": "remake", "chat": "remake"}


def test_a_record_that_differs_from_what_was_sent_is_undone_or_looked_at_again() -> None:
    differs = replace(TICKET, state=DeliveryState.FAILED)
    other = replace(PLANNED, send={"queue": "senior"})

    assert effects([other], {HERE: differs}) == {"desk": "remake"}
    assert effects([], {HERE: differs}) == {"desk": "undo"}
    assert effects([PLANNED], {HERE: differs}) == {"desk": "look"}
    assert effects([], {HERE: replace(differs, updated=True)}) == {"desk": "cannot_undo"}
