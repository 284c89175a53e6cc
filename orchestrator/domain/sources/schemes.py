"""How a request proves where it comes from: pure functions over request, secrets and now.

Texts are compared as they are written, in constant time: decoding first would take several
spellings of one signature for the same. Every secret is tried, so that the time tells nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

from orchestrator.domain.errors import FormRefused, SignatureRefused
from orchestrator.domain.sources.request import HookRequest
from orchestrator.domain.sources.signed_text import signed_text

_HASHES = {"sha1": hashlib.sha1, "sha256": hashlib.sha256, "sha512": hashlib.sha512}
_LONGEST = 4_096  # characters of a header with signatures
_MOST_SIGNATURES = 16
_LONGEST_TIME = 16  # digits: the year 300,000 in milliseconds
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)")
_WHSEC = "whsec_"


class SecretUnusable(ValueError):
    """Raised when a secret is not of the form that its scheme needs; the text never holds it."""


class Encoding(StrEnum):
    """How a digest is written."""

    HEX = "hex"
    BASE64 = "base64"


class Layout(StrEnum):
    """How a header holds its signatures."""

    PLAIN = "plain"  # the signature, behind `prefix`
    PAIRS = "pairs"  # t=1700000000,v1=…,v1=…
    LIST = "list"  # v1,… v1,…  with spaces between


class Unit(StrEnum):
    """How a time is written."""

    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"
    ISO = "iso"


@dataclass(frozen=True, kw_only=True)
class Hmac:
    """A digest with a shared secret, over a text that is made of the request."""

    header: str
    signed: str = "{body}"  # what is signed; placeholders as `signed_text` has them
    algorithm: str = "sha256"
    encoding: Encoding = Encoding.HEX
    layout: Layout = Layout.PLAIN
    prefix: str = ""  # before each signature; of pairs, its name
    base64_secret: bool = False  # the secret is base64, with or without `whsec_`
    timestamp_header: str | None = None  # None: in pairs it is `t`; else there is none
    timestamp_unit: Unit = Unit.SECONDS
    tolerance_seconds: float = 300.0

    @property
    def has_time(self) -> bool:
        """Whether a request says when it was signed."""
        return self.layout is Layout.PAIRS or self.timestamp_header is not None


@dataclass(frozen=True, kw_only=True)
class Token:
    """A secret that comes along in a header as it is; it does not cover the body."""

    header: str
    prefix: str = ""


@dataclass(frozen=True, kw_only=True)
class Basic:
    """A user and a password as HTTP has them; the secret is `user:password`."""


@dataclass(frozen=True, kw_only=True)
class SecretPath:
    """A secret at the end of the address, for tools that can do nothing else."""


@dataclass(frozen=True, kw_only=True)
class Twilio:
    """The address and the sorted fields of a form, or the address and the digest of a body."""


@dataclass(frozen=True, kw_only=True)
class FormKey:
    """A key that everybody may see, at the end of the address, and the pages that may use it."""

    origins: tuple[str, ...]


Scheme = Hmac | Token | Basic | SecretPath | Twilio | FormKey


@dataclass(frozen=True, kw_only=True)
class Verified:
    """What proved the request."""

    by: str  # such as `hmac-sha256`
    secret: int  # which of the secrets, from 1


def verify(scheme: Scheme, request: HookRequest, secrets: Sequence[str], *, now: float) -> Verified:
    """What proves the request; `now` in seconds since 1970.

    Raises SignatureRefused, and SecretUnusable for a secret of another form than the scheme has.
    """
    if not secrets:
        raise SecretUnusable("it has no secret")
    by, fits = _check(scheme, request, now)
    found = [fits(secret) for secret in secrets]  # all of them, whichever fits
    if True not in found:
        if isinstance(scheme, FormKey):
            raise FormRefused(
                "the address does not end with the key of this form",
                field="the address",
                fix="write the address that `meshline sources list` shows into the page",
            )
        raise _refusal("the signature does not fit", field=_place(scheme))
    return Verified(by=by, secret=found.index(True) + 1)


Fits = Callable[[str], bool]


def _check(scheme: Scheme, request: HookRequest, now: float) -> tuple[str, Fits]:
    """How the proof is called, and whether it fits a secret. Raises SignatureRefused."""
    if isinstance(scheme, Hmac):
        return f"hmac-{scheme.algorithm}", _hmac(scheme, request, now)
    if isinstance(scheme, Token):
        given = _given(request, scheme.header)
        return "token", lambda secret: _same(given, scheme.prefix + secret)
    if isinstance(scheme, Basic):
        kind, _, given = _given(request, "Authorization").partition(" ")
        if kind.lower() != "basic":
            raise _refusal("it is not a basic login", field="Authorization")
        return "basic", lambda secret: _same(given, _base64(_login(secret)))
    if isinstance(scheme, FormKey):
        if origin_of_page(request) not in scheme.origins:
            raise FormRefused(
                "the page that it comes from may not use this form",
                field="Origin",
                fix="send it from a page that `origins` in the source's file names",
            )
        return "form key", lambda key: _same(request.secret_path, key)
    if isinstance(scheme, SecretPath):
        return "secret path", lambda secret: _same(request.secret_path, secret)
    return "hmac-sha1", _twilio(request)


def origin_of_page(request: HookRequest) -> str:
    """The origin of the page that a form was sent from, as the browser says it; "" for none."""
    if origin := request.header("origin"):
        return origin.lower()
    page = urlsplit(request.header("referer"))
    return f"{page.scheme}://{page.netloc}".lower() if page.netloc else ""


def _refusal(detail: str, *, field: str) -> SignatureRefused:
    return SignatureRefused(detail, field=field, fix="sign the request as the source's page says")


def _place(scheme: Scheme) -> str:
    if isinstance(scheme, Hmac | Token):
        return scheme.header
    if isinstance(scheme, Twilio):
        return "X-Twilio-Signature"
    return "Authorization" if isinstance(scheme, Basic) else "the address"


def _hmac(scheme: Hmac, request: HookRequest, now: float) -> Fits:
    value = _given(request, scheme.header)
    timestamp, given = _parts(scheme, request, value)
    if timestamp is not None:
        _refuse_old(scheme, timestamp, now)
    text = signed_text(scheme.signed, request, timestamp or "")

    def fits(secret: str) -> bool:
        digest = hmac.new(_key(scheme, secret), text, _HASHES[scheme.algorithm]).digest()
        wanted = digest.hex() if scheme.encoding is Encoding.HEX else _base64(digest)
        return any([_same(one, wanted) for one in given])  # noqa: C419 - each is compared

    return fits


def _parts(scheme: Hmac, request: HookRequest, value: str) -> tuple[str | None, list[str]]:
    """The time as it is written, and the signatures without their prefix."""
    timestamp = None
    if scheme.timestamp_header is not None:
        timestamp = _given(request, scheme.timestamp_header)
    if scheme.layout is Layout.PLAIN:
        found = [value]
    elif scheme.layout is Layout.LIST:
        found = value.split(" ")
    else:
        found = [one.strip() for one in value.split(",")]
        times = [one.removeprefix("t=") for one in found if one.startswith("t=")]
        if len(times) != 1:
            raise _refusal("it does not say one time", field=scheme.header)
        timestamp = times[0]
    prefix = f"{scheme.prefix}=" if scheme.layout is Layout.PAIRS else scheme.prefix
    given = [one.removeprefix(prefix) for one in found if one.startswith(prefix)]
    if not given or len(given) > _MOST_SIGNATURES:
        raise _refusal("it has no signature of a known kind", field=scheme.header)
    return timestamp, given


def _refuse_old(scheme: Hmac, timestamp: str, now: float) -> None:
    place = scheme.timestamp_header or scheme.header
    moment = _moment(timestamp, scheme.timestamp_unit)
    if moment is None:
        raise _refusal("its time cannot be read", field=place)
    if abs(now - moment) > scheme.tolerance_seconds:
        way = "old" if moment < now else "far ahead"
        raise _refusal(f"it was signed too {way}", field=place)


def _moment(text: str, unit: Unit) -> float | None:
    """The time in seconds since 1970; None where it is not one."""
    if unit is Unit.ISO:
        if not _ISO.fullmatch(text):
            return None
        try:
            return datetime.fromisoformat(text).timestamp()
        except ValueError:
            return None
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_TIME):
        return None
    return int(text) / (1000 if unit is Unit.MILLISECONDS else 1)


def _twilio(request: HookRequest) -> Fits:
    given = _given(request, "X-Twilio-Signature")
    text = signed_text("{twilio}", request, "")

    def fits(secret: str) -> bool:
        return _same(given, _base64(hmac.new(secret.encode(), text, hashlib.sha1).digest()))

    return fits


def _given(request: HookRequest, name: str) -> str:
    """A header that has to be there. Raises SignatureRefused."""
    value = request.header(name)
    if not value:
        raise _refusal("the request is not signed", field=name)
    if len(value) > _LONGEST:
        raise _refusal(f"it is longer than {_LONGEST} characters", field=name)
    return value


def _key(scheme: Hmac, secret: str) -> bytes:
    if not scheme.base64_secret:
        return secret.encode()
    text = secret.removeprefix(_WHSEC)
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        raise SecretUnusable("a secret is not base64") from None
    if not key:
        raise SecretUnusable("a secret is empty")
    return key


def _login(secret: str) -> bytes:
    if ":" not in secret:
        raise SecretUnusable("a secret is not `user:password`")
    return secret.encode()


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(errors="replace"), other.encode(errors="replace"))
