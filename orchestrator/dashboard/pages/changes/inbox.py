"""What waits for whoever has logged in: changes, and what events would send."""

from __future__ import annotations

from tornado.web import authenticated

from orchestrator.dashboard.pages.frame import StorePage
from orchestrator.domain.access.actor import mail_of
from orchestrator.operations.approvals.who_decides import groups_for
from orchestrator.operations.changes.who_decides import MOST_WAITING, changes_for
from orchestrator.presenting.changes import KINDS, named
from orchestrator.store.database.engine import Tx
from orchestrator.store.views.values import iso, now_of


class InboxPage(StorePage):
    """What waits for whoever has logged in."""

    tab = "inbox"

    @authenticated
    async def get(self) -> None:
        """Answer GET /inbox."""
        mail = mail_of(self.actor.name)
        await self.show("inbox.html", lambda tx, seen: look_into_inbox(tx, mail, seen))


def look_into_inbox(
    tx: Tx, mail: str | None, clients: frozenset[str] | None = None
) -> dict[str, object]:
    """What the page shows."""
    return {
        "now": iso(now_of(tx)),
        "mail": mail,
        "inbox": changes_for(tx, mail, clients),
        "groups": groups_for(tx, mail, clients),
        "most": MOST_WAITING,
        "kinds": KINDS,
        "named": named,
    }
