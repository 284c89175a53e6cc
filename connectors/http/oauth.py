"""OAuth 2: a token that is fetched when it is first needed, kept, and fetched anew (RFC 6749)."""

from __future__ import annotations

import base64
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote_plus, urlencode

from connectors.definition.paths import Unreadable, as_text
from connectors.http.answers import error_of, parse
from connectors.http.exchange import Answer, NoAnswer, NotSent, Request
from orchestrator.domain.errors import (
    ConnectorError,
    DestinationUnavailable,
    NotReached,
    Unauthorized,
)

if TYPE_CHECKING:
    import asyncio
from orchestrator.domain.text.masking import pair_spellings, spellings

_USUAL_SECONDS = 3_600.0  # where the answer does not say how long a token lasts
_LONGEST_MARGIN = 60.0
_MOST_BYTES = 65_536

Send = Callable[[Request], Awaitable[Answer]]


@dataclass(frozen=True, kw_only=True)
class OAuthLogin:
    """What is shown for a token."""

    grant: str
    token_url: str
    client_id: str
    client_secret: str | None
    refresh_token: str | None
    scope: str | None
    send_as: str

    @property
    def masks(self) -> frozenset[str]:
        """What no error may show."""
        login = pair_spellings(self.client_id, self.client_secret) if self.client_secret else set()
        return spellings(self.refresh_token or "").union(login)


class Tokens:
    """The token of one connector in this process, and the refresh token that came with it."""

    def __init__(self) -> None:
        self.masks: frozenset[str] = frozenset()  # what no error may show
        self._token = self._last = ""
        self._good_until = 0.0  # of `time.monotonic`
        self._refresh: tuple[str | None, str | None] = (None, None)  # the definition's, the newest
        self._lock: asyncio.Lock | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def current(self, login: OAuthLogin, send: Send, *, private_network: bool) -> str:
        """The token, fetched if need be, by one call at a time. Raises ConnectorError."""
        async with self._one_at_a_time():
            if not self._token or time.monotonic() >= self._good_until:
                request = self._request(login, private_network=private_network)
                self._keep(login, await _fetched(request, send, self.masks_of(login)))
            return self._token

    def drop(self, token: str) -> None:
        """Forget a token that was refused, unless another has taken its place."""
        if self._token == token:
            self._token = ""

    def masks_of(self, login: OAuthLogin) -> frozenset[str]:
        """What no error of a token's request may show."""
        return self.masks | login.masks

    def _one_at_a_time(self) -> asyncio.Lock:
        import asyncio  # whoever lists connectors calls none

        loop = asyncio.get_running_loop()
        if self._lock is None or self._loop is not loop:
            self._lock, self._loop = asyncio.Lock(), loop
        return self._lock

    def _request(self, login: OAuthLogin, *, private_network: bool) -> Request:
        given, newest = self._refresh
        refresh = newest if given == login.refresh_token and newest else login.refresh_token
        form = {"grant_type": login.grant, "scope": login.scope}
        if login.grant == "refresh_token":
            form["refresh_token"] = refresh
        headers = {
            "Accept": "application/json",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        if login.send_as == "basic":
            pair = f"{quote_plus(login.client_id)}:{quote_plus(login.client_secret or '')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": login.client_id, "client_secret": login.client_secret}
        return Request(
            purpose="token",
            method="POST",
            url=login.token_url,
            headers=headers,
            body=urlencode({name: text for name, text in form.items() if text}).encode(),
            connect_seconds=5.0,
            max_answer_bytes=_MOST_BYTES,
            private_network=private_network,
        )

    def _keep(self, login: OAuthLogin, answer: Answer) -> None:
        said = parse(answer)
        document = said if isinstance(said, dict) else {}
        token, refresh = document.get("access_token"), document.get("refresh_token")
        if not isinstance(token, str) or not token or not (token.isascii() and token.isprintable()):
            raise DestinationUnavailable("token: its answer has no access_token")
        seconds = _seconds(document.get("expires_in"))
        margin = min(_LONGEST_MARGIN, seconds / 10)
        # A call with the last token may still be under way.
        self.masks = spellings(token) | spellings(self._last)
        self._token = self._last = token
        self._good_until = time.monotonic() + seconds - margin
        if isinstance(refresh, str) and refresh:
            self._refresh = (login.refresh_token, refresh)
            self.masks |= spellings(refresh)


async def _fetched(request: Request, send: Send, masks: frozenset[str]) -> Answer:
    """The answer that has a token. Raises Unauthorized, DestinationUnavailable and RateLimited."""
    try:
        answer = await send(request)
    except (NotSent, NoAnswer) as error:
        raise NotReached(f"token: {error}") from None
    if not answer.ok:
        raise _refusal(answer, masks)
    try:
        parse(answer)
    except Unreadable as error:
        raise DestinationUnavailable(f"token: {error}") from None
    return answer


def _refusal(answer: Answer, masks: frozenset[str]) -> ConnectorError:
    error = error_of("token", answer, creating=False, secrets=masks)
    # RFC 6749 5.2: a client or grant that is not taken is a 400 or a 401.
    return Unauthorized(str(error)) if answer.status in (400, 401, 403) else error


def _seconds(said: object) -> float:
    try:
        seconds = float(as_text(said) or "")
    except ValueError:
        return _USUAL_SECONDS
    return seconds if 0 < seconds < 10**9 else _USUAL_SECONDS
