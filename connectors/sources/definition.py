"""What the YAML file of a source may say."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from connectors.definition.shared_keys import Strict
from connectors.definition.values import Secret, Text, Window, word_of
from orchestrator.domain.access.key_limits import MOST_PER_DAY, MOST_PER_SECOND
from orchestrator.domain.documents.model_faults import wrong
from orchestrator.domain.sources.schemes import Encoding, Layout, Unit
from orchestrator.domain.sources.signed_text import template_problem
from orchestrator.domain.sources.source import NEVER_KEPT
from orchestrator.domain.sources.wording import wording
from orchestrator.domain.text.addresses import NAME_A_MAILBOX, is_address
from orchestrator.domain.text.durations import seconds

_LONGEST_TOLERANCE = 3_600.0  # seconds


def _name(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9]+([_-][a-z0-9]+)*", text):
        raise wrong("name", "it is not a plain name", "write a-z, 0-9, and - or _ between them")
    return text


def _mailbox(text: str) -> str:
    if not is_address(text):
        raise wrong("address", f"{text!r} is not an e-mail address", NAME_A_MAILBOX)
    return text


def _signed(text: str) -> str:
    if problem := template_problem(text):
        raise wrong("signed", problem, 'write a text such as "{timestamp}.{body}"')
    return text


def _wording(text: str) -> str:
    try:
        wording(text)
    except ValueError as error:
        fix = 'write a text such as "shop.{header.X-Topic}[.{body.action}]"'
        raise wrong("wording", str(error), fix) from None
    return text


def _tolerance(value: object) -> float:
    try:
        found = seconds(str(value))
    except ValueError:
        raise wrong("tolerance", "it is not a duration", "write 5m") from None
    if not 1 <= found <= _LONGEST_TOLERANCE:
        raise wrong("tolerance", "it is out of bounds", "write 1s to 1h")
    return found


def _clock(text: str) -> str:
    try:
        fits = 60 <= seconds(text) <= 30 * 86_400
    except ValueError:
        fits = False
    if not fits:
        raise wrong("duration", "it is not a duration from 1m to 30d", "write 72h")
    return text


def _address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.query:
        fix = "write https://hooks.acme.example/v1/hooks/NAME, without a query"
        raise wrong("url", "it is not the address that the vendor calls", fix)
    return text


def _form_key(text: str) -> str:
    if not re.fullmatch(r"pk_[A-Za-z0-9]{16,80}", text):
        fix = "write pk_ and at least 16 letters and digits, as `openssl rand -hex 16` makes them"
        raise wrong("key", "it is not a publishable key", fix)
    return text


def _origin(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.path or parts.query:
        fix = "write https://www.acme.example, without a path"
        raise wrong("origin", f"{text!r} is not the origin of a page", fix)
    return text.lower()


def _page(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("https", "http") or not parts.hostname or not text.isascii():
        raise wrong("page", "it is not the address of a page", "write https://HOST/thanks")
    return text


def _whole_seconds(window: float) -> float:
    if window < 1 or window % 1:
        raise wrong("window", "it is not a number of whole seconds", "write 1s, 1m or 1h")
    return window


def _kept(name: str) -> str:
    if name.lower() in NEVER_KEPT:
        raise wrong("kept", f"{name} may hold a credential and is never kept", "take it out")
    return name.lower()


Name = Annotated[Text, Field(max_length=40), AfterValidator(_name)]
ClientName = Annotated[Text, Field(max_length=63), AfterValidator(_name)]
Mailbox = Annotated[Text, AfterValidator(_mailbox)]
Worded = Annotated[Text, AfterValidator(_wording)]


class DeclaredOwners(Strict):
    """Who answers for what no workflow takes."""

    owner: Mailbox
    recovery_lead: Mailbox
    approver: Mailbox | None = None  # unset: the owner
    backstop: Mailbox | None = None  # unset: the owner


class DeclaredTimestamp(Strict):
    """The header that says when a request was signed."""

    header: Text
    unit: Annotated[Unit, word_of(Unit)] = Unit.SECONDS


class DeclaredHmac(Strict):
    """A digest over a text that is made of the request."""

    header: Text
    signed: Annotated[Text, AfterValidator(_signed)] = "{body}"
    algorithm: Literal["sha1", "sha256", "sha512"] = "sha256"
    encoding: Annotated[Encoding, word_of(Encoding)] = Encoding.HEX
    layout: Annotated[Layout, word_of(Layout)] = Layout.PLAIN
    prefix: str = Field("", max_length=40)
    base64_secret: bool = False  # with or without `whsec_`
    timestamp: DeclaredTimestamp | None = None
    tolerance_seconds: Annotated[float, BeforeValidator(_tolerance)] = Field(
        300.0, alias="tolerance"
    )


class DeclaredToken(Strict):
    """A secret that comes along as it is."""

    header: Text
    prefix: str = Field("", max_length=40)


class Nothing(Strict):
    """A scheme that has no keys of its own."""


class DeclaredRate(Strict):
    """How many events each door takes."""

    calls: int = Field(ge=1, le=MOST_PER_SECOND)
    per_seconds: Annotated[Window, AfterValidator(_whole_seconds)] = Field(alias="per")


class DeclaredLimits(Strict):
    """How many events a source may send."""

    rate: DeclaredRate | None = None  # unset: as `building` has it
    quota: int | None = Field(None, ge=1, le=MOST_PER_DAY)  # a day of UTC, over all doors


class DeclaredForm(Strict):
    """A form of a page: a key that everybody may see, and the pages that may use it."""

    key: Annotated[Text, AfterValidator(_form_key)]
    origins: tuple[Annotated[Text, AfterValidator(_origin)], ...] = Field(
        min_length=1, max_length=20
    )
    honeypot: Text | None = None
    redirect: Annotated[Text, AfterValidator(_page)] | None = None
    on_error: Annotated[Text, AfterValidator(_page)] | None = None


class DeclaredSignature(Strict):
    """How a request proves where it comes from: one of these."""

    hmac: DeclaredHmac | None = None
    token: DeclaredToken | None = None
    basic: Nothing | None = None
    secret_path: Nothing | None = None
    twilio: Nothing | None = None

    @property
    def said(self) -> list[str]:
        """The schemes that are named."""
        return [name for name in type(self).model_fields if getattr(self, name) is not None]


class DeclaredHandshake(Strict):
    """A request that only asks whether we are there."""

    when: dict[str, str] = Field(min_length=1, max_length=5)
    answer: Worded | None = None


class DeclaredAnswer(Strict):
    """What an accepted request is answered."""

    status: int = Field(202, ge=200, le=299)
    media_type: str | None = Field(None, alias="type", max_length=100)
    body: str = Field("", max_length=1_000)


class SourceDefinition(Strict):
    """One file."""

    source: Name
    title: str = Field("", max_length=200)
    client: ClientName
    owners: DeclaredOwners
    recover_within: Annotated[Text, AfterValidator(_clock)] = "72h"
    signature: DeclaredSignature = Field(default_factory=DeclaredSignature)
    form: DeclaredForm | None = None
    limits: DeclaredLimits = Field(default_factory=DeclaredLimits)
    secrets: tuple[Secret, ...] = Field((), max_length=5)
    public_url: Annotated[Text, AfterValidator(_address)] | None = None
    type: Worded
    idempotency_key: Worded | None = None
    split: bool = False
    payload_field: Text | None = None
    volatile: tuple[Text, ...] = Field((), max_length=20)
    handshakes: tuple[DeclaredHandshake, ...] = Field((), max_length=5)
    keep_headers: tuple[Annotated[Text, AfterValidator(_kept)], ...] = Field((), max_length=30)
    answer: DeclaredAnswer = Field(default_factory=DeclaredAnswer)
