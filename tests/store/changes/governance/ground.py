"""Where interleavings begin: stores by the thousand, each with its people and a live version."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Protocol

from orchestrator.domain.access.roles import EVERY_CLIENT, Role
from orchestrator.domain.recipes.file import recipe_of
from orchestrator.domain.workflows.workflow import Workflow
from orchestrator.store.database.engine import Store
from orchestrator.store.database.migrate import open_store
from tests.leads import TEXT, lead_workflow, publish_leads
from tests.model.clock import ModelClock
from tests.model.databases import Copies
from tests.people import add, add_admin, give
from tests.store.changes.governance.gates import GatedStore

FIRST = "head-of-support@acme.example"  # whom the live version names as its approver
SECOND = "second@acme.example"
THIRD = "third@acme.example"  # an admin, and the backstop
ON_CALL = "on-call@agency.example"
PEOPLE = (FIRST, SECOND, THIRD)
APPROVERS = (FIRST, SECOND)
STEPS = recipe_of(
    [{"rename": "customer_tier", "to": "tier"}, {"rename": "mail", "to": "email"}]
).steps


class Ground(Protocol):
    """Where interleavings are played."""

    clock: ModelClock

    def new(self, *, governed: bool) -> GatedStore:
        """A store as it is in the beginning, with approvers or before there were any."""

    def forget(self, store: GatedStore) -> None:
        """An interleaving is over."""


class Files:
    """SQLite: one store that is open for good, and whose file is copied over."""

    def __init__(self, folder: Path) -> None:
        self.clock = ModelClock()
        self._templates = {one: folder / f"template-{one}.db" for one in (False, True)}
        for governed, path in self._templates.items():
            url = f"sqlite:///{path}"
            open_store(url).close()
            store = Store(url)
            self.clock.rule(store)
            people_arrive(store, governed=governed)
            store.close()  # the last one to close folds the log into the file
        self._file = folder / "store.db"
        self._store = GatedStore(f"sqlite:///{self._file}")
        self.clock.rule(self._store)
        self._start = self.clock.ms

    def new(self, *, governed: bool) -> GatedStore:
        self._store.engine.dispose()
        for path in self._file.parent.glob(f"{self._file.name}-*"):
            path.unlink()
        shutil.copyfile(self._templates[governed], self._file)
        self.clock.ms = self._start + 60_000
        return self._store

    def forget(self, store: GatedStore) -> None:
        store.expect(None, lambda: None)

    def close(self) -> None:
        """Give the file back."""
        self._store.close()


class Databases:
    """PostgreSQL: a copy of a database for each."""

    def __init__(self, server: str) -> None:
        self.clock = ModelClock()
        self._copies = {
            governed: Copies(server, fill=self._filled(governed)) for governed in (False, True)
        }
        self._start = self.clock.ms

    def _filled(self, governed: bool) -> Callable[[str], Store]:
        def fill(url: str) -> Store:
            store = open_store(url)
            people_arrive(store, governed=governed)
            return store

        return fill

    def new(self, *, governed: bool) -> GatedStore:
        store = GatedStore(self._copies[governed].new())
        self.clock.ms = max(self._start, _now(store)) + 60_000
        self.clock.rule(store)
        return store

    def forget(self, store: GatedStore) -> None:
        store.close()
        url = store.url.render_as_string(hide_password=False)
        self._copies[True].forget(url)


def _now(store: Store) -> int:
    """The latest time at which a person was given a role, by the server's own clock."""
    with store.engine.connect() as tx:
        return int(tx.exec_driver_sql("SELECT max(granted_at) FROM person_roles").scalar_one())


def people_arrive(store: Store, *, governed: bool) -> None:
    """Version 1 is live; three people may propose. Where it is governed, two also approve."""
    publish_leads(store, _text(15, FIRST))
    add_admin(store)
    for mail in PEOPLE:
        add(store, mail, Role.OPERATOR, "acme")
    give(store, THIRD, Role.ADMIN, EVERY_CLIENT)
    for mail in APPROVERS if governed else ():
        give(store, mail, Role.APPROVER, "acme")


def _text(minutes: int, approver: str) -> str:
    return TEXT.replace("15m", f"{minutes}m").replace(FIRST, approver).replace(ON_CALL, THIRD)


@cache
def workflow(minutes: int, approver: str, amended: int) -> Workflow:
    """A version: how long it may take, whom it names, and how many recipes are in it."""
    found = lead_workflow(_text(minutes, approver))
    return found.model_copy(update={"amend": STEPS[:amended]})


def content_of(minutes: int, approver: str, amended: int) -> dict[str, object]:
    """The same as what the store keeps."""
    return workflow(minutes, approver, amended).definition()
