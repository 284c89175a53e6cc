"""The cookie that carries a session's token.

The token is 256 random bits of which the store keeps a digest, so nobody can make one up, and a
signature would add nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from tornado.httputil import HTTPServerRequest
from tornado.web import RequestHandler

_LONGEST = 200  # characters; ours have 43


@dataclass(frozen=True, kw_only=True)
class SessionCookie:
    """How it is named, sent and taken back."""

    secure: bool  # whether people reach the pages over https

    @property
    def name(self) -> str:
        """Its name. With `__Host-`, which asks for https, no other host can set it."""
        return "__Host-meshline-session" if self.secure else "meshline-session"

    def token(self, request: HTTPServerRequest) -> str | None:
        """The token that a request came with."""
        found = request.cookies.get(self.name)
        return found.value if found and 0 < len(found.value) <= _LONGEST else None

    def give(self, page: RequestHandler, token: str) -> None:
        """Send it. It has no end of its own: the store knows when the session ends."""
        page.set_cookie(
            self.name, token, path="/", httponly=True, samesite="Lax", secure=self.secure
        )

    def take_back(self, page: RequestHandler) -> None:
        """Let the browser forget it."""
        page.clear_cookie(self.name, path="/", httponly=True, samesite="Lax", secure=self.secure)
