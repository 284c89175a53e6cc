"""A client whose changes need an approval, with its people."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import update

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.access.roles import Role
from orchestrator.domain.changes.deciding import Decision
from orchestrator.operations.changes.decide import decide_change
from orchestrator.operations.changes.go_live import subject_of
from orchestrator.operations.changes.show import Settled
from orchestrator.operations.publish_workflow import Published, publish_workflow
from orchestrator.store.changes.changes import lock_change
from orchestrator.store.changes.views import ChangeView, show_change
from orchestrator.store.database.clock import after
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import change_decisions, changes
from orchestrator.store.quarantine.workflows import live_workflow
from tests.leads import TEXT, lead_workflow, publish_leads
from tests.people import add, add_admin, age_roles, logged_in

APPROVER = "head-of-support@acme.example"  # whom the workflow names
OTHER = "second@acme.example"
AUTHOR = "author@acme.example"


def govern(store: Store) -> None:
    """Version 1 of leads is live; an author, the approver that it names, and a second one."""
    publish_leads(store)
    add_admin(store)
    add(store, AUTHOR, Role.OPERATOR, "acme")
    add(store, APPROVER, Role.APPROVER, "acme")
    add(store, OTHER, Role.APPROVER, "acme")
    age_roles(store)


def author(store: Store) -> Actor:
    return logged_in(store, AUTHOR)


def approver(store: Store) -> Actor:
    return logged_in(store, APPROVER)


def time_comes(store: Store, token: str) -> None:
    """An approved change had been proposed, and approved, for a time that is over by now."""
    with store.write() as tx:
        at = update(changes).where(changes.c.token == token)
        tx.execute(at.values(go_live_at=after(-1)))
        locked = lock_change(tx, token)
        assert locked is not None
        subject = subject_of(locked).digest()
        tx.execute(at.values(subject=subject))
        of_it = change_decisions.c.change_id == locked.id
        tx.execute(update(change_decisions).where(of_it).values(subject=subject))


def version(minutes: int = 20, text: str = TEXT) -> str:
    """The text of a file that differs from the live one in how long a delivery may take."""
    return text.replace("15m", f"{minutes}m")


def proposed(store: Store, text: str | None = None, *, by: Actor | None = None) -> str:
    """The token of a change that awaits an approval."""
    done = publish(store, text, by=by)
    assert (done.state, done.version, done.unchanged) == ("proposed", None, False)
    assert done.change is not None
    return done.change


def publish(store: Store, text: str | None = None, *, by: Actor | None = None) -> Published:
    return publish_workflow(store, lead_workflow(text or version()), actor=by or author(store))


def decide(
    store: Store,
    token: str,
    *,
    by: Actor | None = None,
    decision: Decision = Decision.APPROVE,
    seen: Collection[str] = (),
) -> Settled:
    why = None if decision is Decision.APPROVE else "not so"
    seen = seen or (change(store, token).digest,)  # an approval of what was edited names it
    return decide_change(store, token, decision, actor=by or approver(store), why=why, seen=seen)


def change(store: Store, token: str) -> ChangeView:
    with store.read() as tx:
        found = show_change(tx, token)
    assert found is not None
    return found


def live_version(store: Store) -> int | None:
    with store.read() as tx:
        live = live_workflow(tx, "acme", "leads")
    return None if live is None else live.version
