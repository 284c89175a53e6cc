"""Mail over SMTP: a receipt, never a confirmation.

SMTP cannot be asked whether a mail arrived and does not fold a mail that is sent twice: the action
declares no idempotency, and a lost answer goes to a person. The Message-ID is made from the key, so
that a mail that a person sends again can be told from a new one, and some mailboxes fold the two;
nothing here relies on that.
"""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import formatdate
from hashlib import blake2b
from pathlib import Path

from connectors.definition.references import UnresolvedReference
from connectors.definition.shared_keys import SmtpDefinition, limits_of
from connectors.mail.message import Head, one_line, written
from connectors.mail.server import MailServer, resolve_server
from orchestrator.domain.delivery.handoff import (
    Action,
    Idempotency,
    Limits,
    Outgoing,
    Proof,
    Record,
)
from orchestrator.domain.errors import DestinationRefused, DestinationUnavailable, Unauthorized
from orchestrator.domain.text.addresses import is_mailable

SEND_MAIL = "send_mail"
_MOST_RECIPIENTS = 50


class MailConnector:
    """One mail server, as its definition says."""

    def __init__(self, definition: SmtpDefinition, *, folder: Path | None) -> None:
        self.name = definition.connector
        self._definition = definition
        self._folder = folder
        self._server: MailServer | None = None
        self._actions = {
            SEND_MAIL: Action(
                name=SEND_MAIL,
                idempotency=Idempotency.NONE,
                proof=Proof.RECEIPT,
                required=frozenset({"to", "subject", "text"}),
                optional=frozenset({"cc", "reply_to", "html"}),
                timeout_seconds=definition.timeout_seconds,
                max_in_flight=definition.max_in_flight,
            )
        }

    @property
    def actions(self) -> Mapping[str, Action]:
        """The actions by name."""
        return self._actions

    @property
    def limits(self) -> Limits:
        """What the server is spared."""
        return limits_of(self._definition)

    @property
    def masks(self) -> frozenset[str]:
        """What nobody may be shown of the server's words: known after the first mail."""
        return self._server.masks if self._server else frozenset()

    async def create(self, call: Outgoing) -> str:
        """Send the mail to all its recipients or to none; its Message-ID."""
        from connectors.mail.smtp_client import deliver

        try:
            if self._server is None:
                self._server = resolve_server(self._definition, self._folder)
        except UnresolvedReference as error:
            raise DestinationUnavailable(str(error)) from None
        mail = compose(call, self._server.sender)
        recipients = [*_addresses(call, "to"), *_addresses(call, "cc")]
        try:
            await deliver(self._server, recipients, mail, self._definition.timeout_seconds)
        except Unauthorized:
            self._server = None  # the secret may have been changed; the next call reads it anew
            raise
        return message_id(call.key, self._server.sender)

    def render(self, call: Outgoing) -> None:
        """Write the mail that `create` would send. Raises DestinationRefused."""
        compose(call, "rehearsal@example.com")

    async def lookup(self, call: Outgoing) -> str | None:
        """SMTP has no look-up."""
        raise DestinationRefused(f"{call.action} has no look-up")

    async def read(self, call: Outgoing, record_id: str) -> Record | None:
        """SMTP has no read."""
        raise DestinationRefused(f"{call.action} cannot be read back: {record_id} is a receipt")

    async def undo(self, call: Outgoing, record_id: str) -> None:
        """SMTP takes nothing back."""
        raise DestinationRefused(f"{call.action} cannot be taken back: {record_id} was sent")

    async def close(self) -> None:
        """Nothing stays open between two mails."""


def compose(call: Outgoing, sender: str) -> bytes:
    """The mail of a delivery. Raises DestinationRefused for what would break out of a header."""
    head = [Head(name="From", text=sender)]
    for name, field in (("To", "to"), ("Cc", "cc"), ("Reply-To", "reply_to")):
        if field in call.fields:
            head.append(Head(name=name, text=", ".join(_addresses(call, field))))
    head += [
        Head(name="Subject", text=one_line(_text(call, "subject"), field="subject")),
        Head(name="Date", text=formatdate()),
        Head(name="Message-ID", text=message_id(call.key, sender)),
        # RFC 3834: no out-of-office replies to us.
        Head(name="Auto-Submitted", text="auto-generated"),
    ]
    html = _text(call, "html") if "html" in call.fields else None
    return written(head, _text(call, "text"), html)


def message_id(key: str, sender: str) -> str:
    """The same for every attempt of a delivery."""
    digest = blake2b(key.encode(), digest_size=16).hexdigest()
    return f"<{digest}@{sender.rpartition('@')[2]}>"


def _addresses(call: Outgoing, field: str) -> list[str]:
    value = call.fields.get(field, [])
    given = value if isinstance(value, list) else [value]
    addresses = [one for one in given if isinstance(one, str) and is_mailable(one)]
    if len(addresses) != len(given):
        raise DestinationRefused(f"{field} is not a mail address, or not plain ASCII")
    if len(addresses) > _MOST_RECIPIENTS:
        raise DestinationRefused(f"{field} has more than {_MOST_RECIPIENTS} addresses")
    if not addresses and field in call.fields:
        raise DestinationRefused(f"{field} is empty")
    return addresses


def _text(call: Outgoing, field: str) -> str:
    value = call.fields[field]
    if not isinstance(value, str):
        raise DestinationRefused(f"{field} is not text")
    return value
