"""The first page: what needs somebody now, where events are, and how many came and went."""

from __future__ import annotations

from collections.abc import Sequence

from tornado.web import authenticated

from orchestrator.dashboard.access.visitor import visitor_of
from orchestrator.dashboard.bars import Strip, draw_strip
from orchestrator.dashboard.kept import KeptByClients
from orchestrator.dashboard.pages.frame import StorePage
from orchestrator.dashboard.reader import StoreReader
from orchestrator.domain.access.actor import mail_of
from orchestrator.operations.changes.who_decides import changes_for
from orchestrator.store.database.engine import Tx
from orchestrator.store.views.destinations.list import blocked_circuits, is_seen
from orchestrator.store.views.incidents.list import Sought, list_incidents
from orchestrator.store.views.overview.attention import count_attention
from orchestrator.store.views.overview.stages import list_stages
from orchestrator.store.views.overview.traffic import Span, Traffic
from orchestrator.store.views.values import iso, now_of

MOST_INCIDENTS = 5


class NowPage(StorePage):
    """What needs somebody now."""

    tab = "now"

    def initialize(  # type: ignore[override] # a page is made of what its route gives
        self, reader: StoreReader, traffic: KeptByClients[Traffic]
    ) -> None:
        """Take what the route was given."""
        super().initialize(reader)
        self._traffic = traffic

    @authenticated
    async def get(self) -> None:
        """Answer GET /now."""
        visitor, mine = visitor_of(self.request), mail_of(self.actor.name)
        # What it costs grows with the events, also for one client: no page counts by itself.
        traffic = await self._traffic.newest(visitor.clients if visitor else frozenset())
        await self.show("now.html", lambda tx, seen: look_now(tx, seen, mine) | _drawn(traffic))


def look_now(
    tx: Tx, clients: frozenset[str] | None = None, mail: str | None = None
) -> dict[str, object]:
    """What the page asks the store each time; `mail` is who asks."""
    return {
        "mail": mail,
        "now": iso(now_of(tx)),
        "attention": count_attention(tx, clients=clients, mail=mail),
        "inbox": changes_for(tx, mail, clients),
        "incidents": list_incidents(tx, Sought(clients=clients), limit=MOST_INCIDENTS),
        "stages": list_stages(tx, clients=clients),
        "blocked": [one for one in blocked_circuits(tx) if is_seen(one.name, clients)],
    }


def _drawn(traffic: Traffic | None) -> dict[str, object]:
    spans = {"day": traffic.day, "week": traffic.week} if traffic else {}
    return {
        "traffic": traffic,
        "strips": {name: _strips(each) for name, each in spans.items()},
    }


def _strips(spans: Sequence[Span]) -> tuple[Strip, ...]:
    return (
        draw_strip("Arrived", [one.arrived for one in spans]),
        draw_strip("Delivered", [one.delivered for one in spans]),
        draw_strip("Stalled", [one.stalled for one in spans]),
    )
