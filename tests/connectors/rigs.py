"""Connectors with a destination behind them that a test can count in and break."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from connectors.fake import FakeConnector, Mishap
from connectors.handoff.single import hand_over
from connectors.mail.connector import message_id
from connectors.registry import load_connectors
from connectors.rigging import Bench, Rig
from orchestrator.domain.delivery.handoff import Connector, Outgoing
from orchestrator.domain.errors import DestinationRefused, OutcomeUnknown, RateLimited, Unauthorized
from orchestrator.domain.errors import DestinationUnavailable as Unavailable
from orchestrator.sandbox.server import Sandbox, start_sandbox

SECRET = "s3cret-t0ken"
PROJECT = Path(__file__).parents[2]
OWN = Path(__file__).parent / "definitions"


class SandboxRig(Rig):
    """The HTTP connector with a sandbox in the same loop."""

    secret = SECRET

    def __init__(
        self,
        connector: str,
        action: str,
        fields: dict[str, object],
        *,
        folder: Path,
        environment: pytest.MonkeyPatch,
    ) -> None:
        self.action, self.fields = action, fields
        self.sandbox = Sandbox(SECRET)
        self.environment = environment
        environment.setenv("MESHLINE_SANDBOX_TOKEN", SECRET)
        environment.setenv("MESHLINE_SANDBOX_URL", "http://127.0.0.1:1")
        self.connector = load_connectors(folder)[connector]

    async def start(self) -> None:
        self.server, port = await start_sandbox(self.sandbox)
        self.environment.setenv("MESHLINE_SANDBOX_URL", f"http://127.0.0.1:{port}")

    async def stop(self) -> None:
        await self.connector.close()
        await self.server.cleanup()

    def effects(self, key: str) -> int:
        return sum(record["key"] == key for record in self.sandbox.ledger()["records"])

    def fault(self, mode: str, **more: object) -> None:
        self.sandbox.faults.add({"mode": mode, **more})

    def lose_next_answer(self) -> None:
        self.fault("cut_after_store")

    def refuse_next(self) -> None:
        self.fault("error", status=422)

    def limit_next(self, seconds: int) -> None:
        self.fault("rate_limit", seconds=seconds)

    def refuse_login(self) -> None:
        self.fault("error", status=401)

    def another(self, number: int) -> Mapping[str, object]:
        """The CRM folds contacts of one address."""
        more = {"email": f"lead-{number}@example.com"} if "email" in self.fields else {}
        return {**self.fields, **more}

    async def go_away(self) -> None:
        await self.connector.close()
        await self.server.cleanup()


class Mailbox:
    """A mail server's inside: what arrived, and what it says next."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []
        self.recipients: list[list[str]] = []
        self.next_data_reply = ""
        self.next_rcpt_replies: list[str] = []
        self.hang_up_after_data = False
        self.logins = 0
        self.takes_logins = True

    def authenticate(self, *said: Any) -> AuthResult:
        self.logins += 1
        login = said[4]
        right = self.takes_logins and login.password == SECRET.encode()
        return AuthResult(success=right, handled=False)

    async def handle_RCPT(  # noqa: N802 -- aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = self.next_rcpt_replies.pop(0) if self.next_rcpt_replies else ""
        if not reply:
            envelope.rcpt_tos.append(address)
        return reply or "250 OK"

    async def handle_DATA(  # noqa: N802 -- aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if self.next_data_reply:
            reply, self.next_data_reply = self.next_data_reply, ""
            return reply
        assert isinstance(envelope.content, bytes)
        self.mails.append(envelope.content)
        self.recipients.append(envelope.rcpt_tos)
        if self.hang_up_after_data:
            self.hang_up_after_data = False
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return "250 OK"


class MailRig(Rig):
    """The mail connector with a mail server in the same loop."""

    says_when = False
    secret = SECRET
    action = "send_mail"
    fields: Mapping[str, object] = {
        "to": "desk@example.com",
        "subject": "A new lead",
        "text": "Onboard it, please.",
    }

    def __init__(
        self, environment: pytest.MonkeyPatch, folder: Path, *, security: str = "none"
    ) -> None:
        self.security = security
        environment.setenv("MAIL_PASSWORD", SECRET)
        environment.setenv("MAIL_USER", "meshline")
        self.mailbox = Mailbox()
        self.folder = folder

    async def start(self) -> None:
        def protocol() -> SMTP:
            with warnings.catch_warnings(action="ignore"):  # a login without TLS, on loopback
                return SMTP(
                    self.mailbox,
                    authenticator=self.mailbox.authenticate,
                    auth_required=True,
                    auth_require_tls=False,
                    hostname="mail.example.com",
                )

        loop = asyncio.get_running_loop()
        self.server = await loop.create_server(protocol, "127.0.0.1", 0)
        port = self.server.sockets[0].getsockname()[1]
        definition = f"""
            connector: mail
            kind: smtp
            host: 127.0.0.1
            port: {port}
            security: {self.security}
            from: meshline@example.com
            login: {{user: "env:MAIL_USER", password: "env:MAIL_PASSWORD"}}
            timeout: 5s
            """
        (self.folder / "mail.yaml").write_text(definition)
        self.connector = load_connectors(self.folder)["mail"]

    async def stop(self) -> None:
        await self.connector.close()
        self.server.close()

    def effects(self, key: str) -> int:
        wanted = message_id(key, "meshline@example.com").encode()
        return sum(wanted in mail for mail in self.mailbox.mails)

    def lose_next_answer(self) -> None:
        self.mailbox.hang_up_after_data = True

    def refuse_next(self) -> None:
        self.mailbox.next_data_reply = "554 no thanks"

    def limit_next(self, seconds: int) -> None:
        self.mailbox.next_data_reply = "451 come again later"

    def refuse_login(self) -> None:
        self.mailbox.takes_logins = False

    async def go_away(self) -> None:
        self.server.close()


class FakeRig(Rig):
    """The shipped fake."""

    fields: Mapping[str, object] = {"email": "lead@example.com"}

    def __init__(self, action: str) -> None:
        connector = load_connectors(None)["fake"]
        assert isinstance(connector, FakeConnector)
        self.fake = self.connector = connector
        self.action = action
        self.calls: list[str] = []

    async def start(self) -> None: ...

    async def stop(self) -> None:
        await self.fake.close()

    def effects(self, key: str) -> int:
        return self.fake.creates if key in self.fake.ids else 0

    def lose_next_answer(self) -> None:
        self._at_create(OutcomeUnknown("the line went dead"), stored=True)

    def refuse_next(self) -> None:
        self._at_create(DestinationRefused("no thanks"))

    def limit_next(self, seconds: int) -> None:
        self._at_create(RateLimited("slow down", retry_after=float(seconds)))

    def refuse_login(self) -> None:
        self._at_create(Unauthorized("who are you?"))

    async def go_away(self) -> None:
        self._at_create(Unavailable("nobody there"))

    def _at_create(self, error: Exception, *, stored: bool = False) -> None:
        self.fake.mishaps.append(Mishap(at="create", error=error, stored=stored))


def rig_of(bench: Bench) -> SandboxRig:
    assert isinstance(bench.rig, SandboxRig)
    return bench.rig


def sent(key: str = "key-1", **fields: object) -> Outgoing:
    return Outgoing(key=key, action="record", fields=fields or {"email": "a@example.com"})


def hand(connector: Connector, call: Outgoing, *, look_first: bool = False) -> Any:
    return hand_over(connector, call, confirm=tuple(call.fields), look_first=look_first)
