"""A proxy before the pages that says who people are: it is believed for the secret it sends."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

from tornado.httputil import HTTPHeaders, HTTPServerRequest

from orchestrator.settings import Settings

SECRET_HEADER = "X-Meshline-Proxy-Secret"  # noqa: S105 - the name of a header


@dataclass(frozen=True, kw_only=True)
class TrustedProxy:
    """What the settings say of it; without a secret there is none."""

    secret: str = field(repr=False)
    login_header: str | None  # which header names the person by mail address; None: none does

    def sent(self, headers: HTTPHeaders) -> bool:
        """Whether the request came by it; without the secret anybody may have written it."""
        given = headers.get(SECRET_HEADER, "")
        return bool(self.secret) and hmac.compare_digest(_bytes(given), _bytes(self.secret))

    def named(self, headers: HTTPHeaders) -> str | None:
        """The mail address that it says; None where it did not send the request, or says nobody."""
        if self.login_header is None or not self.sent(headers):
            return None
        return headers.get(self.login_header, "").strip() or None

    def address(self, request: HTTPServerRequest, *, is_needed: bool) -> str | None:
        """Where a request comes from; None where nobody knows.

        Where a proxy `is_needed`, because people come over https, the other end of the connection
        is that proxy: what strangers do would count for everybody.
        """
        if self.sent(request.headers):
            *_, last = request.headers.get("X-Forwarded-For", "").split(",")
            return last.strip() or None
        return None if is_needed else request.remote_ip


def proxy_of(settings: Settings) -> TrustedProxy:
    """The proxy that the settings name."""
    secret = settings.proxy_secret
    return TrustedProxy(
        secret=secret.get_secret_value() if secret else "",
        login_header=settings.proxy_login_header,
    )


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
