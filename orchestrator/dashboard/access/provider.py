"""The company's identity provider: what it says of itself, its keys, and a token for a code.

Every answer has a time limit and a size limit, and no redirect is followed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic

from orchestrator.domain.documents import strict_json
from orchestrator.domain.errors import InvalidJson, LoginRefused, PayloadTooLarge
from orchestrator.domain.text.issuers import issuer_fault

_MOST_BYTES = 256 * 1024
_KEPT_SECONDS = 300.0  # strangers may ask for the login as often as they like
_AT_ONCE = 8


class ProviderAway(LoginRefused):
    """Raised when the provider does not answer, or answers what cannot be used."""


@dataclass(kw_only=True)
class Provider:
    """One provider, as the settings name it."""

    issuer: str  # without a slash at its end
    client: str
    secret: str = field(repr=False)
    seconds: float = 10.0  # for one answer, with the wait for a turn
    _found: tuple[float, Mapping[str, str]] | None = None
    _calls: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    async def addresses(self) -> Mapping[str, str]:
        """Its addresses by their names in OpenID Connect Discovery. Raises ProviderAway."""
        if self._found and monotonic() < self._found[0]:
            return self._found[1]
        said = await self._ask(f"{self.issuer}/.well-known/openid-configuration")
        if str(said.get("issuer", "")).rstrip("/") != self.issuer:
            raise _away("it says that it is another issuer")
        names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        found = {name: str(said.get(name, "")) for name in names}
        for name, address in found.items():
            if fault := issuer_fault(address):
                raise _away(f"its {name} cannot be used: {fault}")
        found["issuer"] = str(said["issuer"])  # as its tokens write it
        self._found = (monotonic() + _KEPT_SECONDS, found)
        return found

    async def keys(self) -> Mapping[str, object]:
        """Its public keys, asked anew: it may have changed them. Raises ProviderAway."""
        return await self._ask((await self.addresses())["jwks_uri"])

    async def redeem(self, code: str, *, verifier: str, back: str) -> str:
        """The ID token for a code. Raises ProviderAway, LoginRefused for one it does not take."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "code_verifier": verifier,
            "client_id": self.client,
            "client_secret": self.secret,
        }
        said = await self._ask((await self.addresses())["token_endpoint"], form)
        token = said.get("id_token")
        if not isinstance(token, str):
            raise LoginRefused("the provider gave no ID token", fix="try again")
        return token

    async def _ask(self, url: str, form: Mapping[str, str] | None = None) -> Mapping[str, object]:
        import aiohttp

        unlimited = aiohttp.ClientTimeout(total=None)  # by aiohttp: the wait for a turn counts too
        method = "GET" if form is None else "POST"
        body = b""
        try:
            async with (
                asyncio.timeout(self.seconds),
                self._calls,
                aiohttp.ClientSession(timeout=unlimited) as session,
                session.request(method, url, data=form, allow_redirects=False) as answer,
            ):
                async for part in answer.content.iter_any():
                    body += part
                    if len(body) > _MOST_BYTES:
                        raise _away("it answers with too much")
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise _away(f"it does not answer ({type(error).__name__})") from None
        if form is not None and 400 <= answer.status < 500:
            raise LoginRefused("the provider does not take this login any more", fix="try again")
        if answer.status != 200:
            raise _away(f"it answers with the status {answer.status}")
        return _document(body)


def _document(body: bytes) -> Mapping[str, object]:
    try:
        said = strict_json.loads(body)
    except (InvalidJson, PayloadTooLarge):
        raise _away("it does not answer with JSON") from None
    if not isinstance(said, dict):
        raise _away("it does not answer with a JSON object")
    return said


def _away(why: str) -> ProviderAway:
    return ProviderAway(
        f"the company's login cannot be used: {why}", fix="try again, or log in with a password"
    )
