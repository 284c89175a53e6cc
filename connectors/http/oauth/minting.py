"""One request for a token, and what its answer holds."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from urllib.parse import quote_plus, urlencode

from connectors.definition.paths import Unreadable, as_text
from connectors.http.answers import error_of, parse
from connectors.http.oauth.login import OAuthLogin
from connectors.http.wire.exchange import Answer, NoAnswer, NotSent, Request
from orchestrator.domain.delivery.tokens import AccessToken, Minted
from orchestrator.domain.errors import (
    ConnectorError,
    DestinationUnavailable,
    NotReached,
    Unauthorized,
)

ASK_WITHIN_SECONDS = 8.0
"""Well below the lease of who refreshes: see `orchestrator.operations.tokens.vault`."""

_USUAL_SECONDS = 3_600.0  # where the answer does not say how long a token lasts
_LONGEST_MARGIN = 60.0
_MOST_BYTES = 65_536

Send = Callable[[Request], Awaitable[Answer]]


async def mint(
    login: OAuthLogin,
    send: Send,
    refresh: str | None,  # the newest refresh token; None: the definition's
    masks: frozenset[str],
    *,
    private_network: bool,
) -> Minted:
    """Ask for a token. Raises Unauthorized, DestinationUnavailable, RateLimited and NotReached."""
    shown = refresh or login.refresh_token or ""
    request = _request(login, shown, private_network=private_network)
    try:
        async with asyncio.timeout(ASK_WITHIN_SECONDS):
            answer = await send(request)
    except (NotSent, NoAnswer) as error:
        raise NotReached(f"token: {error}") from None
    except TimeoutError:
        raise NotReached(f"token: no answer within {ASK_WITHIN_SECONDS:g} s") from None
    if not answer.ok:
        raise _refusal(answer, masks)
    try:
        return _minted(parse(answer), shown)
    except Unreadable as error:
        raise DestinationUnavailable(f"token: {error}") from None


def _request(login: OAuthLogin, refresh: str, *, private_network: bool) -> Request:
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


def _minted(said: object, shown: str) -> Minted:
    """What an answer holds; without a new refresh token the one that was shown stays."""
    document = said if isinstance(said, dict) else {}
    token, refresh = document.get("access_token"), document.get("refresh_token")
    if not isinstance(token, str) or not token or not (token.isascii() and token.isprintable()):
        raise DestinationUnavailable("token: its answer has no access_token")
    seconds = _seconds(document.get("expires_in"))
    margin = min(_LONGEST_MARGIN, seconds / 10)
    return Minted(
        access=AccessToken(text=token, good_seconds=seconds - margin),
        refresh=refresh if isinstance(refresh, str) and refresh else shown,
    )


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
