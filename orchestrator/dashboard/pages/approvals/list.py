"""Events that wait for a yes: together by workflow and route, and one by one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from tornado.web import authenticated

from orchestrator.dashboard.given import one_of, query_of, row_number, values_of
from orchestrator.dashboard.pages.frame import StorePage
from orchestrator.operations.check_filters import check_filters
from orchestrator.store.approvals.list import list_approvals, list_groups
from orchestrator.store.database.engine import Tx
from orchestrator.store.views.events.show import name_workflows
from orchestrator.store.views.values import iso, now_of

PAGE_SIZE = 50


@dataclass(frozen=True, kw_only=True)
class ApprovalFilters:
    """Which requests; the fields are the names in the address."""

    client: str | None = None
    workflow: str | None = None
    show: str | None = None  # all: also those that are decided
    after: str | None = None  # the last number of the page before

    @property
    def narrow(self) -> bool:
        """Whether they leave anything out, or ask for more than what waits."""
        return replace(self, after=None) != ApprovalFilters()

    def at(self, **changed: str | None) -> str:
        """The query of the same list, changed."""
        return query_of(replace(self, **changed))


def read_approval_filters(argument: Callable[[str], str]) -> ApprovalFilters:
    """The filters of a request. Raises Refused for one that there is not."""
    given = values_of(argument)
    return ApprovalFilters(
        client=given("client"),
        workflow=given("workflow"),
        show=one_of("show", given("show"), ["all"]),
        after=row_number("after", given("after")),
    )


class ApprovalsPage(StorePage):
    """What waits for a yes, the oldest first."""

    tab = "approvals"

    @authenticated
    async def get(self) -> None:
        """Answer GET /approvals."""
        await self.show("approvals.html", self._look, what="client")

    def _look(self, tx: Tx, clients: frozenset[str] | None) -> dict[str, object]:
        filters = read_approval_filters(lambda name: self.get_argument(name, "", escape=False))
        return look_for_approvals(tx, filters, clients)


def look_for_approvals(
    tx: Tx, filters: ApprovalFilters, clients: frozenset[str] | None = None
) -> dict[str, object]:
    """What the list shows. Raises Refused for a name that never was there."""
    client, workflow = filters.client, filters.workflow
    check_filters(tx, client=client, workflow=workflow, clients=clients)
    rows = list_approvals(
        tx,
        client=client,
        workflow=workflow,
        every=filters.show == "all",
        clients=clients,
        after=None if filters.after is None else int(filters.after),
        limit=PAGE_SIZE + 1,
    )
    return {
        "now": iso(now_of(tx)),
        "filters": filters,
        "workflows": name_workflows(tx, clients),
        "groups": list_groups(tx, client=client, workflow=workflow, clients=clients),
        "requests": [row for _, row in rows[:PAGE_SIZE]],
        "following": str(rows[PAGE_SIZE - 1][0]) if len(rows) > PAGE_SIZE else None,
    }
