"""Flower's login of the settings: one user, one password, until there are people."""

from __future__ import annotations

import binascii
import hmac
import time
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass, field

from orchestrator.domain.errors import StartupFailed
from orchestrator.operations.access.log_in import SESSION_SECONDS
from orchestrator.operations.access.tokens import digest_of_secret, new_secret
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

    def fits(self, user: str, password: str) -> bool:
        """Whether a form has this login."""
        given = (user.strip(), self.user), (password, self.password)
        same = [
            hmac.compare_digest(one.encode("utf-8", "replace"), own.encode()) for one, own in given
        ]
        return all(same)


class FormLogins:
    """Browsers that came in by the form with the settings' login, kept by this process alone.

    The store keeps sessions of people; while there are none, nobody is there whose it could be.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ends: dict[str, float] = {}  # by the digest of what the browser holds

    def begin(self) -> str:
        """A new login; what the browser holds. The oldest ends where there are very many."""
        token = new_secret()
        if len(self._ends) >= _MOST_LOGINS:
            del self._ends[next(iter(self._ends))]
        self._ends[digest_of_secret(token)] = self._clock() + SESSION_SECONDS
        return token

    def knows(self, token: str) -> bool:
        """Whether a browser that holds this came in, and its time is not over."""
        return self._ends.get(digest_of_secret(token), 0.0) > self._clock()

    def end(self, token: str) -> bool:
        """It is let in no longer; False where it never was."""
        return self._ends.pop(digest_of_secret(token), None) is not None


_MOST_LOGINS = 1_000


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
