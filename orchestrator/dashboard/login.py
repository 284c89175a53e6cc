"""Flower's login: one user, one password, asked of every request."""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode
from dataclasses import dataclass, field

from orchestrator.domain.errors import StartupFailed
from orchestrator.settings import Settings


@dataclass(frozen=True, kw_only=True)
class PageLogin:
    """Who may come in."""

    user: str
    password: str = field(repr=False)

    @property
    def credentials(self) -> str:
        """As HTTP's Basic scheme and Flower's own option write them."""
        return f"{self.user}:{self.password}"

    def admits(self, authorization: str | None) -> bool:
        """Whether a request with this Authorization header may come in."""
        scheme, _, encoded = (authorization or "").strip().partition(" ")
        if scheme.lower() != "basic":
            return False
        try:
            given = b64decode(encoded.strip(), validate=True)
        except (binascii.Error, ValueError):
            return False
        return hmac.compare_digest(given, self.credentials.encode())


def login_of(settings: Settings) -> PageLogin:
    """The login that the settings name. Raises StartupFailed, because there is always one."""
    user, secret = settings.flower_user, settings.flower_password
    password = secret.get_secret_value() if secret else ""
    if not password:
        raise StartupFailed(
            "Flower does not start without a password: set MESHLINE_FLOWER_PASSWORD,"
            " or run `meshline up`, which makes one and prints it"
        )
    if not user or ":" in user:
        raise StartupFailed("MESHLINE_FLOWER_USER: write a name without a colon")
    login = PageLogin(user=user, password=password)
    if not (login.credentials.isascii() and login.credentials.isprintable()):
        # Flower compares logins as text, which Python does in constant time for ASCII only.
        raise StartupFailed(
            "MESHLINE_FLOWER_USER and MESHLINE_FLOWER_PASSWORD: use printable ASCII characters only"
        )
    return login
