"""The audit: who did what, when and why; and the same rows as a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from tornado.web import authenticated

from orchestrator.dashboard.given import number_of, query_of, row_number, time_of, values_of
from orchestrator.dashboard.pages.files import CSV, JSON, File, StoreFile
from orchestrator.dashboard.pages.frame import StorePage
from orchestrator.domain.errors import Refused
from orchestrator.domain.text.given_times import given_time
from orchestrator.operations.check_filters import check_filters
from orchestrator.presenting.audit_lines import COLUMNS, columns_of, what
from orchestrator.presenting.csv_files import to_csv
from orchestrator.presenting.documents import to_json
from orchestrator.store.database.engine import Tx
from orchestrator.store.views.audit import AuditRow
from orchestrator.store.views.audit_search import AuditSought, search_audit
from orchestrator.store.views.events.show import name_workflows
from orchestrator.store.views.values import iso_time, now_of

PAGE_SIZE = 50
MOST_IN_A_FILE = 10_000
_LOOKED_AT_FOR_A_FILE = 500_000  # rows


@dataclass(frozen=True, kw_only=True)
class AuditFilters:
    """Which rows; the fields are the names in the address."""

    actor: str | None = None
    action: str | None = None  # in the audit's own word
    client: str | None = None
    workflow: str | None = None
    event: str | None = None  # its whole id
    incident: str | None = None  # its number
    since: str | None = None  # a time as people write it
    until: str | None = None
    before: str | None = None  # only rows with numbers below it

    @property
    def narrow(self) -> bool:
        """Whether they leave anything out."""
        return replace(self, before=None) != AuditFilters()

    def at(self, **changed: str | None) -> str:
        """The query of the same list, changed."""
        return query_of(replace(self, **changed))

    def sought(self, now: int) -> AuditSought:
        """What to ask the store for; `now` is its time, in milliseconds."""
        return AuditSought(
            actor=self.actor,
            action=self.action,
            client=self.client,
            workflow=self.workflow,
            event_id=self.event,
            incident=None if self.incident is None else int(self.incident),
            since=None if self.since is None else given_time(self.since, now),
            until=None if self.until is None else given_time(self.until, now),
            before=None if self.before is None else int(self.before),
        )


def read_audit_filters(argument: Callable[[str], str]) -> AuditFilters:
    """The filters of a request; `argument` answers "" for what was not given. Raises Refused."""
    given = values_of(argument)
    return AuditFilters(
        actor=given("actor"),
        action=given("action"),
        client=given("client"),
        workflow=given("workflow"),
        event=given("event"),
        incident=number_of(given("incident")),
        since=time_of("since", given("since")),
        until=time_of("until", given("until")),
        before=row_number("before", given("before")),
    )


class AuditPage(StorePage):
    """The rows that were asked for."""

    tab = "audit"

    @authenticated
    async def get(self) -> None:
        """Answer GET /audit."""
        try:
            filters = read_audit_filters(lambda name: self.get_argument(name, "", escape=False))
        except Refused as error:
            self.tell(400, "That cannot be listed", error)
            return
        await self.show("audit.html", lambda tx, seen: look_for_rows(tx, filters, seen))


class AuditFile(StoreFile):
    """The same rows as CSV or JSON, at most so many as the page says."""

    tab = "audit"

    @authenticated
    async def get(self, form: str) -> None:
        """Answer GET /audit.csv and /audit.json."""
        try:
            filters = read_audit_filters(lambda name: self.get_argument(name, "", escape=False))
        except Refused as error:
            self.tell(400, "That cannot be listed", error)
            return
        await self.give(
            lambda tx, seen: file_of_rows(tx, filters, form, clients=seen, veil=self.veil)
        )


def look_for_rows(
    tx: Tx, filters: AuditFilters, clients: frozenset[str] | None = None
) -> dict[str, object]:
    """What the page shows. Raises Refused for a name that never was there."""
    check_filters(tx, client=filters.client, workflow=filters.workflow, clients=clients)
    now = now_of(tx)
    found = search_audit(tx, replace(filters.sought(now), clients=clients), limit=PAGE_SIZE)
    return {
        "filters": filters,
        "now": iso_time(now),
        "page": found,
        "next": None if found.before is None else str(found.before),
        "workflows": name_workflows(tx, clients),
        "most_in_a_file": MOST_IN_A_FILE,
        "told_what": what,
    }


def file_of_rows(
    tx: Tx,
    filters: AuditFilters,
    form: str,
    *,
    most: int = MOST_IN_A_FILE,
    clients: frozenset[str] | None = None,
    veil: Callable[[Tx, tuple[AuditRow, ...]], tuple[AuditRow, ...]] = lambda _, rows: rows,
) -> File:
    """Rows as a file in the words of the page. Raises Refused for a name that never was there.

    A file that does not hold every row says so by its name, and in its JSON.
    """
    check_filters(tx, client=filters.client, workflow=filters.workflow, clients=clients)
    now = now_of(tx)
    sought = replace(filters.sought(now), clients=clients)
    found = search_audit(tx, sought, limit=most, most=_LOOKED_AT_FOR_A_FILE)
    rows = [columns_of(row) for row in veil(tx, found.rows)]
    following = None if found.before is None else filters.at(before=str(found.before))
    name = "audit" if found.before is None else f"audit-more-before-{found.before}"
    if form == "csv":
        return File(
            name=f"{name}.csv", kind=CSV, content=to_csv(COLUMNS, rows), following=following
        )
    document = {
        "as_of": iso_time(now),
        "complete": found.before is None,
        "next_before": found.before,
        "looked_back_to": found.looked_back_to,
        "audit": [dict(zip(COLUMNS, row, strict=True)) for row in rows],
    }
    content = to_json(document, indented=True)
    return File(name=f"{name}.json", kind=JSON, content=content, following=following)
