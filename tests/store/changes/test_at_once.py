"""Two people at once: one is first, and the other is told who that was."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from orchestrator.domain.access.roles import Role
from orchestrator.domain.errors import MeshlineError
from orchestrator.operations.access.people import disable_person
from orchestrator.operations.changes import keep_time
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.store.database.engine import Store
from tests.leads import lead_workflow
from tests.people import ADMIN, add, age_roles, logged_in, withdraw
from tests.store.changes.governed import (
    APPROVER,
    OTHER,
    author,
    change,
    decide,
    govern,
    live_version,
    proposed,
    publish,
    version,
)


def at_once(*acts: Callable[[], object]) -> list[object]:
    """What each answers, or its error; all of them begin together."""
    together = Barrier(len(acts))

    def run(act: Callable[[], object]) -> object:
        together.wait(10)
        try:
            return act()
        except MeshlineError as error:
            return error

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(run, acts))


def test_two_approvers_decide_at_once(store: Store) -> None:
    govern(store)
    disable_person(store, APPROVER, actor=logged_in(store, ADMIN))
    add(store, "third@acme.example", Role.APPROVER, "acme")
    age_roles(store)
    token = proposed(store)
    deciders = [logged_in(store, mail) for mail in (OTHER, "third@acme.example")]

    answers = at_once(*(lambda by=by: decide(store, token, by=by) for by in deciders))

    (error,) = (one for one in answers if isinstance(one, MeshlineError))
    assert "it is live since" in str(error)
    assert (live_version(store), len(change(store, token).decisions)) == (2, 1)


def test_two_changes_of_one_workflow_are_approved_at_once(store: Store) -> None:
    govern(store)
    tokens = [proposed(store), proposed(store, version(30))]

    answers = at_once(*(lambda token=token: decide(store, token) for token in tokens))

    (error,) = (one for one in answers if isinstance(one, MeshlineError))
    assert "it is stale since" in str(error)
    assert live_version(store) == 2


def test_an_approver_loses_the_role_while_deciding(store: Store) -> None:
    govern(store)
    token = proposed(store)
    approver = logged_in(store, APPROVER)

    answers = at_once(
        lambda: decide(store, token, by=approver),
        lambda: withdraw(store, APPROVER, Role.APPROVER, "acme"),
    )

    refused = isinstance(answers[0], MeshlineError)
    assert live_version(store) == (1 if refused else 2)


def test_the_first_approver_comes_while_somebody_publishes(store: Store) -> None:
    govern(store)  # and a client for which nobody is an approver yet
    text = version().replace("client: acme", "client: globex")
    admin = logged_in(store, ADMIN)

    answers = at_once(
        lambda: publish(store, text, by=admin),
        lambda: add(store, "first@globex.example", Role.APPROVER, "globex"),
    )

    assert not [one for one in answers if isinstance(one, MeshlineError)]
    later = publish(store, text.replace("20m", "21m"), by=admin)
    assert later.state == "proposed"


def test_a_change_that_got_another_time_since_the_keeper_looked_waits_for_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    govern(store)
    waits, later = (
        publish_workflow(store, lead_workflow(version(one)), actor=author(store), at="1h").change
        or ""
        for one in (20, 30)
    )
    decide(store, later)
    monkeypatch.setattr(keep_time, "due_changes", lambda *_, **__: [waits, later])

    assert keep_time.keep_time_of_changes(store) == 0

    assert [change(store, one).state for one in (waits, later)] == ["awaiting_approval", "approved"]
    assert live_version(store) == 1
