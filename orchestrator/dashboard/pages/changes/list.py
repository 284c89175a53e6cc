"""Changes: which are proposed, who has to decide about each and until when; then those decided."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from tornado.web import authenticated

from orchestrator.dashboard.given import one_of, query_of, row_number, values_of
from orchestrator.dashboard.pages.frame import StorePage
from orchestrator.domain.changes.states import UNFINISHED, ChangeState
from orchestrator.operations.changes.who_decides import who_decides
from orchestrator.operations.check_filters import check_filters
from orchestrator.presenting.changes import KINDS, named
from orchestrator.store.changes.views import ChangeRow, list_changes
from orchestrator.store.database.engine import Tx
from orchestrator.store.views.events.show import name_workflows
from orchestrator.store.views.values import iso, now_of

PAGE_SIZE = 50


@dataclass(frozen=True, kw_only=True)
class ChangeFilters:
    """Which changes; the fields are the names in the address."""

    client: str | None = None
    workflow: str | None = None
    state: str | None = None
    before: str | None = None  # of those that are over, the last number of the page before

    @property
    def narrow(self) -> bool:
        """Whether they leave anything out."""
        return replace(self, before=None) != ChangeFilters()

    def at(self, **changed: str | None) -> str:
        """The query of the same list, changed."""
        return query_of(replace(self, **changed))

    def find(
        self,
        tx: Tx,
        clients: frozenset[str] | None,
        *,
        state: ChangeState | None = None,
        over: bool = False,
    ) -> list[tuple[int, ChangeRow]]:
        """Changes with their numbers, the newest first, one more than a page has."""
        return list_changes(
            tx,
            client=self.client,
            workflow=self.workflow,
            state=state,
            over=over,
            clients=clients,
            before=None if self.before is None or not over else int(self.before),
            limit=PAGE_SIZE + 1,
        )


def read_change_filters(argument: Callable[[str], str]) -> ChangeFilters:
    """The filters of a request. Raises Refused for a state that there is not."""
    given = values_of(argument)
    return ChangeFilters(
        client=given("client"),
        workflow=given("workflow"),
        state=one_of("state", given("state"), list(ChangeState)),
        before=row_number("before", given("before")),
    )


class ChangesPage(StorePage):
    """The changes that were asked for, those first that may still go live."""

    tab = "changes"

    @authenticated
    async def get(self) -> None:
        """Answer GET /changes."""
        await self.show("changes.html", self._look, what="client")

    def _look(self, tx: Tx, clients: frozenset[str] | None) -> dict[str, object]:
        filters = read_change_filters(lambda name: self.get_argument(name, "", escape=False))
        return look_for_changes(tx, filters, clients)


def look_for_changes(
    tx: Tx, filters: ChangeFilters, clients: frozenset[str] | None = None
) -> dict[str, object]:
    """What the list shows. Raises Refused for a name that never was there."""
    check_filters(tx, client=filters.client, workflow=filters.workflow, clients=clients)
    state = None if filters.state is None else ChangeState(filters.state)
    shows_open = filters.before is None and (state is None or state in UNFINISHED)
    shows_over = state is None or state not in UNFINISHED
    waiting = filters.find(tx, clients, state=state) if shows_open else []
    over = filters.find(tx, clients, state=state, over=True) if shows_over else []
    return {
        "now": iso(now_of(tx)),
        "filters": filters,
        "all_states": list(ChangeState),
        "workflows": name_workflows(tx, clients),
        "waiting": [row for _, row in waiting[:PAGE_SIZE]],
        "more_waiting": len(waiting) > PAGE_SIZE,
        "may": _may(tx, waiting[:PAGE_SIZE]),
        "over": [row for _, row in over[:PAGE_SIZE]],
        "following": str(over[PAGE_SIZE - 1][0]) if len(over) > PAGE_SIZE else None,
        "kinds": KINDS,
        "named": named,
    }


def _may(tx: Tx, rows: list[tuple[int, ChangeRow]]) -> dict[str, tuple[str, ...]]:
    """Who may decide, by the token of a change that awaits it."""
    asked = {
        number: row.change for number, row in rows if row.state == ChangeState.AWAITING_APPROVAL
    }
    return {asked[number]: one.mails for number, one in who_decides(tx, list(asked)).items()}
