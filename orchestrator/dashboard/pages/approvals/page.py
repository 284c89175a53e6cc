"""What one event, or a group of them, would send, and the forms of a yes and a no."""

from __future__ import annotations

from dataclasses import dataclass

from tornado.web import authenticated

from orchestrator.dashboard.given import searchable
from orchestrator.dashboard.pages.frame import StorePage
from orchestrator.domain.access.actor import Actor, mail_of
from orchestrator.domain.acts import Act
from orchestrator.domain.approvals.requests import RequestState, is_group, read_group
from orchestrator.domain.documents.fields_of import fields_of
from orchestrator.operations.approvals.show import find_approval, find_group
from orchestrator.operations.approvals.who_decides import EventDeciders, who_decides_about
from orchestrator.presenting.changes import named
from orchestrator.store.approvals.views import ApprovalView, GroupView
from orchestrator.store.database.engine import Tx
from orchestrator.store.views.values import iso_time, now_of


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownApproval:
    """What the page shows; its fields are the names that the template has."""

    token: str  # an event's id, or of a group
    digest: str  # what a decision is about
    waits: bool  # for a decision
    group: GroupView | None  # None: it is one event
    requests: tuple[ApprovalView, ...]  # what is decided about; of an event, one
    may_decide: tuple[str, ...]  # mail addresses; none: nobody may
    asks_me: bool  # whoever looks may decide about it
    why_not: str | None  # why whoever looks may not, where they have the role
    now: str  # the store's time, ISO 8601 in UTC


class ApprovalPage(StorePage):
    """One event or one group that waits for a yes."""

    tab = "approvals"

    @authenticated
    async def get(self, token: str) -> None:
        """Answer GET /approvals/EVENT and GET /approvals/GROUP."""
        asked = searchable(token)
        await self.show(
            "approval.html", lambda tx, seen: self._look(tx, asked, seen), what="request"
        )

    def _look(self, tx: Tx, token: str, clients: frozenset[str] | None) -> dict[str, object]:
        found = look_at_approval(tx, token, clients, self.actor)
        offered = self.offered(tx, found.requests[0].client)
        may = found.asks_me and found.waits and Act.DECIDE_EVENT in offered
        return fields_of(found) | {"may": may, "named": named}


def look_at_approval(
    tx: Tx, token: str, clients: frozenset[str] | None = None, actor: Actor | None = None
) -> ShownApproval:
    """What the page shows to this reader. Raises NotFound, Refused."""
    group = find_group(tx, read_group(token), clients) if is_group(token) else None
    requests = (find_approval(tx, token, clients),) if group is None else group.requests
    first = requests[0]
    amenders = frozenset(first.amended_by if group is None else ())
    deciders = who_decides_about(tx, first.client, first.approver, amenders)
    mail = None if actor is None else mail_of(actor.name)
    return ShownApproval(
        token=first.event if group is None else group.group,
        digest=first.digest if group is None else group.digest,
        waits=first.state == RequestState.WAITING,
        group=group,
        requests=requests,
        may_decide=deciders.mails,
        asks_me=mail is not None and mail in deciders.mails,
        why_not=_why_not(deciders, mail),
        now=iso_time(now_of(tx)),
    )


def _why_not(deciders: EventDeciders, mail: str | None) -> str | None:
    """Said to whoever has the role: the others were never asked."""
    if mail is None or not any(one.mail == mail for one in deciders.known):
        return None
    return deciders.why_not(mail)
