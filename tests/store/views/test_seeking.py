"""Lists and numbers that are found by an index are those that a look at every event would find."""

from __future__ import annotations

from itertools import cycle
from typing import Any

import pytest
from sqlalchemy import func, insert, or_, select, update

from orchestrator.domain.lifecycle import STAGE_OF, State
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.database.schema import events, quarantine
from orchestrator.store.views.events import search as seeking
from orchestrator.store.views.events.counts import count_states
from orchestrator.store.views.events.search import Wanted
from orchestrator.store.views.events.show import list_events
from tests.leads import TEXT, lead, publish_leads

STATES = cycle([State.DELIVERED, State.QUARANTINED, State.DISCARDED, State.ROUTED, State.ACCEPTED])


@pytest.fixture
def filled(store: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Events in every state; those of the client `small` are few, and the oldest."""
    monkeypatch.setattr(seeking, "_NEAR", 7)
    publish_leads(store)
    publish_leads(store, TEXT.replace("acme", "small").replace("workflow: leads", "workflow: few"))
    for client, count in (("small", 10), ("acme", 30)):
        batch = [lead(n, key=f"form-{n}", client=client) for n in range(count)]
        for one in accept_batch(store, batch, actor="key:test"):
            with store.write() as tx:
                _bring_to(tx, one.id, next(STATES))
    return store


def _bring_to(tx: Tx, event_id: str, state: State) -> None:
    due = {} if state in STAGE_OF else {"due_at": None}
    tx.execute(update(events).where(events.c.id == event_id).values(state=state, **due))
    if state in (State.QUARANTINED, State.DISCARDED):
        words = dict.fromkeys(
            ("client", "workflow", "stage", "detail", "violations", "owner", "recovery_lead"), ""
        )
        tx.execute(
            insert(quarantine).values(
                **words,
                event_id=event_id,
                reason="no_route",
                since=now_ms(),
                recover_by=now_ms(),
                released_at=now_ms() if state == State.DISCARDED else None,
            )
        )


WHOSE: list[dict[str, str]] = [
    *({}, {"client": "acme"}, {"client": "small"}, {"client": "nobody"}),
    *({"workflow": "few"}, {"client": "acme", "workflow": "few"}),
]


@pytest.mark.parametrize("state", [None, *State])
@pytest.mark.parametrize("whose", WHOSE, ids=str)
def test_a_list_of_one_owner_or_state_leaves_nothing_out(
    filled: Store, whose: dict[str, str], state: State | None
) -> None:
    wanted: dict[str, Any] = {**whose, **({} if state is None else {"state": state.value})}
    with filled.read() as tx:
        middle = _every(tx)[20]
        for limit in (2, 100):
            for before in (None, middle):
                page: dict[str, Any] = {"limit": limit, "before": before}
                assert _listed(tx, **wanted, **page) == _every(tx, **wanted, **page)


def test_a_key_is_found_with_every_client_and_an_id_by_its_beginning(filled: Store) -> None:
    with filled.read() as tx:
        newest = _every(tx)[0]
        for text in ("form-3", "form-29", "form", newest, newest[:7].upper(), newest[:2], "ffff"):
            same = or_(events.c.idempotency_key == text, events.c.id.startswith(text.lower()))
            assert _listed(tx, text=text) == _every(tx, same)
            assert _listed(tx, text=text, client="acme") == _every(tx, same, client="acme")
            assert _listed(tx, text=text, state="routed") == _every(tx, same, state="routed")


@pytest.mark.parametrize("client", [None, "acme", "small", "nobody"])
def test_the_numbers_of_states_are_those_of_a_count(filled: Store, client: str | None) -> None:
    counted = select(events.c.state, func.count()).group_by(events.c.state)
    if client:
        counted = counted.where(events.c.client == client)
    with filled.read() as tx:
        found = {row[0]: row[1] for row in tx.execute(counted)}

        assert count_states(tx, client=client) == {one.value: found.get(one, 0) for one in State}


def _listed(tx: Tx, **wanted: Any) -> list[str]:
    return [one.id for one in list_events(tx, Wanted(**wanted))]


def _every(
    tx: Tx, *conditions: Any, limit: int = 100, before: str | None = None, **equal: str
) -> list[str]:
    """The ids of the events that hold all of this, the newest first."""
    looked = select(events.c.id).order_by(events.c.id.desc()).limit(limit).where(*conditions)
    for name, value in equal.items():
        looked = looked.where(events.c[name] == value)
    return list(
        tx.execute(looked if before is None else looked.where(events.c.id < before)).scalars()
    )
