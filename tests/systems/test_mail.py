"""Mail over STARTTLS with a login: it arrives once, or it does not, and nobody guesses which."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from connectors.handoff.single import hand_over
from connectors.registry import load_connectors
from orchestrator.domain.delivery.handoff import Blame, Failed, Outcome, Outgoing, Receipted
from orchestrator.embedded.ports import free_port
from tests.self_signed import write_self_signed

USER, PASSWORD = b"meshline", b"mail-password"


class MailServer:
    """A mail server that takes mails from those who log in over TLS."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []
        self.over_tls: list[bool] = []
        self.hang_up_after_next = False
        self.next_reply = ""

    def authenticate(self, *said: Any) -> AuthResult:
        login = said[4]
        return AuthResult(success=(login.login, login.password) == (USER, PASSWORD), handled=False)

    async def handle_DATA(  # noqa: N802 -- aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if self.next_reply:
            reply, self.next_reply = self.next_reply, ""
            return reply
        assert isinstance(envelope.content, bytes)
        self.mails.append(envelope.content)
        self.over_tls.append(session.ssl is not None)
        if self.hang_up_after_next:
            self.hang_up_after_next = False
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return "250 OK"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a certificate for localhost."""
    return write_self_signed(tmp_path_factory.mktemp("tls"))[0]


@pytest.fixture
def server(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    """The server, with the shipped definition pointed at it and its certificate trusted."""
    server, port = MailServer(), free_port()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    controller = Controller(
        server,
        hostname="127.0.0.1",
        port=port,
        server_hostname="localhost",
        authenticator=server.authenticate,
        auth_required=True,
        require_starttls=True,
        tls_context=context,
    )
    said = {"HOST": "localhost", "PORT": str(port), "FROM": "meshline@example.com"}
    for name, value in {**said, "USER": USER.decode(), "PASSWORD": PASSWORD.decode()}.items():
        monkeypatch.setenv(f"MESHLINE_MAIL_{name}", value)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    controller.start()
    yield server
    controller.stop()


def send(key: str, *, look_first: bool = False) -> Outcome:
    fields = {"to": "desk@example.com", "subject": f"Lead {key}", "text": "Onboard it, please."}

    async def hand() -> Outcome:
        mail = load_connectors(None)["mail"]
        call = Outgoing(key=key, action="send_mail", fields=fields)
        return await hand_over(mail, call, confirm=(), look_first=look_first)

    return asyncio.run(hand())


def test_a_mail_arrives_once_over_tls_and_is_a_receipt(server: MailServer) -> None:
    outcome = send("evt-1.mail")

    assert isinstance(outcome, Receipted)
    (mail,) = server.mails
    message = message_from_bytes(mail)
    assert message["Subject"] == "Lead evt-1.mail"
    assert message["Message-ID"] == outcome.receipt_id
    assert server.over_tls == [True]


def test_after_a_lost_answer_nothing_is_sent_again_and_a_person_decides(
    server: MailServer,
) -> None:
    server.hang_up_after_next = True

    lost = send("evt-2.mail")
    again = send("evt-2.mail", look_first=True)

    for outcome in (lost, again):
        assert isinstance(outcome, Failed)
        assert outcome.unknown and outcome.permanent
    assert len(server.mails) == 1


def test_a_wrong_password_is_told_as_one(
    server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MESHLINE_MAIL_PASSWORD", "not-the-password")

    outcome = send("evt-3.mail")

    assert isinstance(outcome, Failed) and outcome.blame is Blame.LOGIN
    assert not outcome.unknown
    assert "not-the-password" not in outcome.error
    assert server.mails == []


def test_a_server_that_says_later_has_taken_nothing(server: MailServer) -> None:
    server.next_reply = "451 come again later"

    later, taken = send("evt-4.mail"), send("evt-4.mail")

    assert isinstance(later, Failed) and not later.permanent and not later.unknown
    assert isinstance(taken, Receipted)
    assert len(server.mails) == 1


def test_without_a_certificate_that_somebody_vouches_for_no_password_goes_out(
    server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")

    outcome = send("evt-5.mail")

    assert isinstance(outcome, Failed) and not outcome.unknown
    assert server.mails == []
