"""Alerts about a change: to whoever may decide, and to its authors about what became of it."""

from __future__ import annotations

import orjson

from orchestrator.domain.access.actor import Actor, mail_of
from orchestrator.operations.changes.who_decides import who_decides
from orchestrator.store.changes.approvers import deciders_of
from orchestrator.store.changes.authors import list_authors
from orchestrator.store.changes.changes import LockedChange
from orchestrator.store.clocks.alerts import AlertKind
from orchestrator.store.clocks.change_alerts import AboutChange, add_change_alert
from orchestrator.store.database.engine import Tx
from orchestrator.store.views.values import now_of

_REMINDED_MS = 2 * 86_400_000  # before a change expires, or halfway where it expires sooner


def tell_asked(tx: Tx, change: LockedChange) -> None:
    """Ask everybody who may decide about this round, and remind them before it expires.

    Where nobody may, it alerts the approver and the backstop that the change's file names.
    """
    now = now_of(tx)
    remind_at = max(change.expires_at - _REMINDED_MS, (now + change.expires_at) // 2)
    for mail in who_decides(tx, [change.id])[change.id].mails or _named(change):
        add_change_alert(tx, _about(change), AlertKind.ASKED, mail)
        add_change_alert(tx, _about(change), AlertKind.EXPIRING, mail, due_at=remind_at)


def tell_authors(
    tx: Tx, change: LockedChange, kind: AlertKind, *, actor: Actor, news: str | None = None
) -> None:
    """Tell its authors what became of it, but not whoever did it; `news` is why, or what."""
    for author in list_authors(tx, change.id):
        mail = mail_of(author.name)
        if mail is not None and mail != mail_of(actor.name):
            add_change_alert(tx, _about(change), kind, mail, news=news)


def tell_owners(
    tx: Tx, change: LockedChange, kind: AlertKind, *, actor: Actor, news: str | None = None
) -> None:
    """Tell owner and approver that its definition names, but not whoever did it."""
    owners = orjson.loads(change.definition)["owners"]
    for mail in dict.fromkeys((owners["approver"], owners["owner"])):
        if mail != mail_of(actor.name):
            add_change_alert(tx, _about(change), kind, mail, news=news)


def tell_approvers(
    tx: Tx, change: LockedChange, kind: AlertKind, *, actor: Actor, news: str
) -> None:
    """Tell every approver of its client, whatever their word about it is worth."""
    for one in deciders_of(tx, change.client):
        if one.mail != mail_of(actor.name):
            add_change_alert(tx, _about(change), kind, one.mail, news=news)


def _named(change: LockedChange) -> tuple[str, ...]:
    owners = orjson.loads(change.definition)["owners"]
    return tuple(dict.fromkeys((owners["approver"], owners["backstop"])))


def _about(change: LockedChange) -> AboutChange:
    return AboutChange(id=change.id, round=change.round, subject=change.subject)
