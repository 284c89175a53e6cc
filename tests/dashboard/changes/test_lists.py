"""The list of changes, the inbox, and the links that lead there; on every kind of store."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from sqlalchemy import event

from orchestrator.dashboard.pages.changes.inbox import look_into_inbox
from orchestrator.dashboard.pages.changes.list import ChangeFilters, look_for_changes
from orchestrator.dashboard.pages.changes.page import look_at_change
from orchestrator.dashboard.pages.now import look_now
from orchestrator.dashboard.pages.workflows.list import WorkflowFilters, look_for_workflows
from orchestrator.dashboard.pages.workflows.page import look_at_workflow
from orchestrator.domain.access.roles import Role
from orchestrator.domain.changes.deciding import Decision
from orchestrator.operations.changes.who_decides import changes_for
from orchestrator.store.database.engine import Store, Tx
from tests.people import give, logged_in
from tests.store.changes.governed import APPROVER, AUTHOR, OTHER, decide, govern, proposed, version


def count_statements(store: Store, look: Callable[[Tx], object]) -> int:
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        seen.append(statement)

    event.listen(store.engine, "before_cursor_execute", note)
    with store.read() as tx:
        look(tx)
    event.remove(store.engine, "before_cursor_execute", note)
    return len(seen)


def mine(store: Store, mail: str) -> list[str]:
    with store.read() as tx:
        return [one.change for one in changes_for(tx, mail, None).changes]


def test_a_change_waits_for_whom_the_live_version_names_and_for_nobody_else(store: Store) -> None:
    govern(store)
    token = proposed(store)

    assert mine(store, APPROVER) == [token]
    assert mine(store, OTHER) == mine(store, AUTHOR) == mine(store, "nobody@acme.example") == []

    decide(store, token, decision=Decision.REJECT)
    assert mine(store, APPROVER) == []


def test_an_authors_own_change_waits_for_the_others(store: Store) -> None:
    govern(store)
    give(store, APPROVER, Role.OPERATOR, "acme")
    token = proposed(store, by=logged_in(store, APPROVER))

    assert (mine(store, APPROVER), mine(store, OTHER)) == ([], [token])


def test_the_list_has_what_may_go_live_before_what_is_over(store: Store) -> None:
    govern(store)
    rejected, open_ = proposed(store, version(20)), proposed(store, version(21))
    decide(store, rejected, decision=Decision.REJECT)

    with store.read() as tx:
        every: Any = look_for_changes(tx, ChangeFilters(client="acme", workflow="leads"))
        some: Any = look_for_changes(tx, ChangeFilters(state="rejected"))
        none = look_for_changes(tx, ChangeFilters(), frozenset({"bolt"}))

    assert [one.change for one in every["waiting"]] == [open_]
    assert every["may"] == {open_: (APPROVER,)}
    assert every["over"][0].change == rejected
    assert (some["waiting"], [one.change for one in some["over"]]) == ([], [rejected])
    assert none["waiting"] == none["over"] == []


def test_pages_ask_as_often_for_many_changes_as_for_few(store: Store) -> None:
    govern(store)
    token = proposed(store, version(20))
    looks: dict[str, tuple[int, Callable[[Tx], object]]] = {
        "changes": (12, lambda tx: look_for_changes(tx, ChangeFilters(client="acme"))),
        "change": (36, partial(look_at_change, token=token)),
        "inbox": (12, partial(look_into_inbox, mail=APPROVER)),
        "now": (21, partial(look_now, mail=APPROVER)),
        "workflows": (12, lambda tx: look_for_workflows(tx, WorkflowFilters())),
        "workflow": (16, lambda tx: look_at_workflow(tx, "acme", "leads")),
    }
    few = {name: count_statements(store, look) for name, (_, look) in looks.items()}
    for minutes in range(21, 40):
        proposed(store, version(minutes))
    many = {name: count_statements(store, look) for name, (_, look) in looks.items()}

    assert few == many
    assert {
        name: (many[name], most) for name, (most, _) in looks.items() if many[name] > most
    } == {}
