"""Carrying a message to a contact: by mail, or by whatever service apprise knows."""

from __future__ import annotations

import asyncio
import logging
import threading
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.definition.references import UnresolvedReference, resolve
from connectors.registry import load_connectors
from orchestrator.domain.delivery.handoff import Connector, Outgoing
from orchestrator.domain.errors import MeshlineError
from orchestrator.keeper.contacts import MAIL, Contact
from orchestrator.keeper.guarding import guarded
from orchestrator.keeper.messages import Message, Urgency
from orchestrator.keeper.proxying import show_proxy
from orchestrator.settings import Settings


class Undeliverable(MeshlineError):
    """Raised when no way of a contact took a message; the text holds no address's secret."""


@dataclass(frozen=True, kw_only=True)
class Tried:
    """One way that a message was sent by."""

    way: str  # `mail`, or the reference to an address
    error: str | None  # without an address's secret; None if it was taken


def told_ways(tried: Sequence[Tried]) -> str:
    """The ways that did not take a message, in one line."""
    return "; ".join(f"{one.way}: {one.error}" for one in tried if one.error is not None)


def taken_by(tried: Sequence[Tried]) -> str:
    """The ways that took a message, in one line."""
    return ", ".join(one.way for one in tried if one.error is None)


_LOADING = threading.Lock()


def _services() -> Any:
    """The library, with every service that it knows loaded."""
    import apprise

    show_proxy()
    # It loads them when it reads the first address, and asks for what Python gives up.
    with _LOADING, warnings.catch_warnings(action="ignore"):
        apprise.Apprise().add("json://127.0.0.1")
    return apprise


_TYPES = {
    Urgency.LOW: "info",
    Urgency.NORMAL: "warning",
    Urgency.HIGH: "failure",
    Urgency.CRITICAL: "failure",
}
"""What services paint a message as."""


class Carrier:
    """The ways out, opened when the first message needs them."""

    def __init__(self, config: Settings) -> None:
        self._config = config
        self._mail: Connector | None = None

    def carry(self, message: Message, recipient: str, contact: Contact, *, key: str) -> list[Tried]:
        """Send by the first way that takes it; `key` is the same for every try.

        Answers the ways that were tried, the last of which took it. Raises Undeliverable.
        """
        tried = []
        for way in contact.to:
            tried.append(self.send_by(way, message, recipient, contact, key=key))
            if tried[-1].error is None:
                return tried
        raise Undeliverable(told_ways(tried))

    def send_by(
        self, way: str, message: Message, recipient: str, contact: Contact, *, key: str
    ) -> Tried:
        """Send by one way of a contact, and say what came of it."""
        try:
            if way == MAIL:
                self._by_mail(message, recipient, key)
            else:
                self._by_service(message, way, private=contact.private_network)
        except (MeshlineError, UnresolvedReference) as error:
            return Tried(way=way, error=str(error))
        return Tried(way=way, error=None)

    def _by_mail(self, message: Message, recipient: str, key: str) -> None:
        if self._mail is None:
            self._mail = load_connectors(self._config.connectors)["mail"]
        fields = {"to": recipient, "subject": message.subject, "text": message.text}
        asyncio.run(self._mail.create(Outgoing(key=key, action="send_mail", fields=fields)))

    def _by_service(self, message: Message, reference: str, *, private: bool) -> None:
        # It logs addresses, which hold secrets; what it cannot do is told without them.
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
        address = resolve(reference, folder=self._folder)
        apprise = _services()
        service = apprise.Apprise()
        if not service.add(address):
            raise Undeliverable("it leads to no address that apprise knows")
        for plugin in service:
            if plugin.secure_protocol == "jsons":  # a web hook: programs read it
                plugin.payload_extras.update(message.fields)
        try:
            with guarded(address, private=private) as guard:
                taken = service.notify(
                    body=message.text,
                    title=message.subject,
                    notify_type=_TYPES[message.urgency],
                    body_format=apprise.NotifyFormat.TEXT,
                )
        except Exception as error:  # noqa: BLE001 - each service has errors of its own
            raise Undeliverable(f"the service failed ({type(error).__name__})") from None
        if not taken and guard.refused:
            raise Undeliverable(guard.refused)
        if not taken:
            raise Undeliverable("the service did not take it")

    @property
    def _folder(self) -> Path | None:
        return self._config.contacts.parent if self._config.contacts else None
