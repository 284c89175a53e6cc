"""Mail: nothing breaks out of a header, all recipients or none, and a receipt is what it is."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from connectors.definition_file import parse_definition
from connectors.mail import message as mail_message
from connectors.mail.connector import message_id
from connectors.mail.message import Head, written
from connectors.registry import unresolved
from connectors.rigging import Bench
from orchestrator.domain.delivery.handoff import Failed, Receipted
from orchestrator.domain.errors import DestinationRefused, InvalidFile
from tests.connectors.rigs import SECRET, Mailbox, MailRig

Run = Callable[..., Any]


@pytest.fixture
def mail(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Bench]:
    rig = MailRig(monkeypatch, tmp_path)
    run(rig.start())
    yield Bench(rig, run)
    run(rig.stop())


def mailbox(mail: Bench) -> Mailbox:
    assert isinstance(mail.rig, MailRig)
    return mail.rig.mailbox


def arrived(mail: Bench) -> EmailMessage:
    (raw,) = mailbox(mail).mails
    message = message_from_bytes(raw, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def test_a_mail_arrives_as_it_was_written(mail: Bench) -> None:
    outcome = mail.hand_over(
        "key-1",
        {
            "to": ["a@example.com", "b@example.com"],
            "cc": "c@example.com",
            "reply_to": "lead@example.com",
            "subject": "Grüße: a new lead ✓ " + "long " * 40,
            "text": "Dear desk,\n.\n..dots stay\nÜ\n",
            "html": "<p>Ü</p>",
        },
    )

    message = arrived(mail)
    assert outcome == Receipted(receipt_id=message["Message-ID"])
    assert message["From"] == "meshline@example.com"
    assert message["To"] == "a@example.com, b@example.com"
    assert message["Reply-To"] == "lead@example.com"
    assert message["Subject"] == ("Grüße: a new lead ✓ " + "long " * 40)
    assert message["Auto-Submitted"] == "auto-generated"
    body = message.get_body(("plain",))
    assert body is not None
    assert body.get_content().splitlines() == ["Dear desk,", ".", "..dots stay", "Ü"]
    recipients = ["a@example.com", "b@example.com", "c@example.com"]
    assert mailbox(mail).recipients == [recipients]


def test_the_message_id_is_the_keys_and_the_same_for_every_attempt() -> None:
    assert message_id("key-1", "a@example.com") == message_id("key-1", "b@example.com")
    assert message_id("key-1", "a@example.com") != message_id("key-2", "a@example.com")
    assert message_id("x\r\ny", "a@example.com").isprintable()


@pytest.mark.parametrize(
    "wrong",
    [
        {"subject": "Hello\r\nBcc: all@example.com"},
        {"subject": "Hello\nBcc: all@example.com"},
        {"subject": 7},
        {"to": "a@example.com\r\nBcc: all@example.com"},
        {"to": "a@example.com, all@example.com"},
        {"to": "A <a@example.com>"},
        {"to": "no address"},
        {"to": "ä@example.com"},
        {"to": []},
        {"to": None},
        {"to": ["a@example.com", 7]},
        {"to": [f"a{number}@example.com" for number in range(51)]},
        {"reply_to": "x> SMTPUTF8"},
        {"text": {"a": 1}},
    ],
)
def test_what_would_break_out_of_the_mail_is_refused(mail: Bench, wrong: dict[str, object]) -> None:
    outcome = mail.hand_over("key-1", {**mail.rig.fields, **wrong})

    assert isinstance(outcome, Failed)
    assert (outcome.permanent, outcome.unknown) == (True, False)
    assert next(iter(wrong)) in outcome.error
    assert mailbox(mail).mails == []


ENCODED = {
    "line breaks": "=?utf-8?q?Hi=0d=0aReply-To:_evil@example.com=0d=0a=0d=0aA_body?=",
    "one line feed": "Hi =?iso-8859-1?q?there=0aBcc:_all@example.com?= you",
    "base64": "=?utf-8?b?SGkNClJlcGx5LVRvOiBldmlsQGV4YW1wbGUuY29tDQoNCkE=?=",
    "two words": "=?utf-8?q?Hi=0d?= =?utf-8?q?=0aX-Own:_1?=",
    "a next line": "=?utf-8?q?Hi=c2=85X-Own:_1?=",
    "a line separator": "=?utf-8?q?Hi=e2=80=a8X-Own:_1?=",
    "a language": "=?utf-8*en?q?Hi=0d=0aX-Own:_1?=",
}


@pytest.mark.parametrize("subject", ENCODED.values(), ids=ENCODED)
def test_a_subject_that_hides_line_breaks_in_an_encoded_word_becomes_no_header(
    mail: Bench, subject: str
) -> None:
    outcome = mail.hand_over("key-1", {**mail.rig.fields, "subject": subject})

    if isinstance(outcome, Failed):
        assert outcome.permanent
        assert "subject holds a line break or a control character" in outcome.error
        assert mailbox(mail).mails == []
    else:  # then it is a subject and nothing else
        assert headers_of(mailbox(mail).mails[0]) == HEADERS


HEADERS = [
    "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted",
    "Content-Type", "Content-Transfer-Encoding", "MIME-Version",
]  # fmt: skip


def headers_of(raw: bytes) -> list[str]:
    """The names of a mail's headers, but for what the server of this test adds."""
    added = {"X-Peer", "X-MailFrom", "X-RcptTo"}
    return [name for name, _ in message_from_bytes(raw).items() if name not in added]


@pytest.mark.parametrize(
    ("subject", "read"),
    [
        ("=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
        ("=?utf-8?q?=3D=3Futf-8=3Fq=3FHi=3D0aBcc=3A=3F=3D?=", "=?utf-8?q?Hi=0aBcc:?="),
        ("=?no-such-charset?q?Hi=0a?=", "=?no-such-charset?q?Hi=0a?="),
        ("=?utf-8?b?broken", "=?utf-8?b?broken"),
        ("why =? and ?=", "why =? and ?="),
        (" blanks  at both ends ", " blanks  at both ends "),
        ("long " * 300, "long " * 300),
        ("word" * 300, "word" * 300),
        ("", ""),
        ("Prix\u00a0: 3\u202f\u20ac", "Prix\u00a0: 3\u202f\u20ac"),  # as French writes it
        (
            "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",
            "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",
        ),
        ("\u5ba2\u6237\u3000\u540d\u5355", "\u5ba2\u6237\u3000\u540d\u5355"),
        ("\U0001f469\u200d\U0001f467", "\U0001f469\u200d\U0001f467"),
    ],
)
def test_a_subject_is_read_as_it_was_meant(mail: Bench, subject: str, read: str) -> None:
    outcome = mail.hand_over("key-1", {**mail.rig.fields, "subject": subject})

    assert isinstance(outcome, Receipted)
    (raw,) = mailbox(mail).mails
    value = message_from_bytes(raw)["Subject"].replace("\n ", " ").replace("\r", "")
    assert str(make_header(decode_header(value))) == read
    assert headers_of(raw) == HEADERS
    assert max(map(len, raw.split(b"\r\n\r\n")[0].splitlines())) < 80


def test_a_head_that_reads_back_as_another_is_never_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    head = [Head(name="Subject", text="Hi"), Head(name="To", text="a@example.com")]
    assert written(head, "text", None).startswith(b"Subject: Hi\r\nTo: a@example.com\r\n")

    monkeypatch.setattr(mail_message, "_encoded", lambda one: f"{one.text}\r\nBcc: b@example.com")
    with pytest.raises(DestinationRefused, match="would not hold exactly"):
        written(head, "text", None)
    monkeypatch.setattr(mail_message, "_encoded", lambda one: f"{one.text}\r\n\r\nbody")
    with pytest.raises(DestinationRefused, match="would not hold exactly"):
        written(head, "text", None)


def test_fifty_long_addresses_fit_into_a_head(mail: Bench) -> None:
    people = [f"{'a' * 50}{number}@{'b' * 60}.example.com" for number in range(50)]

    assert isinstance(mail.hand_over("key-1", {**mail.rig.fields, "to": people}), Receipted)
    assert arrived(mail)["To"].replace("\n", "") == ", ".join(people)


def test_a_mail_goes_to_all_its_recipients_or_to_none(mail: Bench) -> None:
    mailbox(mail).next_rcpt_replies = ["", "550 no such mailbox"]

    two = ["a@example.com", "gone@example.com"]
    outcome = mail.hand_over("key-1", {**mail.rig.fields, "to": two})

    assert isinstance(outcome, Failed)
    assert (outcome.permanent, outcome.unknown) == (True, False)
    assert "550 no such mailbox" in outcome.error
    assert mailbox(mail).mails == []


def test_a_mailbox_that_is_busy_is_tried_again(mail: Bench) -> None:
    mailbox(mail).next_rcpt_replies = ["450 greylisted"]

    outcome = mail.hand_over("key-1")

    assert isinstance(outcome, Failed)
    assert (outcome.permanent, outcome.unknown) == (False, False)
    assert isinstance(mail.hand_over("key-1"), Receipted)


def test_a_wrong_password_is_refused_shown_to_nobody_and_read_anew(
    mail: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", "wr0ng-passw0rd")

    outcome = mail.hand_over("key-1")

    assert isinstance(outcome, Failed)
    assert (outcome.permanent, outcome.unknown) == (True, False)
    assert "535" in outcome.error
    assert "wr0ng-passw0rd" not in outcome.error
    monkeypatch.setenv("MAIL_PASSWORD", SECRET)
    assert isinstance(mail.hand_over("key-1"), Receipted)


def test_a_server_without_starttls_gets_no_login_and_no_mail(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rig = MailRig(monkeypatch, tmp_path, security="starttls")
    run(rig.start())

    outcome = Bench(rig, run).hand_over("key-1")
    run(rig.stop())

    assert isinstance(outcome, Failed)
    assert (outcome.permanent, outcome.unknown) == (True, False)
    assert rig.mailbox.logins == 0
    assert rig.mailbox.mails == []


def test_a_server_that_repeats_a_login_as_it_was_sent_shows_it_to_nobody(mail: Bench) -> None:
    login = base64.b64encode(f"\0meshline\0{SECRET}".encode()).decode()
    mailbox(mail).next_rcpt_replies = [f"550 after AUTH PLAIN {login} for meshline:{SECRET}"]

    outcome = mail.hand_over("key-1")

    assert isinstance(outcome, Failed)
    assert "550 after AUTH PLAIN ***" in outcome.error
    assert SECRET not in outcome.error
    assert login[8:-4] not in outcome.error


SERVER = """
connector: post
kind: smtp
host: mail.example.com
security: none
from: desk@example.com
login: {user: "env:MAIL_USER", password: "env:MAIL_PASSWORD"}
"""


def test_a_login_never_goes_over_a_readable_connection(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MAIL_USER", "u")
    monkeypatch.setenv("MAIL_PASSWORD", "p")
    (tmp_path / "post.yaml").write_text(SERVER)

    assert "would be readable" in unresolved(tmp_path)["post"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("from: desk@example.com", "from: Desk <desk@example.com>", "it is not a mail address"),
        ("host:", "port: 99999\nhost:", "it is not a port"),
        ("host:", "port: smtp\nhost:", "port"),
        ('"env:MAIL_PASSWORD"', "abc", "it is not a reference"),
        ("security: none", "security: ssl", "'starttls', 'tls' or 'none'"),
    ],
)
def test_a_wrong_mail_server_is_refused(old: str, new: str, said: str) -> None:
    with pytest.raises(InvalidFile) as caught:
        parse_definition(SERVER.replace(old, new), name="post.yaml")

    assert any(said in str(fault) for fault in caught.value.faults)
