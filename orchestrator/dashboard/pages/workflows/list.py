"""All workflows: whose they are, what is on its way in each, and when its last event came."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tornado.web import authenticated

from orchestrator.dashboard.filters import PageFilters
from orchestrator.dashboard.given import query_of, values_of
from orchestrator.dashboard.pages.files import CSV, JSON, File, StoreFile
from orchestrator.dashboard.pages.frame import StorePage
from orchestrator.dashboard.pages.workflows.words import tell_last_event
from orchestrator.operations.check_filters import check_filters
from orchestrator.presenting.csv_files import to_csv
from orchestrator.presenting.documents import to_json
from orchestrator.store.changes.views import open_changes_of
from orchestrator.store.database.engine import Tx
from orchestrator.store.views.events.show import name_workflows
from orchestrator.store.views.known_names import known_owners
from orchestrator.store.views.values import iso_time, now_of
from orchestrator.store.views.workflows.list import NEWEST, WorkflowRow, list_workflows

PAGE_SIZE = 50
MOST_IN_A_FILE = 1_000


@dataclass(frozen=True, kw_only=True)
class WorkflowFilters:
    """Which workflows; the fields are the names in the address."""

    client: str | None = None
    owner: str | None = None  # anybody whom a workflow names in a role
    after: str | None = None  # the last one of the page before: its client, a slash, its name

    @property
    def narrow(self) -> bool:
        """Whether they leave anything out."""
        return replace(self, after=None) != WorkflowFilters()

    def at(self, **changed: str | None) -> str:
        """The query of the same list, changed."""
        return query_of(replace(self, **changed))

    def find(
        self, tx: Tx, *, limit: int, clients: frozenset[str] | None = None
    ) -> tuple[list[WorkflowRow], str | None]:
        """The workflows, and behind which one the next page begins; None where there is none.

        Raises Refused for a name that never was there.
        """
        check_filters(tx, client=self.client, owner=self.owner, clients=clients)
        client, _, name = (self.after or "").partition("/")
        found = list_workflows(
            tx,
            client=self.client,
            clients=clients,
            owner=self.owner,
            after=(client, name) if self.after else None,
            limit=limit + 1,
        )
        shown = found[:limit]
        return shown, f"{shown[-1].client}/{shown[-1].workflow}" if len(found) > limit else None


class _Asked(StorePage):
    tab = "workflows"

    def asked(self) -> WorkflowFilters:
        """What the address asks for."""
        given = values_of(lambda name: self.get_argument(name, "", escape=False))
        return WorkflowFilters(client=given("client"), owner=given("owner"), after=given("after"))


class WorkflowsPage(_Asked):
    """The workflows that were asked for, with what is on its way."""

    @authenticated
    async def get(self) -> None:
        """Answer GET /workflows."""
        filters = self.asked()
        await self.show("workflows.html", lambda tx, seen: look_for_workflows(tx, filters, seen))


class InventoryPage(_Asked):
    """What there is: each workflow with its trigger, its people, the systems that it calls."""

    @authenticated
    async def get(self) -> None:
        """Answer GET /workflows/inventory."""
        filters = self.asked()
        await self.show("inventory.html", lambda tx, seen: look_for_workflows(tx, filters, seen))


class InventoryFile(_Asked, StoreFile):
    """The inventory as CSV or JSON, at most so many workflows as the page says."""

    @authenticated
    async def get(self, form: str) -> None:
        """Answer GET /workflows/inventory.csv and /workflows/inventory.json."""
        filters = self.asked()
        await self.give(lambda tx, seen: file_of_inventory(tx, filters, form, clients=seen))


def look_for_workflows(
    tx: Tx, filters: WorkflowFilters, clients: frozenset[str] | None = None
) -> dict[str, object]:
    """What the list and the inventory show. Raises Refused for a name that never was there."""
    shown, following = filters.find(tx, limit=PAGE_SIZE, clients=clients)
    now = now_of(tx)
    return {
        "filters": filters,
        "now": iso_time(now),
        "told_last": lambda last: tell_last_event(last, now),
        "rows": shown,
        "changes": open_changes_of(tx, {(one.client, one.workflow) for one in shown}),
        "next": following,
        "workflows": name_workflows(tx, clients),
        "owners": known_owners(tx) if clients is None else [],
        "most_in_a_file": MOST_IN_A_FILE,
        "newest": NEWEST,
        "at_events": _at_events,
    }


def _at_events(row: WorkflowRow, **more: str) -> str:
    """The query of a workflow's events."""
    return PageFilters(client=row.client, workflow=row.workflow).at(**more)


COLUMNS = (
    *("client", "workflow", "title", "version", "type"),
    *("owner", "recovery_lead", "approver", "backstop"),
    *("destination", "calls", "deliver_within", "recover_within", "published_at", "published_by"),
)
"""Of the file: a row per destination of a workflow."""


def file_of_inventory(
    tx: Tx,
    filters: WorkflowFilters,
    form: str,
    *,
    most: int = MOST_IN_A_FILE,
    clients: frozenset[str] | None = None,
) -> File:
    """The inventory as a file. Raises Refused for a name that never was there."""
    shown, after = filters.find(tx, limit=most, clients=clients)
    rows = [
        [{"destination": name, "calls": calls}.get(column) or getattr(one, column, None)
         for column in COLUMNS]
        for one in shown
        for name, calls in one.destinations
    ]  # fmt: skip
    following = None if after is None else filters.at(after=after)
    name = "inventory" if after is None else f"inventory-more-after-{after.replace('/', '-')}"
    if form == "csv":
        return File(
            name=f"{name}.csv", kind=CSV, content=to_csv(COLUMNS, rows), following=following
        )
    document = {
        "as_of": iso_time(now_of(tx)),
        "complete": after is None,
        "next_after": after,
        "destinations": [dict(zip(COLUMNS, row, strict=True)) for row in rows],
    }
    content = to_json(document, indented=True)
    return File(name=f"{name}.json", kind=JSON, content=content, following=following)
