"""Two people amend one event at once: the second is told who did it, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import pytest

from orchestrator.domain.access.actor import login
from orchestrator.domain.recipes.amendment import parse_amendments
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.quarantine.discard import discard_events
from orchestrator.operations.repair.amend import Fixed, fix_events, reset_events
from orchestrator.operations.replay.without_plan import replay_events
from orchestrator.store.database.engine import Store
from orchestrator.store.quarantine.actions import effective_payloads
from orchestrator.store.views.quarantine.selection import Selection
from tests.cli.desk import validate_leads
from tests.leads import publish_leads, renamed_lead

ALL = Selection(workflow="leads")


def quarantined(store: Store, count: int) -> list[str]:
    publish_leads(store)
    accepted = accept_batch(store, [renamed_lead(n) for n in range(count)], actor="key:test")
    validate_leads(store)
    return [one.id for one in accepted]


def fix(store: Store, tier: str, actor: str, *, again: bool = False) -> Fixed:
    changes = parse_amendments([], [f"tier={tier}"], ["customer_tier"])
    return fix_events(store, ALL, changes, actor=login(actor), again=again)


def meanwhile(monkeypatch: pytest.MonkeyPatch, store: Store, act: Callable[[], Any]) -> None:
    """Somebody else acts when the next command has read, and has not yet written."""
    write = store.write

    @contextmanager
    def later(**given: Any) -> Any:
        monkeypatch.setattr(store, "write", write)
        act()
        with write(**given) as tx:
            yield tx

    monkeypatch.setattr(store, "write", later)


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("second", ["cli:bob", "cli:ana"])
def test_who_fixes_second_is_told_who_was_first(
    store: Store, monkeypatch: pytest.MonkeyPatch, second: str, again: bool
) -> None:
    (event_id,) = quarantined(store, 1)
    meanwhile(monkeypatch, store, lambda: fix(store, "pro", "cli:ana"))

    done = fix(store, "enterprise", second, again=again)

    assert (done.ids, done.passed_over) == ([], [])
    (told,) = done.changed
    assert told.act and (told.id, told.act.done, told.act.by) == (event_id, "amended", "cli:ana")
    with store.read() as tx:
        assert effective_payloads(tx, [event_id])[event_id]["tier"] == "pro"  # type: ignore[index]


def test_who_resets_what_is_fixed_again_meanwhile_is_told(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    quarantined(store, 1)
    fix(store, "pro", "cli:ana")
    other = parse_amendments([], ["tier=enterprise"], [])
    meanwhile(
        monkeypatch,
        store,
        lambda: fix_events(store, ALL, other, actor=login("cli:bob"), again=True),
    )

    done = reset_events(store, ALL, actor=login("cli:ana"))

    assert (done.ids, [one.act.by for one in done.changed if one.act]) == ([], ["cli:bob"])


def test_what_is_replayed_meanwhile_is_left_alone_and_said(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    (event_id,) = quarantined(store, 1)
    fix(store, "pro", "cli:ana")
    meanwhile(monkeypatch, store, lambda: replay_events(store, ALL, actor=login("cli:ana")))

    done = fix(store, "enterprise", "cli:bob", again=True)

    (told,) = done.skipped
    assert (told.id, told.state) == (event_id, "accepted")
    assert told.act and (told.act.done, told.act.by) == ("replayed", "cli:ana")


def test_what_is_replayed_while_another_discards_is_said_to_the_second(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    (event_id,) = quarantined(store, 1)
    fix(store, "pro", "cli:ana")
    meanwhile(monkeypatch, store, lambda: replay_events(store, ALL, actor=login("cli:ana")))

    done = discard_events(store, ALL, why="test leads", actor=login("cli:bob"))

    assert done.ids == []
    (told,) = done.skipped
    assert told.act and (told.id, told.act.done, told.act.by) == (event_id, "replayed", "cli:ana")
