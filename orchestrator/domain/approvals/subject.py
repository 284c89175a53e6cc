"""What the approval of an event is of: one digest over all that will be sent."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson

from orchestrator.domain.event import Item


@dataclass(frozen=True, kw_only=True, slots=True)
class ToSend:
    """One delivery of an event, as an approver sees it before it is sent."""

    name: str  # within its event
    destination: str
    item: Item  # the key of the item that it is for; None: for the whole event
    connector: str
    action: str
    send: Mapping[str, object]  # JSON values by field name
    confirm: tuple[str, ...]  # fields that are compared with the record afterwards
    after: tuple[str, ...]  # the destinations that have to be confirmed before it is sent
    pending: tuple[str, ...]  # fields whose values come from the records of these
    state: str  # as `DeliveryState`: what was made before is not sent again


@dataclass(frozen=True, kw_only=True, slots=True)
class EventSubject:
    """What somebody decides about."""

    salt: str  # random: the digest stays in the audit, and must tell nothing of erased values
    client: str
    workflow: str
    version: int  # of the workflow that the event runs under
    event: str  # its id
    route: int  # from 1
    deliveries: Sequence[ToSend]
    connectors: Mapping[str, str | None]  # digests of the definitions; None: there was none

    def digest(self) -> str:
        """64 hex digits: sha256 over the canonical JSON of the fields.

        The states of the deliveries are not in it: it stays the same while they are made one by
        one. Neither is what a pending field is sent.
        """
        document = {
            "salt": self.salt,
            "client": self.client,
            "workflow": self.workflow,
            "version": self.version,
            "event": self.event,
            "route": self.route,
            "deliveries": [_said(one) for one in sorted(self.deliveries, key=_by_name)],
            "connectors": dict(self.connectors),
        }
        return digest_of(document)


def _by_name(one: ToSend) -> str:
    return one.name


def _said(one: ToSend) -> dict[str, object]:
    return {
        "name": one.name,
        "destination": one.destination,
        "item": one.item,
        "connector": one.connector,
        "action": one.action,
        "send": {name: one.send[name] for name in one.send if name not in one.pending},
        "confirm": [name for name in one.confirm if name not in one.pending],
        "after": list(one.after),
        "pending": list(one.pending),
    }


def digest_of(document: object) -> str:
    """64 hex digits: sha256 over the canonical JSON of a document."""
    return hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).hexdigest()
