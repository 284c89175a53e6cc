"""Dead letters and alerts are read page after page, each with whose it is."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from orchestrator.domain.lifecycle import State
from orchestrator.domain.reasons import Reason
from orchestrator.store.clocks.alert_views import SoughtAlerts, list_alerts
from orchestrator.store.clocks.alerts import AlertState, add_test, announce_incidents
from orchestrator.store.clocks.poison import note_poison
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import alerts
from orchestrator.store.quarantine.actions import quarantine_events
from orchestrator.store.quarantine.dead_letters import (
    DeadLetter,
    LetterState,
    close_dead_letter,
    keep_dead_letter,
)
from orchestrator.store.views.quarantine.dead_letters import (
    count_letters,
    list_dead_letters,
    show_dead_letter,
)
from tests.leads import TEXT, accept_leads, lead_workflow, publish_leads

STEWARD = "platform@agency.example"


def keep(store: Store, body: bytes) -> int:
    letter = DeadLetter(queue="meshline", error="no such task", body=body, headers=None)
    with store.write() as tx:
        return keep_dead_letter(tx, letter) or 0


@pytest.fixture
def letters(store: Store) -> list[int]:
    """Three dead letters: the first was dropped, a keeper gave the second to the steward."""
    numbers = [keep(store, b"first"), keep(store, b"second")]
    with store.write() as tx:
        note_poison(tx, steward=STEWARD, actor="keeper")
        close_dead_letter(tx, numbers[0], state=LetterState.DROPPED, why="junk", actor="cli:ada")
    return [*numbers, keep(store, b"third")]


def test_dead_letters_are_read_page_after_page_with_whose_they_are(
    store: Store, letters: list[int]
) -> None:
    first, second, third = letters
    with store.read() as tx:
        pages = [list_dead_letters(tx, limit=2), list_dead_letters(tx, before=second, limit=2)]
        open_ = list_dead_letters(tx, state=LetterState.STANDING, before=third)
        whole = show_dead_letter(tx, second)
        counts = count_letters(tx)

    assert [[(one.id, one.owner) for one in page] for page in pages] == [
        [(third, "-"), (second, STEWARD)],
        [(first, STEWARD)],
    ]
    assert [one.id for one in open_] == [second]
    assert whole and (whole.owner, whole.body) == (STEWARD, b"second")
    assert counts == {"standing": 2, "requeued": 0, "dropped": 1}


@pytest.fixture
def announced(store: Store) -> Store:
    """Alerts 1 and 2 of the incidents of two clients, and 3, a test that failed."""
    for client in ("acme", "bolt"):
        text = TEXT.replace("client: acme", f"client: {client}").replace("@acme", f"@{client}")
        publish_leads(store, text)
        (event_id,) = accept_leads(store, 1, client=client)
        with store.write() as tx:
            quarantine_events(
                tx,
                [event_id],
                source=State.ACCEPTED,
                workflow=lead_workflow(text),
                reason=Reason.NO_ROUTE,
                detail="no route",
                actor="worker",
            )
            announce_incidents(tx)
    with store.write() as tx:
        number = add_test(tx, STEWARD, actor="cli:ada")
        failed = update(alerts).where(alerts.c.id == number)
        tx.execute(failed.values(state=AlertState.FAILED, error="mail: refused"))
    return store


@pytest.mark.parametrize(
    ("sought", "numbers"),
    [
        ({}, [3, 2, 1]),
        ({"before": 3}, [2, 1]),
        ({"failing": True}, [3]),
        ({"state": "waiting"}, [2, 1]),
        ({"recipient": STEWARD}, [3]),
        ({"recipient": "triage"}, []),
        ({"incident": 2}, [2]),
        ({"client": "acme", "workflow": "leads"}, [1]),
        ({"client": "bolt", "workflow": "calls"}, []),
    ],
    ids=str,
)
def test_alerts_are_found_by_whom_they_go_to_and_what_they_tell_of(
    announced: Store, sought: dict[str, Any], numbers: list[int]
) -> None:
    with announced.read() as tx:
        assert [one.id for one in list_alerts(tx, SoughtAlerts(**sought))] == numbers


def test_a_page_of_alerts_holds_so_many_and_no_more(announced: Store) -> None:
    with announced.read() as tx:
        assert [one.id for one in list_alerts(tx, limit=2)] == [3, 2]
