"""The bytes of one mail, with a head that holds exactly the headers that were set.

The standard library's EmailMessage decodes an encoded word in a header and, before it was mended
(3.11.7 and 3.12.1 are not), writes the line breaks in it as they are: a subject became headers and
a body. So the head is written here from decoded text, and read back before anything is sent.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import HeaderParseError, MessageError
from email.header import Header, decode_header, make_header
from email.message import EmailMessage
from email.policy import SMTP, compat32
from unicodedata import category

from orchestrator.domain.errors import DestinationRefused

_BODY = SMTP.clone(cte_type="7bit")
_LONGEST_LINE = 76  # characters; RFC 2047 allows no longer one with an encoded word in it
_LISTS = frozenset({"To", "Cc", "Reply-To"})
_BREAKS = frozenset({"Cc", "Zl", "Zp", "Cs"})  # spaces and joiners of any language are not breaks
_FOLD = re.compile(r"\r\n[ \t]")


@dataclass(frozen=True, kw_only=True)
class Head:
    """One header of a mail."""

    name: str  # ours, never a payload's
    text: str  # decoded, one line


def written(head: Sequence[Head], text: str, html: str | None) -> bytes:
    """The mail. Raises DestinationRefused where its head would not hold exactly `head`."""
    body = EmailMessage(policy=_BODY)
    body.set_content(text)
    if html is not None:
        body.add_alternative(html, subtype="html")
    lines = [f"{one.name}: {_encoded(one)}\r\n" for one in head]
    mail = "".join(lines).encode("ascii") + body.as_bytes()
    own = [Head(name=name, text=str(value)) for name, value in body.items()]
    _check_head(mail, [*head, *own])
    return mail


def one_line(text: str, *, field: str) -> str:
    """A text for a header, encoded words in it decoded. Raises DestinationRefused."""
    decoded = _decoded(text) if "=?" in text else text
    if any(category(one) in _BREAKS for one in text + decoded):
        raise DestinationRefused(f"{field} holds a line break or a control character")
    return decoded


def _encoded(head: Head) -> str:
    """A header's value as it goes over the line. Raises DestinationRefused."""
    text = head.text
    if head.name == "Subject":
        fits = len("Subject: ") + len(text) <= _LONGEST_LINE
        if fits and text.isascii() and "=?" not in text and text == text.strip():
            return text
        return Header(text, "utf-8", maxlinelen=_LONGEST_LINE, header_name=head.name).encode(
            linesep="\r\n"
        )
    if not (text.isascii() and text.isprintable()):  # addresses and our own words
        raise DestinationRefused(f"{head.name} holds more than plain ASCII")
    return text.replace(", ", ",\r\n ") if head.name in _LISTS else text


def _decoded(value: str) -> str:
    """What a reader sees of a value; one that cannot be decoded is shown as it is."""
    try:
        return str(make_header(decode_header(value)))
    except (HeaderParseError, LookupError, ValueError, MessageError):
        return value


def _check_head(mail: bytes, head: Sequence[Head]) -> None:
    """Read the mail back as a receiver does. Raises DestinationRefused."""
    read = message_from_bytes(mail, policy=compat32)
    found = [(name, _decoded(_FOLD.sub(" ", value))) for name, value in read.items()]
    if found != [(one.name, one.text) for one in head] or read.defects:
        raise DestinationRefused("the mail's head would not hold exactly what was set")
